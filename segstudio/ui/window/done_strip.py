"""The strip above an image in which Done found nothing to label: either it is empty, or it is not done."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from segstudio.app.values import DoneState
from segstudio.text import _
from segstudio.ui.window.icons import pixmap
from segstudio.ui.window.notice_stack import PassingStrip, close_button

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["DoneStrip"]


class DoneStrip(PassingStrip):
    """`doneStrip`, with `confirmEmptyButton`; shown until something is labelled or a person decides."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self.setObjectName("doneStrip")
        self.setProperty("role", "alert")
        self.setAccessibleName(_("Nothing is labelled"))
        sign = QLabel()
        sign.setPixmap(pixmap("warning", "warning"))
        sentence = _("Nothing would be labelled in this image, so it was not marked done.")
        self.text = QLabel(sentence)
        self.text.setObjectName("doneStripText")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.confirm_button = QPushButton(_("Mark it done as empty"))
        self.confirm_button.setObjectName("confirmEmptyButton")
        self.confirm_button.setToolTip(_("Make every unlabelled pixel background and mark the image done"))
        self.confirm_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button = close_button("doneStripClose")
        self.lay_out(sign, self.text, self.confirm_button, self.close_button)
        self.confirm_button.clicked.connect(lambda: session.mark_done(empty=True))
        self.close_button.clicked.connect(self.dismiss)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the state of this project."""
        self._project = project
        if project is not None:
            project.finishing.stateChanged.connect(self._show)
        self._show()

    def dismiss(self) -> None:
        """Withdraw the question."""
        if self._project is not None:
            self._project.finishing.withdraw()

    def _show(self) -> None:
        state = self._project.finishing.state if self._project is not None else DoneState.IDLE
        self.setVisible(state is DoneState.NOTHING_LABELLED)
        if state is DoneState.NOTHING_LABELLED:
            self.spoke.emit()

"""The strip above an image in which Done asks: whether it is empty, or whether planes nobody has seen are meant too."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from segstudio.app.editing.done_words import nothing_words, question_words
from segstudio.app.values import DoneState
from segstudio.text import _
from segstudio.ui.window.icons import pixmap
from segstudio.ui.window.notice_stack import PassingStrip, close_button

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["DoneStrip"]


class DoneStrip(PassingStrip):
    """`doneStrip`, with `confirmEmptyButton` or `confirmAllButton`; shown until something is labelled or a person
    decides.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self.setObjectName("doneStrip")
        self.setProperty("role", "alert")
        self.setAccessibleName(_("Done"))
        sign = QLabel()
        sign.setPixmap(pixmap("warning", "warning"))
        self.text = QLabel(nothing_words(1, (0,)))
        self.text.setObjectName("doneStripText")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.confirm_button = _button(_("Mark it done as empty"), "confirmEmptyButton")
        self.confirm_all_button = _button(_("Mark all done"), "confirmAllButton")
        self.close_button = close_button("doneStripClose")
        self.lay_out(sign, self.text, self.confirm_button, self.confirm_all_button, self.close_button)
        self.confirm_button.clicked.connect(lambda: session.mark_done(empty=True))
        self.confirm_all_button.clicked.connect(lambda: session.mark_all_done(confirmed=True))
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
        asks = state in (DoneState.NOTHING_LABELLED, DoneState.NEVER_SHOWN)
        if self._project is not None and asks:
            self._word(self._project, state)
        self.setVisible(asks)
        if asks:
            self.spoke.emit()

    def _word(self, project: "OpenedProject", state: DoneState) -> None:
        """Ask about the image on screen, or the plane of a stack."""
        planes = project.navigation.items[project.navigation.index].planes
        empty = state is DoneState.NOTHING_LABELLED
        of_image = _("Make every unlabelled pixel background and mark the image done")
        of_plane = _("Make every unlabelled pixel of this plane background and mark the plane done")
        self.text.setText(
            nothing_words(planes, (0,)) if empty else question_words(planes, project.finishing.never_shown)
        )
        self.confirm_button.setToolTip(of_image if planes == 1 else of_plane)
        self.confirm_all_button.setText(_("Mark all {n} done", n=planes))
        self.confirm_all_button.setToolTip(_("Mark every plane done, those that were never shown too"))
        self.confirm_button.setVisible(empty)
        self.confirm_all_button.setVisible(not empty)


def _button(text: str, name: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

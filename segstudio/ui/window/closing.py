"""What a window says that cannot close at once, because edits are still being written: it waits, as long as one likes.

Never a box that waits for an answer. The window closes by itself when everything is saved; one can stay instead, or
close now: then what waits is kept in the user's state folder and written at the next opening.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["ClosingStrip"]

_AT_ONCE_S = 1.5
"""So long a closing window waits without a word."""

_NOW_S = 0.2
_LOOK_MS = 150


class ClosingStrip(QFrame):
    """`closingStrip`: hidden but for a window that was asked to close and still has something to save."""

    ready = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._now = False
        self.setObjectName("closingStrip")
        self.setProperty("role", "alert")
        self.text = QLabel()
        self.text.setObjectName("closingText")
        self.text.setWordWrap(True)
        self.now_button = self._button("closingNow", _("Close now"))
        self.now_button.setToolTip(_("Keep what waits in your state folder: the next opening saves it"))
        self.stay_button = self._button("closingStay", _("Stay"))
        self.stay_button.setToolTip(_("Do not close the window"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(self.text, 1)
        row.addWidget(self.now_button)
        row.addWidget(self.stay_button)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.now_button.clicked.connect(self._close_now)
        self.stay_button.clicked.connect(self.stay)
        self.hide()

    @property
    def wait_s(self) -> float | None:
        """How long the session may wait while it closes; None for its own bound."""
        return _NOW_S if self._now else None

    def may_close(self) -> bool:
        """Whether the window can close without making anybody wait; where not, this says why and `ready` follows."""
        asked = self._timer.isActive()
        if not asked:
            self._commit_gesture()  # once: a stroke that is begun while this waits is not cut
        if self._now or self._session.projects.ready_to_close(0.0 if asked else _AT_ONCE_S):
            self._end()
            return True
        self._say()
        self.show()
        self._timer.start()
        return False

    def _commit_gesture(self) -> None:
        if self._session.project is not None:
            self._session.project.documents.commit_gesture()

    def stay(self) -> None:
        """The window is not closed after all."""
        self._now = False
        self._end()

    def _end(self) -> None:
        self._timer.stop()
        self.hide()

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        return button

    def _close_now(self) -> None:
        self._now = True
        self.ready.emit()

    def _look(self) -> None:
        self._say()
        if self._session.projects.ready_to_close(0.0):
            self.ready.emit()

    def _say(self) -> None:
        project = self._session.project
        what = project.documents.saving.text() if project is not None else ""
        self.text.setText(_("{what} … The window closes when this is done.", what=what))

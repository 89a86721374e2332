"""The strip of a window that cannot close yet because edits are still being written.

It is never a modal box. The window closes automatically once everything is saved. A person can stay instead, or close
now: the waiting edits are then kept in the user's state folder and saved when the project is next opened.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["ClosingStrip"]

_AT_ONCE_S = 1.5
"""How long a closing window waits before it shows the strip."""

_NOW_S = 0.2
_LOOK_MS = 150


class ClosingStrip(QFrame):
    """`closingStrip`: shown only while a window that was asked to close still has edits to save."""

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
        self.now_button.setToolTip(_("Keep the waiting edits in your state folder; the next opening saves them"))
        self.stay_button = self._button("closingStay", _("Stay"))
        self.stay_button.setToolTip(_("Keep the window open"))
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
        """Seconds that the session may wait while it closes; None for its own limit."""
        return _NOW_S if self._now else None

    def may_close(self) -> bool:
        """Whether the window can close at once; if not, the strip says why and `ready` follows."""
        asked = self._timer.isActive()
        if not asked:
            self._commit_gesture()  # once: a stroke begun during the wait is not cut short
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
        """Do not close the window after all."""
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

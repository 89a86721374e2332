"""Work that waits for the hand: what a panel shows meanwhile must not make a stroke late."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

__all__ = ["AfterGesture"]

_LOOK_MS = 50
_LONGEST_MS = 5000


class AfterGesture(QObject):
    """Does work at once, or after the gesture that is under way, in the order in which it was given.

    Redrawing a panel takes a few milliseconds, several times as long as a move of the brush; a stroke that waits for it
    is seen to jerk. Gestures may last, as a polygon does, so work waits for five seconds at most.

    `active` says whether a gesture is under way.
    """

    def __init__(self, active: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._active = active
        self._waiting: deque[Callable[[], object]] = deque()
        self._waited_ms = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def do(self, work: Callable[[], object]) -> None:
        """Do this now, or when the hand has finished."""
        if not self._waiting and not self._active():
            work()
            return
        self._waiting.append(work)
        if not self._timer.isActive():
            self._waited_ms = 0
            self._timer.start()

    def forget(self) -> None:
        """Do nothing of what waits."""
        self._timer.stop()
        self._waiting.clear()

    def _look(self) -> None:
        self._waited_ms += _LOOK_MS
        if self._active() and self._waited_ms < _LONGEST_MS:
            return
        self._timer.stop()
        while self._waiting:
            self._waiting.popleft()()

"""The owner of playing a stack: one plane after another at so many a second, round its end, until somebody stops it."""

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.values import LEAST_RATE, MOST_RATE
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.planes import Planes

__all__ = ["Cine"]


class Cine(QObject):
    """`playing`; of a stack over time it goes along time. Another image, and a stroke, stop it.

    A plane that is not decoded in time is waited for: none is skipped.
    """

    changed = Signal()

    def __init__(
        self, documents: Documents, navigation: Navigation, planes: Planes, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._documents, self._navigation, self._planes = documents, navigation, planes
        self._image = -1
        self._rate = 15
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        self._timer.setInterval(1000 // self._rate)

    @property
    def playing(self) -> bool:
        """Whether the planes go by."""
        return self._timer.isActive()

    @property
    def rate(self) -> int:
        """Planes a second, as far as they can be shown that fast."""
        return self._rate

    def set_rate(self, rate: int) -> None:
        """Choose how many planes go by in a second."""
        self._rate = min(max(rate, LEAST_RATE), MOST_RATE)
        self._timer.setInterval(1000 // self._rate)
        self.changed.emit()

    def play(self, on: bool) -> None:
        """Begin, or stop on the plane on screen."""
        if on and self._planes.number > 1:
            self._image = self._navigation.index
            self._timer.start()
        else:
            self._timer.stop()
        self.changed.emit()

    def _go_on(self) -> None:
        if self._navigation.index != self._image or self._navigation.failed or self._documents.gesture_active:
            self.play(False)
        elif not self._navigation.loading:
            axes, planes = self._planes.axes, self._planes
            if axes[0].name == "t":
                planes.go_along(0, (axes[0].at + 1) % axes[0].size)
            else:
                planes.go((planes.asked + 1) % planes.number)

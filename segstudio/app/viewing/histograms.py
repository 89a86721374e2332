"""The owner of the histogram of what is on screen: counted on a worker, from the smallest level of the plane."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.viewing.navigation import Navigation

if TYPE_CHECKING:
    from concurrent.futures import Future

    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.histogram import Histogram

__all__ = ["Histograms"]


class Histograms(QObject):
    """`current` belongs to the image on screen, or to the index of its channels that is shown; None while it is being
    counted, and where nobody `wants` it.

    `counted`: it is another one.
    """

    counted = Signal()

    def __init__(self, ground: Ground, navigation: Navigation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._worker = Worker("histogram", ground.main)
        self._of: tuple[object, object] | None = None
        self._wanted = False
        self.current: Histogram | None = None
        navigation.imageShown.connect(self._follow)
        navigation.displaying.displayChanged.connect(self._follow)

    @property
    def wanted(self) -> bool:
        """Whether somebody looks at it: nothing is counted for a panel that is folded."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self._follow()

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._worker.close(wait_s)

    def _follow(self) -> None:
        display = self._navigation.display if self._wanted else None
        counted = None if display is None else (display.stored, display.view.formula)
        if counted == self._of:
            return
        self._of, self.current = counted, None
        self.counted.emit()
        if display is not None:
            self._worker.submit(lambda: _count(display), lambda future: self._take(counted, future))

    def _take(self, counted: object, future: "Future[Histogram | None]") -> None:
        if counted != self._of or refusal(future) is not None:
            return  # of a damaged file the canvas has told
        self.current = future.result()
        self.counted.emit()


def _count(display: "DisplayImage") -> "Histogram | None":
    from segstudio.imaging.histogram import histogram, histogram_of_values

    smallest = display.smallest()  # waits for what is still being decoded
    if display.view.formula is not None:
        return histogram(display.view.formula.computed(smallest))
    return histogram_of_values(display.stored)

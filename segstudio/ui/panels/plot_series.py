"""One curve of a plot: its points, thinned where there are many, and how it looks."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from segstudio.app.learning.curves import Average

__all__ = ["Series"]

_MOST_POINTS = 4000


def _numbers() -> "array[float]":
    """float64 values that NumPy copies many times as fast as a list of them."""
    return array("d")


@dataclass(slots=True, eq=False, repr=False)
class Series:
    """`color` is that of its `tint` in the theme; `items`, once it has been drawn, are what draws it."""

    tint: str
    color: str
    width: float
    dots: bool
    named: bool
    x: "array[float]" = field(default_factory=_numbers)
    y: "array[float]" = field(default_factory=_numbers)
    seconds: "array[float]" = field(default_factory=_numbers)
    shown: bool = True
    stride: int = 1
    seen: int = 0
    items: Any = None
    _average: Average | None = None
    _smooth: "array[float]" = field(default_factory=_numbers)

    def append(self, x: float, y: float, seconds: float = 0.0) -> None:
        """Add a point, where later ones are forgotten; a long series is thinned to every second, fourth ... point."""
        if self.x and self.x[-1] >= x:
            self.go_back(x - 1)
        self.seen += 1
        if self.seen % self.stride:
            return
        self.x.append(x)
        self.y.append(y)
        self.seconds.append(seconds)
        if len(self.x) > _MOST_POINTS:
            self.x, self.y, self.seconds = self.x[::2], self.y[::2], self.seconds[::2]
            self.stride *= 2
            self._average = None

    def go_back(self, x: float) -> None:
        """Forget what lies after a step: a run that is resumed makes it again."""
        keep = bisect_right(self.x, x)
        for column in (self.x, self.y, self.seconds):
            del column[keep:]
        self._average = None

    def put_before(self, x: "array[float]", y: "array[float]", seconds: "array[float]") -> None:
        """Put points before the first one, as far as they lie there."""
        keep = len(x) if not self.x else bisect_right(x, self.x[0] - 1)
        self.x, self.y, self.seconds = x[:keep] + self.x, y[:keep] + self.y, seconds[:keep] + self.seconds
        self._average = None

    def smooth(self, weight: float) -> Sequence[float]:
        """Its values, smoothed; only those are computed that were not before."""
        if weight <= 0:
            return self.y
        if self._average is None or self._average.weight != weight:
            self._average, self._smooth = Average(weight), _numbers()
        self._smooth.extend(map(self._average.after, self.y[len(self._smooth) :]))
        return self._smooth

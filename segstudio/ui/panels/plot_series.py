"""One curve of a plot: its points, thinned where there are many, and how it looks."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from segstudio.app.learning.curves import smoothed

__all__ = ["Series"]

_MOST_POINTS = 4000


@dataclass(slots=True, eq=False, repr=False)
class Series:
    """`color` is that of its `tint` in the theme; `items`, once it has been drawn, are what draws it."""

    tint: str
    color: str
    width: float
    dots: bool
    named: bool
    x: list[float] = field(default_factory=list[float])
    y: list[float] = field(default_factory=list[float])
    seconds: list[float] = field(default_factory=list[float])
    shown: bool = True
    stride: int = 1
    seen: int = 0
    items: Any = None

    def append(self, x: float, y: float, seconds: float = 0.0) -> None:
        """Add a point; a long series is thinned to every second, fourth ... point."""
        self.seen += 1
        if self.seen % self.stride:
            return
        self.x.append(x)
        self.y.append(y)
        self.seconds.append(seconds)
        if len(self.x) > _MOST_POINTS:
            self.x, self.y, self.seconds = self.x[::2], self.y[::2], self.seconds[::2]
            self.stride *= 2

    def go_back(self, x: float) -> None:
        """Forget what lies after a step: a run that is resumed makes it again."""
        keep = bisect_right(self.x, x)
        for column in (self.x, self.y, self.seconds):
            del column[keep:]

    def put_before(self, x: list[float], y: list[float], seconds: list[float]) -> None:
        """Put points before the first one, as far as they lie there."""
        keep = len(x) if not self.x else bisect_right(x, self.x[0] - 1)
        self.x, self.y, self.seconds = x[:keep] + self.x, y[:keep] + self.y, seconds[:keep] + self.seconds

    def smooth(self, weight: float) -> list[float]:
        """Its values, smoothed."""
        return smoothed(self.y, weight) if weight > 0 else self.y

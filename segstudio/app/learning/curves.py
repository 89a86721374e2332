"""What the curves of a run are: points from its events, and pure functions of them. No Qt."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.runs import Event

__all__ = ["Average", "Curve", "RunCurves", "best_at", "curves_of", "reduced", "smoothed"]


@dataclass(slots=True)
class Curve:
    """Values of one figure, each with the step and the seconds since the first step began; steps never fall."""

    steps: list[int] = field(default_factory=list[int])
    seconds: list[float] = field(default_factory=list[float])
    values: list[float] = field(default_factory=list[float])

    def add(self, step: int, seconds: float, value: float) -> None:
        """Add a point; what lies at its step or later was made before and is forgotten."""
        if self.steps and self.steps[-1] >= step:
            self.go_back(step - 1)
        self.steps.append(step)
        self.seconds.append(seconds)
        self.values.append(value)

    def go_back(self, step: int) -> None:
        """Forget what lies after a step."""
        keep = bisect_right(self.steps, step)
        for column in (self.steps, self.seconds, self.values):
            del column[keep:]


@dataclass(slots=True)
class RunCurves:
    """The curves of one run: training and held-out loss, mean IoU, and IoU by the name of the class."""

    loss: Curve = field(default_factory=Curve)
    held_out_loss: Curve = field(default_factory=Curve)
    mean_iou: Curve = field(default_factory=Curve)
    classes: dict[str, Curve] = field(default_factory=dict[str, Curve])

    @property
    def all(self) -> tuple[Curve, ...]:
        """Every curve."""
        return (self.loss, self.held_out_loss, self.mean_iou, *self.classes.values())

    def go_back(self, step: int) -> None:
        """Forget what lies after a step, in every curve."""
        for curve in self.all:
            curve.go_back(step)

    def take(self, event: "Event") -> None:
        """Add what an event has. A run that is resumed makes the steps after its checkpoint again."""
        from segstudio.runs import Evaluated, Started, Stepped  # see `ui.panels.training_panel`

        if isinstance(event, Started):
            self.go_back(event.step)
        elif isinstance(event, Stepped):
            self.loss.add(event.step, event.seconds, event.loss)
        elif isinstance(event, Evaluated):
            figures = event.held_out
            self.held_out_loss.add(event.step, event.seconds, figures.loss)
            self.mean_iou.add(event.step, event.seconds, figures.mean_iou)
            for name, value in figures.iou.items():
                self.classes.setdefault(name, Curve()).add(event.step, event.seconds, value)


def curves_of(events: "Iterable[Event]") -> RunCurves:
    """The curves of a run from its events, in their order."""
    found = RunCurves()
    for event in events:
        found.take(event)
    return found


@dataclass(slots=True)
class Average:
    """An exponential moving average that is given one value after the other: each keeps `weight` (0 to below 1) of the
    average before it.

    The start is corrected for, so that the first value is itself. What is not finite is left as it is and counts for
    nothing.
    """

    weight: float
    _sum: float = 0.0
    _total: float = 0.0

    def after(self, value: float) -> float:
        """The average with one value more."""
        if not math.isfinite(value):
            return value
        self._sum = self.weight * self._sum + (1 - self.weight) * value
        self._total = self.weight * self._total + (1 - self.weight)
        return self._sum / self._total


def smoothed(values: Iterable[float], weight: float) -> list[float]:
    """The moving `Average` of values."""
    average = Average(weight)
    return [average.after(value) for value in values]


def best_at(values: Sequence[float]) -> int | None:
    """The place of the highest value, the last one of equals, as a run keeps its weights; None for no values."""
    best: int | None = None
    for place, value in enumerate(values):
        if math.isfinite(value) and (best is None or value >= values[best]):
            best = place
    return best


def reduced(
    x: Sequence[float], y: Sequence[float], most: int, *, above: float = -math.inf
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """About `most` points (n,), float64 each, that look like all of them: of each stretch the lowest and the highest,
    in order, and the last one. Points whose y is not finite, or not above `above`, are left out.
    """
    import numpy as np

    xs, ys = np.array(x, np.float64), np.array(y, np.float64)
    fits = np.isfinite(ys) & (ys > above)
    if not fits.all():
        xs, ys = xs[fits], ys[fits]
    stretch = math.ceil(2 * len(xs) / max(most, 2))
    if len(xs) <= most:
        return xs, ys
    whole = len(xs) // stretch * stretch
    parts = ys[:whole].reshape(-1, stretch)
    starts = np.arange(0, whole, stretch)
    kept = np.unique(np.concatenate([starts + parts.argmin(1), starts + parts.argmax(1), [len(xs) - 1]]))
    return xs[kept], ys[kept]

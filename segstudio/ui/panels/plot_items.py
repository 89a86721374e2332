"""What pyqtgraph draws of one curve: the line, its dots, and where it is smoothed the faint one behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from segstudio.app.learning.curves import reduced
from segstudio.ui.panels.plot_series import Series

__all__ = ["CurveItems", "Extent", "Line", "PlotLook", "lines_item"]

_MOST_DOTS = 60
_MOST_FINE = 12
"""So many curves are drawn with smooth edges, and each with the unsmoothed one behind it; more would take too long, and
hide each other anyway."""
_FAINT = 70
"""Opacity, of 255, of a curve as it is behind its smoothed one."""


@dataclass(frozen=True, slots=True)
class PlotLook:
    """How curves are drawn: against time instead of steps, the values in powers of ten, and smoothed by a weight."""

    time: bool = False
    log: bool = False
    smoothing: float = 0.0


class Extent(NamedTuple):
    """Where a curve lies, as it is drawn: first and last place, lowest and highest value."""

    first: float
    last: float
    low: float
    high: float


class Line(NamedTuple):
    """A line of a plot, in the plot's own coordinates, its pen, and whether its edges are smooth."""

    polygon: QPolygonF
    pen: QPen
    fine: bool


class CurveItems:
    """The lines of one curve, and its dots in a plot. What has not changed is not computed again."""

    def __init__(self, pg: Any, plot: Any) -> None:
        self._pg, self._plot = pg, plot
        self.lines: list[Line] = []
        self._dots: Any = None
        self._drawn: object = None
        self._extent: Extent | None = None

    def remove(self) -> None:
        """Take the dots out of the plot."""
        if self._dots is not None:
            self._plot.removeItem(self._dots)

    def draw(self, series: Series, look: PlotLook, width: int, curves: int) -> Extent | None:
        """Draw a series in a plot `width` pixels wide that shows so many curves; where it lies, None for nowhere."""
        wanted = (series.shown, series.color, len(series.x), series.x[-1:], series.stride, look, width, curves)
        if wanted != self._drawn:
            self._drawn = wanted
            self._extent = self._redraw(series, look, width, curves)
        return self._extent

    def _redraw(self, series: Series, look: PlotLook, width: int, curves: int) -> Extent | None:
        self.lines = []
        smooths = look.smoothing > 0 and len(series.y) > 1
        fine = curves <= _MOST_FINE
        most = width if fine else max(24, width * _MOST_FINE // curves)
        x, y = _points(series, series.smooth(look.smoothing), look, most)
        dotted = len(x) == 1 or (series.dots and (series.named or fine) and len(x) <= _MOST_DOTS and not smooths)
        if self._dots is not None:
            self._dots.setVisible(series.shown and dotted)
        if not series.shown or not len(x):
            return None
        low, high = float(y.min()), float(y.max())
        if smooths and (series.named or fine):
            raw_x, raw_y = _points(series, series.y, look, most)
            faint = QColor(series.color)
            faint.setAlpha(_FAINT)
            self.lines.append(Line(_polygon(self._pg, raw_x, raw_y), _pen(faint, 1.0), False))
            low, high = min(low, float(raw_y.min())), max(high, float(raw_y.max()))
        # A line of exactly one pixel is drawn many times as fast as a thicker one.
        thick = series.width if (series.named or fine) and len(x) <= width // 2 else 1.0
        self.lines.append(Line(_polygon(self._pg, x, y), _pen(QColor(series.color), thick), fine or series.named))
        if dotted:
            self._dot(x, y, series.color)
        return Extent(float(x[0]), float(x[-1]), low, high)

    def _dot(self, x: Any, y: Any, color: str) -> None:
        if self._dots is None:
            # The plot looks at nothing to choose its axes: that would take longer than drawing.
            self._dots = self._pg.ScatterPlotItem(size=5, pen=None)
            self._plot.addItem(self._dots, ignoreBounds=True)
        self._dots.setData(x, y, brush=self._pg.mkBrush(color))


def lines_item(pg: Any) -> Any:
    """An item that draws `lines` (a list of `Line`): one for all curves is many times as fast as one for each."""

    class Lines(pg.UIGraphicsItem):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[Line] = []

        def paint(self, painter: QPainter, *_: object) -> None:
            for line in self.lines:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, line.fine)
                painter.setPen(line.pen)
                painter.drawPolyline(line.polygon)

    return Lines()


def _points(series: Series, values: Sequence[float], look: PlotLook, most: int) -> tuple[Any, Any]:
    at = series.seconds if look.time else series.x
    x, y = reduced(at, values, most, above=0.0 if look.log else -math.inf)
    if look.log:
        import numpy as np

        y = np.log10(y)
    return x, y


def _polygon(pg: Any, x: Any, y: Any) -> QPolygonF:
    made = pg.functions.create_qpolygonf(len(x))
    points = pg.functions.ndarray_from_qpolygonf(made)
    points[:, 0], points[:, 1] = x, y
    return made


def _pen(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCosmetic(True)
    return pen

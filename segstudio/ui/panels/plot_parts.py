"""What the plots are made of in pyqtgraph: the widget with its axes, and marks on it. pyqtgraph comes as `pg`."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame

from segstudio.text import _
from segstudio.ui.theme import Theme

__all__ = ["dress", "level_line", "made_plot", "marked_point", "step_line"]

_SPANS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000)
_TICK_PX = 44
_LEAST_ALPHA = 8


def made_plot(pg: Any, name: str, theme: Theme) -> Any:
    """A plot without a frame or a menu that nobody can drag; `axis_shows_time` of its bottom axis says what it has."""
    pg.setConfigOptions(antialias=True)
    widget = pg.PlotWidget(
        background=QColor(theme.field), axisItems={"bottom": _bottom_axis(pg), "left": _left_axis(pg)}
    )
    widget.setObjectName(name)
    widget.setFrameShape(QFrame.Shape.NoFrame)
    widget.setMenuEnabled(False)
    _adopt_menus(widget)
    widget.setMouseEnabled(False, False)
    widget.hideButtons()
    widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    dress(pg, widget, theme)
    widget.getViewBox().setDefaultPadding(0.04)
    return widget


def dress(pg: Any, widget: Any, theme: Theme) -> None:
    """Give a plot the colours of a theme."""
    widget.setBackground(QColor(theme.field))
    font = widget.font()
    font.setPointSizeF(max(6.5, font.pointSizeF() * 0.8))
    widget.showGrid(x=False, y=True, alpha=0.12)
    for side in ("left", "bottom"):
        axis = widget.getAxis(side)
        axis.setPen(pg.mkPen(theme.edge))
        axis.setTextPen(pg.mkPen(theme.muted))
        axis.setStyle(tickFont=font, tickLength=-4, maxTickLevel=1, hideOverlappingLabels=side == "left")
        axis.enableAutoSIPrefix(False)


def level_line(pg: Any, value: float, words: str, theme: Theme) -> Any:
    """A dashed line across the plot at a value, with what it is."""
    # At the left, where the curves have not begun yet.
    options = {"position": 0.01, "anchors": [(0, 0), (0, 1)], "color": theme.muted, "movable": False}
    pen = pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DashLine)
    return pg.InfiniteLine(value, 0, pen=pen, movable=False, label=words, labelOpts=options)


def step_line(pg: Any, at: float, words: str, theme: Theme) -> Any:
    """A dotted line down the plot at a step, with what it is."""
    options = {"position": 0.06, "anchors": [(0, 0.5), (1, 0.5)], "color": theme.muted, "movable": False}
    pen = pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DotLine)
    return pg.InfiniteLine(at, 90, pen=pen, movable=False, label=words, labelOpts=options)


def marked_point(pg: Any, x: float, y: float, theme: Theme) -> Any:
    """A ring around a point."""
    return pg.ScatterPlotItem(
        [x], [y], symbol="o", size=11, pen=pg.mkPen(theme.accent, width=2), brush=None, pxMode=True
    )


def _adopt_menus(widget: Any) -> None:
    """Give the menus of pyqtgraph a parent: otherwise nothing would ever delete them."""
    item = widget.getPlotItem()
    for menu in (item.ctrlMenu, *getattr(item, "subMenus", ())):
        if menu is not None and menu.parent() is None:
            menu.setParent(widget, menu.windowFlags())


def _axis(pg: Any) -> Any:
    """pyqtgraph's axis, painted faster: without the `QPicture` that it plays, which makes every font anew, and without
    the lines across the plot that are too faint to be seen.
    """

    class Axis(pg.AxisItem):
        def paint(self, painter: QPainter, *_: object) -> None:
            painter.save()
            if self.picture is None:  # pyqtgraph sets it so whenever something has changed
                line, ticks, texts = self.generateDrawSpecs(painter) or (None, (), ())
                ticks = [tick for tick in ticks if tick[0].color().alpha() >= _LEAST_ALPHA]
                self.picture = (line, ticks, texts) if line else ()
            if self.picture:
                self.drawPicture(painter, *self.picture)
            painter.restore()

    return Axis


def _bottom_axis(pg: Any) -> Any:
    """An axis of steps, with ticks at whole numbers only, or of times, at spans that people count in."""

    class BottomAxis(_axis(pg)):
        axis_shows_time = False

        def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
            if self.axis_shows_time:
                least = (high - low) * _TICK_PX / max(size, 1.0)
                return [(next((span for span in _SPANS_S if span >= least), _SPANS_S[-1]), 0.0)]
            return [level for level in super().tickSpacing(low, high, size) if level[0] >= 1] or [(1.0, 0.0)]

        def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
            if self.axis_shows_time:
                return [_at(value) for value in values]
            return list(super().tickStrings(values, scale, spacing))

    return BottomAxis(orientation="bottom")


def _left_axis(pg: Any) -> Any:
    """An axis of values; in powers of ten it has figures at 1, 2 and 5 alone: there is no room for more."""

    class LeftAxis(_axis(pg)):
        def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
            if not self.logMode:
                return list(super().tickStrings(values, scale, spacing))
            return [_power(10**value) for value in values]

    return LeftAxis(orientation="left")


def _at(seconds: float) -> str:
    """A time on an axis: 45 s, 1:30, 1:20:00."""
    whole = round(seconds)
    if whole < 60:
        return _("{n} s", n=whole)
    minutes = f"{whole // 60 % 60:02d}:{whole % 60:02d}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes


def _power(value: float) -> str:
    digits = f"{value:.3g}"
    return digits if digits.replace(".", "").strip("0") in ("1", "2", "5") else ""

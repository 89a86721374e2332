"""Live curves: an empty frame until the first point, then pyqtgraph (0.4 s and 44 MB, loaded in the meantime)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from segstudio.text import _
from segstudio.ui.panels.controls import role_label
from segstudio.ui.text import wrapped
from segstudio.ui.theme import Theme, current_theme, tinted
from segstudio.ui.window.loader import ModuleLoader

__all__ = ["LivePlot", "close_up"]

_REDRAW_MS = 120
_MOST_POINTS = 4000
_LEAST_SPAN = 0.05
_PADDING = 0.1
_HEAD_PX = 36


@dataclass(slots=True, eq=False, repr=False)
class _Series:
    """`color` is that of its `tint` in the theme."""

    tint: str
    color: str
    width: float
    dots: bool
    named: bool
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    stride: int = 1
    seen: int = 0
    curve: Any = None

    def append(self, x: float, y: float) -> None:
        """Add a point; a long series is thinned to every second, fourth ... point."""
        self.seen += 1
        if self.seen % self.stride:
            return
        self.x.append(x)
        self.y.append(y)
        if len(self.x) > _MOST_POINTS:
            self.x, self.y, self.stride = self.x[::2], self.y[::2], self.stride * 2


def close_up(values: Iterable[float]) -> tuple[float, float]:
    """Bottom and top of an axis that shows figures from 0 to 1 as large as possible, within 0..1."""
    known = list(values)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    padding = max(_PADDING * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    top = min(1.0, high + padding)
    return max(0.0, min(low - padding, top - _LEAST_SPAN)), max(top, _LEAST_SPAN)


class LivePlot(QFrame):
    """A frame with a title, a legend, and curves over steps, redrawn at most eight times a second.

    `span` gives bottom and top of the vertical axis for the figures shown; without it, the axis starts at 0 or above.
    """

    def __init__(
        self,
        name: str,
        title: str,
        library: ModuleLoader,
        *,
        span: Callable[[Iterable[float]], tuple[float, float]] | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "plot")
        self.setAccessibleName(title)
        self.setMinimumSize(160, 96)
        self._library = library
        self._span = span
        self._series: dict[str, _Series] = {}
        self._widget: Any = None
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.setSpacing(12)
        self._title = role_label(title, "muted")
        self._legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._legend.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._title)
        head.addWidget(self._legend, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)
        self._column.addLayout(head)
        self._column.setAlignment(head, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        library.ready.connect(self._redraw)

    @property
    def series(self) -> dict[str, tuple[list[float], list[float]]]:
        """The x and y values of each curve by name."""
        return {name: (list(s.x), list(s.y)) for name, s in self._series.items()}

    def clear(self) -> None:
        """Remove all curves and hide the axes."""
        for series in self._series.values():
            if series.curve is not None:
                self._widget.removeItem(series.curve)
        self._series.clear()
        if self._widget is not None:
            self._widget.hide()
        self._name_curves()

    def add(self, name: str, tint: str, *, width: float = 1.5, dots: bool = False, named: bool = True) -> None:
        """Add a curve unless there is one with this name; a curve that is not `named` is a class in the legend.

        `tint` is a colour, which stays in every theme, or the name of one of the theme's.
        """
        if name not in self._series:
            self._series[name] = _Series(tint, tinted(tint, current_theme()), width, dots, named)
            self._name_curves()

    def append(self, name: str, x: float, y: float) -> None:
        """Add a point to a curve."""
        self._library.load()
        self._series[name].append(x, y)
        if not self._timer.isActive():
            self._timer.start()

    def follow_theme(self, theme: Theme) -> None:
        """Draw frame and curves in the colours of a theme; those of classes stay."""
        pg: Any = self._library.module
        for series in self._series.values():
            series.color = tinted(series.tint, theme)
            if series.curve is not None:
                series.curve.setPen(pg.mkPen(series.color, width=series.width))
                series.curve.setSymbolBrush(series.color)
        if self._widget is not None:
            self._widget.setBackground(QColor(theme.field))
            _dress_axes(pg, self._widget, theme)
        self._name_curves()

    @property
    def legend(self) -> str:
        """The legend: dots in the colours of the curves, with their names if there is room for all."""
        return self._legend.text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Update the legend, which has names only if they fit."""
        super().resizeEvent(event)
        self._name_curves()

    def _name_curves(self) -> None:
        groups = [([s.color], name) for name, s in self._series.items() if s.named]
        others = [s.color for s in self._series.values() if not s.named][:6]
        room = self.width() - _HEAD_PX - self._title.sizeHint().width()
        wordings = [
            [*groups, (others, _("classes"))] if others else groups,
            [*groups, (others, "")],
            [([*(c for colors, _ in groups for c in colors), *others], "")],
        ]
        metrics = self._legend.fontMetrics()
        chosen = next((w for w in wordings if metrics.horizontalAdvance(_plain(w)) <= room), wordings[-1])
        self._legend.setText("&nbsp;&nbsp;".join(_key(colors, name) for colors, name in chosen))
        self._legend.setToolTip(wrapped("\n".join(self._series)))

    def _redraw(self) -> None:
        if self._library.module is None or not any(s.x for s in self._series.values()):
            return
        if self._widget is None:
            self._widget = self._make()
        self._widget.show()
        pg: Any = self._library.module
        for series in self._series.values():
            if series.curve is None:
                dots = {"symbol": "o", "symbolSize": 5, "symbolPen": None, "symbolBrush": series.color}
                pen = pg.mkPen(series.color, width=series.width)
                series.curve = self._widget.plot(pen=pen, **(dots if series.dots else {}))
            series.curve.setData(series.x, series.y)
        if self._span is not None:
            low, high = self._span(y for series in self._series.values() for y in series.y)
            self._widget.getViewBox().setYRange(low, high, padding=0)

    def _make(self) -> Any:
        pg: Any = self._library.module
        theme = current_theme()
        pg.setConfigOptions(antialias=True)
        widget = pg.PlotWidget(background=QColor(theme.field), axisItems={"bottom": _step_axis(pg)})
        widget.setObjectName(f"{self.objectName()}View")
        widget.setFrameShape(QFrame.Shape.NoFrame)
        widget.setMenuEnabled(False)
        _adopt_menus(widget)
        widget.setMouseEnabled(False, False)
        widget.hideButtons()
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        _dress_axes(pg, widget, theme)
        view = widget.getViewBox()
        view.setDefaultPadding(0.04)
        view.setLimits(xMin=0)
        if self._span is None:
            view.setLimits(xMin=0, yMin=0)
        self._column.addWidget(widget, 1)
        return widget


def _adopt_menus(widget: Any) -> None:
    """Give the menus of pyqtgraph a parent: otherwise nothing would ever delete them."""
    item = widget.getPlotItem()
    for menu in (item.ctrlMenu, *getattr(item, "subMenus", ())):
        if menu is not None and menu.parent() is None:
            menu.setParent(widget, menu.windowFlags())


def _step_axis(pg: Any) -> Any:
    """An axis of steps, with ticks at whole numbers only."""

    class StepAxis(pg.AxisItem):
        def tickSpacing(self, *extent: float) -> list[tuple[float, float]]:
            return [level for level in super().tickSpacing(*extent) if level[0] >= 1] or [(1.0, 0.0)]

    return StepAxis(orientation="bottom")


def _dress_axes(pg: Any, widget: Any, theme: Theme) -> None:
    font = widget.font()
    font.setPointSizeF(max(6.5, font.pointSizeF() * 0.8))
    widget.showGrid(x=False, y=True, alpha=0.12)
    for side in ("left", "bottom"):
        axis = widget.getAxis(side)
        axis.setPen(pg.mkPen(theme.edge))
        axis.setTextPen(pg.mkPen(theme.muted))
        axis.setStyle(tickFont=font, tickLength=-4)
        axis.enableAutoSIPrefix(False)


def _plain(groups: list[tuple[list[str], str]]) -> str:
    """The plain text of a legend, for measuring its width: dots and name of each group."""
    return "  ".join(f"{'●' * len(colors)} {name}" for colors, name in groups)


def _key(colors: Iterable[str], name: str) -> str:
    """Dots in some colours, and what they stand for, as rich text."""
    from html import escape

    return "".join(_dot(color) for color in colors) + (f"&nbsp;{escape(name)}" if name else "")


def _dot(color: str) -> str:
    return f'<span style="color:{color}">●</span>'

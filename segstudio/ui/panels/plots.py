"""Curves as they come in: an empty frame until the first point, then pyqtgraph (0.4 s and 44 MB, loaded meanwhile)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from segstudio.app.learning.curves import Curve, best_at
from segstudio.text import _, amount
from segstudio.ui.panels.controls import role_label
from segstudio.ui.panels.plot_items import CurveItems, Extent, PlotLook, lines_item
from segstudio.ui.panels.plot_parts import dress, level_line, made_plot, marked_point, step_line
from segstudio.ui.panels.plot_series import Series
from segstudio.ui.text import wrapped
from segstudio.ui.theme import Theme, current_theme, seen_on_plot
from segstudio.ui.window.loader import ModuleLoader

__all__ = ["LivePlot", "PlotLook", "close_up"]

_REDRAW_MS = 125
_LEAST_SPAN = 0.05
_PADDING = 0.1
_HEAD_PX = 36
_NAMED_CLASSES = 3
_MARGIN = 0.04


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
    """A frame with a title, a legend, and curves, redrawn at most eight times a second and only while it is seen.

    `span` gives bottom and top of the vertical axis for the figures shown; without it, the axis starts at 0 or above.
    `best_of` names the curve whose highest value is marked. A plot of one curve whose title says what it is needs no
    `legend`.
    """

    def __init__(
        self,
        name: str,
        title: str,
        library: ModuleLoader,
        *,
        span: Callable[[Iterable[float]], tuple[float, float]] | None = None,
        best_of: str = "",
        legend: bool = True,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "plot")
        self.setAccessibleName(title)
        self.setMinimumSize(120, 80)
        self._library, self._span, self._best_of = library, span, best_of
        self._series: dict[str, Series] = {}
        self._widget: Any = None
        self._lines: Any = None
        self._marks: list[Any] = []
        self._marked: object = None
        self._level: tuple[float, str, str] | None = None
        self._kept: int | None = None
        self.look = PlotLook()
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.setSpacing(12)
        self._title = role_label(title, "muted")
        self._legend.setVisible(legend)
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

    # -- what is drawn -----------------------------------------------------------------------------------------------

    @property
    def series(self) -> dict[str, tuple[list[float], list[float]]]:
        """The steps and values of each curve by name."""
        return {name: (list(s.x), list(s.y)) for name, s in self._series.items()}

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the curves that are drawn."""
        return tuple(name for name, series in self._series.items() if series.shown)

    def clear(self) -> None:
        """Remove all curves and marks and hide the axes."""
        for series in self._series.values():
            if series.items is not None:
                series.items.remove()
        self._series.clear()
        self._level = self._kept = None
        self._unmark()
        if self._widget is not None:
            self._widget.hide()
        self._name_curves()

    def add(self, name: str, tint: str, *, width: float = 1.5, dots: bool = False, named: bool = True) -> None:
        """Add a curve unless there is one with this name; a curve that is not `named` is a class in the legend.

        `tint` is a colour, which stays in every theme, or the name of one of the theme's.
        """
        if name not in self._series:
            color = seen_on_plot(tint, current_theme())
            self._series[name] = Series(tint, color, width, dots, named)
            self._name_curves()

    def append(self, name: str, x: float, y: float, seconds: float = 0.0) -> None:
        """Add a point to a curve: its step, its value, and when it was made."""
        self._library.load()
        self._series[name].append(x, y, seconds)
        self._draw_soon()

    def put_before(self, name: str, curve: Curve) -> None:
        """Put what was there before the first point of a curve."""
        thin = Series("text", "", 1.0, False, True)
        for step, seconds, value in zip(curve.steps, curve.seconds, curve.values, strict=True):
            thin.append(step, value, seconds)
        self._series[name].put_before(thin.x, thin.y, thin.seconds)
        self._library.load()
        self._draw_soon()

    def go_back(self, step: float) -> None:
        """Forget what lies after a step, of all curves."""
        for series in self._series.values():
            series.go_back(step)
        self._draw_soon()

    def show_curves(self, shown: Mapping[str, bool]) -> None:
        """Draw these curves, or leave them out; others stay as they are."""
        for name, series in self._series.items():
            series.shown = shown.get(name, series.shown)
        self._draw_soon()

    def set_look(self, look: PlotLook) -> None:
        """Draw the curves in another way, at once."""
        self.look = look
        self._redraw()

    def set_level(self, value: float | None, words: str = "", tip: str = "") -> None:
        """Draw a line across the plot, with its name, and a tip that says what it is; None for none."""
        self._level = None if value is None else (value, words, tip)
        self._draw_soon()

    def set_kept(self, step: int | None) -> None:
        """Mark the step whose weights were kept; None for none."""
        self._kept = step
        self._draw_soon()

    # -- how it looks ------------------------------------------------------------------------------------------------

    def follow_theme(self, theme: Theme) -> None:
        """Draw frame and curves in the colours of a theme; those of classes stay."""
        for series in self._series.values():
            series.color = seen_on_plot(series.tint, theme)
        if self._widget is not None:
            dress(self._library.module, self._widget, theme)
            self._redraw()
        self._name_curves()

    @property
    def legend(self) -> str:
        """The legend: dots in the colours of the curves, with their names if there is room for all."""
        return self._legend.text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Update the legend, which has names only if they fit."""
        super().resizeEvent(event)
        self._name_curves()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came in while nobody saw it."""
        super().showEvent(event)
        self._draw_soon()

    def _draw_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _name_curves(self) -> None:
        groups = [([s.color], name) for name, s in self._series.items() if s.named]
        classes = [([s.color], name) for name, s in self._series.items() if not s.named]
        others = [color for (color,), _name in classes[:6]]
        room = self.width() - _HEAD_PX - self._title.sizeHint().width()
        wordings = [
            [*groups, *classes] if len(classes) <= _NAMED_CLASSES else [*groups, (others, _("classes"))],
            [*groups, (others, _("classes"))] if others else groups,
            [*groups, (others, "")],
            [([*(c for colors, _ in groups for c in colors), *others], "")],
            [([c for colors, _ in groups for c in colors], "")],
        ]
        metrics = self._legend.fontMetrics()
        chosen = next((w for w in wordings if metrics.horizontalAdvance(_plain(w)) <= room), wordings[-1])
        self._legend.setText("&nbsp;&nbsp;".join(_key(colors, name) for colors, name in chosen))
        self._legend.setToolTip(wrapped("\n".join(self._series)))

    # -- drawing -----------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        if self._library.module is None or not any(s.x for s in self._series.values()) or not self.isVisible():
            return
        pg: Any = self._library.module
        if self._widget is None:
            self._widget = made_plot(pg, f"{self.objectName()}View", current_theme())
            self._column.addWidget(self._widget, 1)
            self._lines = lines_item(pg)
            self._widget.addItem(self._lines, ignoreBounds=True)
        self._widget.show()
        if self._widget.getAxis("left").logMode != self.look.log:
            self._widget.getAxis("left").setLogMode(y=self.look.log)
        self._widget.getAxis("bottom").axis_shows_time = self.look.time
        curves, seen = len(self.shown), list[Extent]()
        for series in self._series.values():
            series.items = series.items or CurveItems(pg, self._widget)
            extent = series.items.draw(series, self.look, max(self.width(), 200), curves)
            seen += [] if extent is None else [extent]
        # The mean and the losses, which are named, lie above the classes.
        ordered = sorted(self._series.values(), key=lambda series: series.named)
        self._lines.lines = [line for series in ordered for line in series.items.lines]
        self._lines.update()
        self._mark(pg)
        if seen:
            self._look_at(seen)

    def _look_at(self, seen: list[Extent]) -> None:
        """Set the axes, so that all that is drawn is inside."""
        view = self._widget.getViewBox()
        last = max(extent.last for extent in seen)
        last = last if last > 0 else 1.0
        low, high = min(extent.low for extent in seen), max(extent.high for extent in seen)
        if self._span is not None and not self.look.log:
            low, high = self._span([low, high, *([self._level[0]] if self._level else [])])
        else:
            padding = _MARGIN * (high - low) or 0.1
            low, high = low - padding if self.look.log else max(0.0, low - padding), high + padding
        view.setRange(xRange=(-_MARGIN * last, (1 + _MARGIN) * last), yRange=(low, high), padding=0)

    def _unmark(self) -> None:
        for mark in self._marks:
            self._widget.removeItem(mark)
        self._marks.clear()
        self._marked = None

    def _mark(self, pg: Any) -> None:
        """Mark the best value, the step that was kept, and the line across, unless they are marked so already."""
        best, kept = self._best(), None
        if best is not None and self._kept is not None and self._kept in (found := self._series[self._best_of]).x:
            at = found.seconds if self.look.time else found.x
            kept = at[found.x.index(self._kept)]
        theme = current_theme()
        marked = (self._level, best, kept, theme.name)
        if marked == self._marked:
            return
        self._unmark()
        self._marked = marked
        tips = list[str]()
        if self._level is not None:
            value, words, tip = self._level
            self._marks.append(level_line(pg, value, words, theme))
            tips.append(tip)
        if best is not None:
            self._marks.append(marked_point(pg, best.x, best.y, theme))
            value, step = amount(best.value), int(best.step)
            tips.append(_("The ring marks the best: {value} at step {step}", value=value, step=step))
        if kept is not None:
            self._marks.append(step_line(pg, kept, _("kept"), theme))
        for mark in self._marks:
            self._widget.addItem(mark, ignoreBounds=True)
        for part in (self._title, self._widget):
            part.setToolTip(wrapped("\n".join(tips)))

    def _best(self) -> "_Best | None":
        """The best value of the curve that has one marked."""
        series = self._series.get(self._best_of)
        if series is None or not series.shown or (place := best_at(series.y)) is None:
            return None
        at = series.seconds if self.look.time else series.x
        return _Best(at[place], series.smooth(self.look.smoothing)[place], series.y[place], series.x[place])


class _Best(NamedTuple):
    """Where the best value is marked, and what it is, at which step."""

    x: float
    y: float
    value: float
    step: float


def _plain(groups: list[tuple[list[str], str]]) -> str:
    """The plain text of a legend, for measuring its width: dots and name of each group."""
    return "  ".join(f"{'●' * len(colors)} {name}" for colors, name in groups)


def _key(colors: Iterable[str], name: str) -> str:
    """Dots in some colours, and what they stand for, as rich text."""
    from html import escape

    return "".join(_dot(color) for color in colors) + (f"&nbsp;{escape(name)}" if name else "")


def _dot(color: str) -> str:
    return f'<span style="color:{color}">●</span>'

"""The runs of a project: choose one or more, and see their curves over each other and in what they differ."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.learning.run_differences import differences, state_words
from segstudio.text import N_, _
from segstudio.ui.panels.controls import Choice, role_label
from segstudio.ui.panels.plots import LivePlot, close_up
from segstudio.ui.text import wrapped
from segstudio.ui.theme import current_theme, tinted
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from segstudio.app.learning.curves import Curve, RunCurves
    from segstudio.app.learning.run_history import RunHistory, RunItem
    from segstudio.ui.panels.plots import PlotLook
    from segstudio.ui.window.loader import ModuleLoader

__all__ = ["TrainingHistory"]

_MOST_RUNS = 6
_TINTS = ("accent", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#8C6BB1")
_WIDTHS = (0, 88, 46, 52)
_FIGURES = (N_("Held-out IoU"), N_("Held-out loss"), N_("Training loss"))
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_NAME = Qt.ItemDataRole.UserRole


class TrainingHistory(QWidget):
    """`runList`, `runFigure` with `runIouPlot` and `runLossPlot`, `runDifferences`; `runsNone` while there is no run.

    `chosen` is the run that exports are about: the newest of those chosen.
    """

    chosenChanged = Signal()

    def __init__(self, library: "ModuleLoader") -> None:
        super().__init__()
        self._history: RunHistory | None = None
        self._curves: dict[str, RunCurves] = {}
        self.list = _RunList()
        self.figure = Choice()
        self.iou_plot = LivePlot("runIouPlot", "", library, span=close_up)
        self.loss_plot = LivePlot("runLossPlot", "", library)
        self.table = _Differences()
        for plot in (self.iou_plot, self.loss_plot):
            plot.setAccessibleName(_("Curves of the chosen runs"))
        self.none = role_label(_("No runs in this project yet"), "muted")
        self.none.setObjectName("runsNone")
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        self.list.itemSelectionChanged.connect(self._chosen)
        self.figure.currentIndexChanged.connect(lambda _at: self._draw())

    @property
    def chosen(self) -> "tuple[RunItem, ...]":
        """The runs that are chosen, in the order of the list, six at most."""
        names = self.list.chosen[:_MOST_RUNS]
        items = self._history.items if self._history is not None else ()
        return tuple(item for item in items if item.name in names)

    @property
    def plot(self) -> LivePlot:
        """The plot that is shown."""
        return self.loss_plot if self.figure.currentIndex() else self.iou_plot

    def follow(self, history: "RunHistory | None") -> None:
        """Show the runs of a project."""
        self._history = history
        self._curves.clear()
        if history is not None:
            history.changed.connect(self._list)
            history.read.connect(self._read)
        self.list.clear()
        self.loss_plot.clear()
        self.iou_plot.clear()
        self._list()
        if history is not None and self.isVisible():
            history.refresh()

    def set_look(self, look: "PlotLook") -> None:
        """Draw the curves in another way."""
        self.loss_plot.set_look(look)
        self.iou_plot.set_look(type(look)(look.time, False, look.smoothing))

    def forget(self, name: str) -> None:
        """The curves of a run are no longer what they were."""
        self._curves.pop(name, None)

    def showEvent(self, event: QShowEvent) -> None:
        """Read the runs as they are now."""
        super().showEvent(event)
        if self._history is not None:
            self._history.refresh()

    def _lay_out(self) -> None:
        self.figure.setObjectName("runFigure")
        self.figure.setAccessibleName(_("What the curves of the runs show"))
        self.figure.addItems([_(words) for words in _FIGURES])
        self._plots = QStackedLayout()
        self._plots.addWidget(self.iou_plot)
        self._plots.addWidget(self.loss_plot)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(self.figure)
        middle.addLayout(self._plots, 1)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.list, 5)
        row.addLayout(middle, 5)
        row.addWidget(self.table, 5)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.none)
        self._stack.addWidget(body)

    def _list(self) -> None:
        items = self._history.items if self._history is not None else ()
        self._stack.setCurrentIndex(1 if items else 0)
        self.list.show_items(items)
        for item in items:
            if item.state in ("running", "interrupted"):
                self.forget(item.name)
        self._chosen()

    def _chosen(self) -> None:
        missing = [item.name for item in self.chosen if item.name not in self._curves]
        if missing and self._history is not None:
            self._history.ask(missing)
        self.table.show_items(self.chosen)
        self._draw()
        self.chosenChanged.emit()

    def _read(self, curves: "dict[str, RunCurves]") -> None:
        self._curves |= curves
        self._draw()

    def _draw(self) -> None:
        """Draw one figure of the chosen runs over each other."""
        at = self.figure.currentIndex()
        plot = self.plot
        self._plots.setCurrentWidget(plot)
        plot.clear()
        for tint, item in zip(_TINTS, self.chosen, strict=False):
            curves = self._curves.get(item.name)
            if curves is not None:
                name = _name(item)
                plot.add(name, tint, width=2, dots=at < 2)
                plot.put_before(name, _figure_of(curves, at))


class _RunList(QTreeWidget):
    """A row a run; several can be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runList")
        self.setAccessibleName(_("Runs"))
        self.setToolTip(_("Choose two or more with Ctrl or Shift to compare them"))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setProperty("takesClicks", True)
        self.setHeaderLabels([_("Run"), _("Began"), _("Steps"), _("IoU")])
        self.header().setObjectName("runListHeader")
        self.header().setAccessibleName(_("Columns of the runs"))
        _fit_columns(self, _WIDTHS)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of the runs that are chosen, from top to bottom."""
        rows = (self.topLevelItem(place) for place in range(self.topLevelItemCount()))
        return tuple(str(row.data(0, _NAME)) for row in rows if row is not None and row.isSelected())

    def show_items(self, items: "tuple[RunItem, ...]") -> None:
        """List these runs; what was chosen stays so, and the newest alone is followed by a newer one."""
        chosen, first = set(self.chosen), self.topLevelItem(0)
        follows = first is None or chosen == {first.data(0, _NAME)}
        self.blockSignals(True)
        self.clear()
        for place, item in enumerate(items):
            row = QTreeWidgetItem(self, [_name(item), _when(item.started), f"{item.steps:,}", _figure(item.now)])
            row.setData(0, _NAME, item.name)
            row.setToolTip(0, wrapped(f"{_name(item)}\n{item.why or state_words(item.state)}"))
            for column in (2, 3):
                row.setTextAlignment(column, _RIGHT)
            if place == 0 if follows else item.name in chosen:
                self.selectionModel().select(
                    self.indexFromItem(row),
                    QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
                )
        self.blockSignals(False)


class _Differences(QTreeWidget):
    """A row for each figure, and for each setting in which the chosen runs differ; a column a run."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runDifferences")
        self.setAccessibleName(_("Figures of the chosen runs, and where they differ"))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHeaderLabels([""])
        self.header().setObjectName("runDifferencesHeader")
        self.header().setAccessibleName(_("The compared runs"))

    def show_items(self, items: "tuple[RunItem, ...]") -> None:
        """Compare these runs."""
        self.clear()
        self.setColumnCount(1 + len(items))
        self.setHeaderLabels(["", *(item.name for item in items)])
        for difference in differences(items) if items else ():
            row = QTreeWidgetItem(self, [difference.what, *difference.values])
            for column, value in enumerate(difference.values, 1):
                row.setToolTip(column, wrapped(value))
        for column, tint in enumerate(_TINTS[: len(items)], 1):
            self.headerItem().setIcon(column, swatch(tinted(tint, current_theme())))
            self.headerItem().setToolTip(column, wrapped(_name(items[column - 1])))
        header = self.header()
        header.setMinimumSectionSize(40)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for column in range(1, 1 + len(items)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)


def _fit_columns(tree: QTreeWidget, widths: tuple[int, ...]) -> None:
    header = tree.header()
    header.setMinimumSectionSize(40)
    header.setStretchLastSection(False)
    for column, width in enumerate(widths):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch)
        if width:
            header.resizeSection(column, width)


def _figure_of(curves: "RunCurves", at: int) -> "Curve":
    return (curves.mean_iou, curves.held_out_loss, curves.loss)[at]


def _name(item: "RunItem") -> str:
    return f"{item.name} → {item.version}" if item.version else item.name


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _when(started: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(started).astimezone().strftime("%m-%d %H:%M") if started else "–"

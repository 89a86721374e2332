"""Figures by class of the newest version on held-out pixels: a table that can be sorted, and the confusion matrix."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QScrollArea,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.learning.class_figures import ClassFigures, class_figures, confusion_shares, object_words
from segstudio.text import _
from segstudio.ui.panels.confusion_map import ConfusionMap
from segstudio.ui.panels.controls import ElidedLabel, role_label
from segstudio.ui.text import wrapped
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from segstudio.labels.model import ClassTable
    from segstudio.runs import TrainResult

__all__ = ["TrainingClasses"]

_WIDTHS = (50, 50, 68, 56, 68)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_VALUE = Qt.ItemDataRole.UserRole
_MATRIX_SHARE, _TABLE_SHARE = 4, 5
_BETWEEN = 32


class TrainingClasses(QWidget):
    """`classFigures`, above it `objectFigures` where objects are told apart, and `confusionMap` in `confusionScroll`.

    In their place `classFiguresNone` says why there are none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = _Table()
        self.matrix = ConfusionMap()
        self.none = role_label(_("Figures by class appear after the first run that holds something out"), "muted")
        self.none.setObjectName("classFiguresNone")
        self.none.setWordWrap(True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.rows: tuple[ClassFigures, ...] = ()
        self.version = ""
        self.scroller = QScrollArea()
        self.scroller.setObjectName("confusionScroll")
        self.scroller.setWidget(self.matrix)
        self.scroller.setFrameShape(QScrollArea.Shape.NoFrame)
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        beside = QVBoxLayout()
        beside.setSpacing(4)
        beside.addWidget(self.title)
        beside.addWidget(self.scroller, 1)
        self.objects = ElidedLabel()
        self.objects.setObjectName("objectFigures")
        self.objects.setProperty("role", "muted")
        figures = QVBoxLayout()
        figures.setSpacing(4)
        figures.addWidget(self.objects)
        figures.addWidget(self.table, 1)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(figures, _TABLE_SHARE)
        row.addLayout(beside, _MATRIX_SHARE)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.none)
        self._stack.addWidget(both)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the cells of the matrix the width there is."""
        super().resizeEvent(event)
        self._fit()

    def clear(self) -> None:
        """Show that there are no figures yet."""
        self.rows = ()
        self.matrix.show_shares(None)
        self.none.setText(_("Figures by class appear after the first run that holds something out"))
        self._stack.setCurrentIndex(0)

    def show_result(self, result: "TrainResult", classes: "ClassTable") -> None:
        """Show the figures of the version that a run made, or why there are none."""
        child = result.held_out.get("child")
        if child is None or child.confusion is None:
            self.clear()
            self.none.setText(
                _("Nothing was held out: there are no figures to compare")
                if child is None
                else _("Figures by class appear after the next run")
            )
            return
        self.rows = class_figures(child.confusion)
        self.table.show_rows(self.rows, classes)
        self.objects.setVisible(child.objects is not None)
        if child.objects is not None:
            self.objects.setText(object_words(child.objects))
        version = self.version = result.version
        self.title.setText(_("{version}: what each labelled class was predicted as, in %", version=version))
        colors = {found.name: found.color for found in classes}
        self.matrix.show_shares(confusion_shares(child.confusion), colors)
        self._stack.setCurrentIndex(1)
        self._fit()

    def _fit(self) -> None:
        self.matrix.fit(self.width() * _MATRIX_SHARE // (_MATRIX_SHARE + _TABLE_SHARE) - _BETWEEN)


class _Table(QTreeWidget):
    """A row a class; a click on a title sorts by it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("classFigures")
        self.setAccessibleName(_("Figures by class on held-out pixels"))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHeaderLabels([_("Class"), _("IoU"), _("Dice"), _("Precision"), _("Recall"), _("Pixels")])
        header = self.header()
        header.setObjectName("classFiguresHeader")
        header.setAccessibleName(_("Columns of the figures by class"))
        header.setMinimumSectionSize(48)
        header.setStretchLastSection(False)
        header.setDefaultAlignment(_RIGHT)
        self.headerItem().setTextAlignment(0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        self.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def show_rows(self, rows: tuple[ClassFigures, ...], classes: "ClassTable") -> None:
        """Fill the table; it stays sorted as it was."""
        self.setSortingEnabled(False)
        self.clear()
        for place, row in enumerate(rows):
            found = classes.named(row.name)
            item = _Row(self, [row.name, *map(_figure, row[1:5]), f"{row.pixels:,}"])
            item.setData(0, _VALUE, place)
            item.setToolTip(0, wrapped(row.name))
            for column, value in enumerate(row[1:], 1):
                item.setData(column, _VALUE, -1.0 if value is None else float(value))
                item.setTextAlignment(column, _RIGHT)
            if found is not None:
                item.setIcon(0, swatch(found.color))
        self.setSortingEnabled(True)


class _Row(QTreeWidgetItem):
    """Sorted by its figures; by the class, in the order of the classes."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        column = max(self.treeWidget().sortColumn(), 0)
        return bool(self.data(column, _VALUE) < other.data(column, _VALUE))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

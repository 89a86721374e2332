"""The classes beside the curves: colour, name and newest IoU; a tick draws the curve of a class or leaves it out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from segstudio.text import _
from segstudio.ui.panels.controls import draw_tick
from segstudio.ui.text import wrapped
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CurveLegend"]

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FIGURE_W = 48


class CurveLegend(QTreeWidget):
    """`curveLegend`: a row a class, in the order in which they were measured, below one for all of them.

    `changed` carries which curves are drawn, by name of the class.
    """

    changed = Signal(dict)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("curveLegend")
        self.setAccessibleName(_("Classes whose curves are drawn"))
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        header.setObjectName("curveLegendHeader")
        header.setAccessibleName(_("Columns of the legend"))
        header.setMinimumSectionSize(24)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(1, _FIGURE_W)
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._all: QTreeWidgetItem | None = None
        self._follows = False
        self.setItemDelegateForColumn(0, _Ticks(self))
        self.itemChanged.connect(self._ticked)

    @property
    def shown(self) -> dict[str, bool]:
        """Which classes' curves are drawn."""
        return {name: row.checkState(0) is not Qt.CheckState.Unchecked for name, row in self._rows.items()}

    def forget(self) -> None:
        """List nothing."""
        self._rows.clear()
        self._all = None
        self.clear()

    def show_figures(self, iou: Mapping[str, float], color: "Callable[[str], str | None]") -> None:
        """List these classes with their newest figures; a class that is listed keeps its tick."""
        self._follows = True
        for name, value in iou.items():
            row = self._rows.get(name) or self._row(name, color(name))
            row.setText(1, f"{value:.3f}")
        self._follows = False

    def _row(self, name: str, color: str | None) -> QTreeWidgetItem:
        if self._all is None:
            self._all = self._ticked_row(_("All classes"), Qt.CheckState.Checked)
        row = self._rows[name] = self._ticked_row(name, Qt.CheckState.Checked)
        row.setToolTip(0, wrapped(name))
        row.setTextAlignment(1, _RIGHT)
        if color is not None:
            row.setIcon(0, swatch(color))
        return row

    def _ticked_row(self, text: str, state: Qt.CheckState) -> QTreeWidgetItem:
        row = QTreeWidgetItem(self, [text, ""])
        row.setCheckState(0, state)
        return row

    def _ticked(self, row: QTreeWidgetItem, _column: int) -> None:
        if self._follows:
            return
        self._follows = True
        if row is self._all:
            state = Qt.CheckState.Unchecked if row.checkState(0) is Qt.CheckState.Unchecked else Qt.CheckState.Checked
            for each in self._rows.values():
                each.setCheckState(0, state)
        elif self._all is not None:
            shown = set(self.shown.values())
            partial = Qt.CheckState.PartiallyChecked
            self._all.setCheckState(
                0, partial if len(shown) > 1 else Qt.CheckState.Checked if True in shown else Qt.CheckState.Unchecked
            )
        self._follows = False
        self.changed.emit(self.shown)


class _Ticks(QStyledItemDelegate):
    """Draws the mark in a box that is ticked: without it a box looks like one more colour."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the row of the style, then the mark."""
        super().paint(painter, option, index)
        if Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) is not Qt.CheckState.Checked:
            return
        row = QStyleOptionViewItem(option)
        self.initStyleOption(row, index)
        box = row.widget.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, row, row.widget)
        draw_tick(painter, QRectF(box))

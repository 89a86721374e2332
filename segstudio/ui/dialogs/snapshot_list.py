"""The list of snapshots: a row each, renamed in its place."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from segstudio.text import N_, _, elided
from segstudio.ui.text import wrapped
from segstudio.ui.theme import current_theme

if TYPE_CHECKING:
    from segstudio.app.values import SnapshotItem

__all__ = ["SnapshotList"]

_ID = Qt.ItemDataRole.UserRole
_NAME, _WHEN, _EDITS, _WHO = range(4)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ROW_H = 24
_EMPTY = N_(
    "No snapshots yet. Keep one with Ctrl+Shift+S. From the second day of work on, "
    "one is kept automatically before the first edit of each day."
)


class SnapshotList(QTreeWidget):
    """`renamed` carries a snapshot and the name that a person gave it."""

    renamed = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self.empty = QLabel(_(_EMPTY), self.viewport())
        self.empty.setObjectName("snapshotEmpty")
        self.empty.setProperty("role", "muted")
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.viewport()).addWidget(self.empty)
        self._dress()
        self.itemChanged.connect(self._changed)

    def _dress(self) -> None:
        self.setHeaderLabels([_("Name"), _("When"), _("Edits since"), _("By")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setObjectName("snapshotHeader")
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_WHEN, _EDITS, _WHO):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setMaximumSectionSize(360)
        self.headerItem().setTextAlignment(_EDITS, _RIGHT)
        # Figures are right-aligned next to left-aligned names, so they need some space between them.
        self.setStyleSheet("QTreeView::item, QHeaderView::section { padding-right: 12px; }")

    @property
    def chosen(self) -> int | None:
        """The snapshot of the selected row."""
        row = self.currentItem()
        return None if row is None or not row.isSelected() else int(row.data(_NAME, _ID))

    @property
    def chosen_name(self) -> str:
        """Its name; '' where none is selected."""
        row = self.currentItem()
        return "" if row is None or not row.isSelected() else row.text(_NAME)

    @property
    def restorable(self) -> bool:
        """Whether a row is selected whose state was not compacted away."""
        row = self.currentItem()
        return self.chosen is not None and row is not None and not row.isDisabled()

    def fill(self, items: "Sequence[SnapshotItem]", *, editable: bool) -> None:
        """Show these, newest first; the selected one stays selected."""
        if self.state() is QAbstractItemView.State.EditingState:
            self.recount(items)  # read before a name was being edited: its editor stays
            return
        chosen = self.chosen
        self._filling = True
        self.clear()
        for item in items:
            row = _row(item, editable=editable)
            self.addTopLevelItem(row)
            if item.id == chosen:
                self.setCurrentItem(row)
        self._filling = False
        self.empty.setText(_(_EMPTY))
        self.empty.setVisible(self.topLevelItemCount() == 0)

    def tell_reading(self) -> None:
        """Say that the list is being read, where it shows nothing yet."""
        if self.topLevelItemCount() == 0:
            self.empty.setText(_("Reading the snapshots …"))
            self.empty.show()

    def recount(self, items: "Sequence[SnapshotItem]") -> bool:
        """Show only other numbers of edits, so that a name being edited is left alone; False where rows are missing."""
        edits = {item.id: item.edits for item in items}
        self._filling = True
        for n in range(self.topLevelItemCount()):
            row = self.topLevelItem(n)
            if row is not None and row.data(_NAME, _ID) in edits:
                row.setText(_EDITS, f"{edits[row.data(_NAME, _ID)]:,}")
        self._filling = False
        return len(edits) == self.topLevelItemCount()

    def edit_name(self) -> None:
        """Let the name of the current row be edited."""
        row = self.currentItem()
        if row is not None:
            self.setFocus()
            self.editItem(row, _NAME)

    def _changed(self, row: QTreeWidgetItem, column: int) -> None:
        if not self._filling and column == _NAME:
            self.renamed.emit(int(row.data(_NAME, _ID)), row.text(_NAME))


def _row(item: "SnapshotItem", *, editable: bool) -> QTreeWidgetItem:
    when = datetime.fromisoformat(item.time).astimezone().strftime("%Y-%m-%d %H:%M")
    row = QTreeWidgetItem([item.name, when, f"{item.edits:,}", elided(item.author, 20) or _("automatic")])
    row.setData(_NAME, _ID, item.id)
    tip = [item.name] if item.kept else [item.name, _("Removed by compacting: it can no longer be restored.")]
    row.setToolTip(_NAME, wrapped("\n".join(tip)))
    row.setTextAlignment(_EDITS, _RIGHT)
    row.setSizeHint(_NAME, QSize(0, _ROW_H))
    row.setToolTip(_WHO, wrapped(item.author))
    if not item.kept:
        for column in range(4):
            row.setForeground(column, QColor(current_theme().faint))
    flags = Qt.ItemFlag.ItemIsSelectable
    if item.kept:
        flags |= Qt.ItemFlag.ItemIsEnabled
    if editable:
        flags |= Qt.ItemFlag.ItemIsEditable
    row.setFlags(flags)
    return row

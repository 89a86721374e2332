"""The table of a dry run: which file goes to which image, what it brings, and what would be overwritten."""

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QHeaderView, QTreeView

from segstudio.app.importing import ImportPreview
from segstudio.text import N_, _
from segstudio.ui.theme import current_theme

__all__ = ["DryRunModel", "dry_run_table"]

_Index = QModelIndex | QPersistentModelIndex
_TITLES = (N_("File"), N_("Image"), N_("Objects"), N_("Pixels"), N_("Overwritten"))
_TIPS = (
    N_("The mask, or the image as the file names it"),
    N_("The image of the project that it belongs to"),
    N_("How many objects it brings"),
    N_("How many known pixels it brings"),
    N_("How many pixels that are labelled now would be labelled again"),
)
_IMAGE, _OVER = 1, 4


@dataclass(frozen=True, slots=True)
class _Row:
    """The texts of a row; `warns` where something is lost, `fits` where it belongs to an image."""

    texts: tuple[str, ...]
    warns: bool = False
    fits: bool = True


class DryRunModel(QAbstractTableModel):
    """Rows that lose labels first, then what matches no image, then the rest: nobody reads ten thousand rows."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_Row] = []

    def show(self, preview: ImportPreview | None, labels: bool = True) -> None:
        """Show what an import would do; nothing is overwritten where they come in as proposals."""
        self.beginResetModel()
        self._rows = [] if preview is None else _rows_of(preview, labels)
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """How many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """How many columns there are."""
        return 0 if parent.isValid() else len(_TITLES)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The text of a cell, its alignment, and a colour where it warns."""
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return row.texts[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() > _IMAGE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole:
            theme = current_theme()
            if row.warns and index.column() == _OVER:
                return QBrush(QColor(theme.warning))
            if not row.fits:
                return QBrush(QColor(theme.muted))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The title of a column."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _(_TITLES[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return _(_TIPS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole and section > _IMAGE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def dry_run_table(model: DryRunModel) -> QTreeView:
    """The table that shows the rows, to be named by its owner."""
    table = QTreeView()
    table.setModel(model)
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setSelectionMode(QTreeView.SelectionMode.NoSelection)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    header = table.header()
    header.setObjectName("importHeader")
    header.setStretchLastSection(False)
    header.setMinimumSectionSize(64)
    for column in range(len(_TITLES)):
        wide = QHeaderView.ResizeMode.Stretch if column <= _IMAGE else QHeaderView.ResizeMode.ResizeToContents
        header.setSectionResizeMode(column, wide)
    return table


def _rows_of(preview: ImportPreview, labels: bool) -> list[_Row]:
    several = {plane.path for plane in preview.planes if plane.plane}
    fitting: list[_Row] = []
    for plane in preview.planes:
        image = plane.path
        if plane.path in several:
            image = _("{path}, plane {n}", path=plane.path, n=plane.plane)
        over = labels and plane.overwrites > 0
        figures = f"{plane.objects:,}", f"{plane.pixels:,}", f"{plane.overwrites:,}" if over else ""
        fitting.append(_Row((plane.source, image, *figures), warns=over))
    lost = [
        *(_Row((name, _("no matching image"), "", "", ""), fits=False) for name in preview.skipped),
        *(_Row((name, _("format not supported"), "", "", ""), fits=False) for name in preview.unread),
    ]
    return [*(row for row in fitting if row.warns), *lost, *(row for row in fitting if not row.warns)]

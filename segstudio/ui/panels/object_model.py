"""The model of the table of objects: rows in the order in which they are shown, words for their cells.

Nothing is stored per row but its place, so 100,000 rows cost as much as what is visible of them.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from segstudio.labels.colors import object_tint
from segstudio.labels.model import ClassId, ClassTable, ObjectId, Origin
from segstudio.text import N_, _, amount
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segstudio.geometry import Rect
    from segstudio.labels.measure.table import ObjectTable
    from segstudio.labels.model import LabelClass

__all__ = ["COLUMNS", "LOCK_COLUMN", "ORIGIN_WORDS", "ObjectModel"]

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()

COLUMNS = (
    ("id", N_("Object"), N_("The object's number in this image")),
    ("locked", N_("Lock"), N_("Whether the object is locked, so that no tool changes it; click to lock or unlock it")),
    ("class", N_("Class"), N_("What the object is")),
    ("area", N_("Area"), N_("Area in image pixels")),
    ("origin", N_("Origin"), N_("Who made most of its pixels, and how much of it")),
    ("mean", N_("Mean"), N_("Mean of the image's values over the object, by channel")),
    ("box", N_("Box"), N_("The smallest rectangle around it: x, y, width × height in image pixels")),
)
"""Name, title and description of each column; the names are those by which a table sorts."""

LOCK_COLUMN = 1
"""Shows a lock instead of words, and in its header too, since it is narrow."""

ORIGIN_WORDS = {
    Origin.NONE: N_("unknown"),
    Origin.PAINTED: N_("painted"),
    Origin.ACCEPTED: N_("accepted"),
    Origin.IMPORTED: N_("imported"),
    Origin.FILLED: N_("filled in"),
    Origin.COMPUTED: N_("computed"),
}
_ALL_OF_IT = 0.995
_RIGHT = {"id", "area", "mean"}


class ObjectModel(QAbstractTableModel):
    """Shows an `ObjectTable`, sorted and filtered. `reordered`: other rows are shown, or in another order."""

    reordered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._table: ObjectTable | None = None
        self._classes = ClassTable(())
        self._rows: Sequence[int] | NDArray[Any] = ()
        self._column, self._falling = "id", False
        self._class_id: ClassId | None = None
        self._only_locked = False
        self._like = ""
        self.tinted = False

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show(self, table: "ObjectTable | None", classes: ClassTable) -> None:
        """Show another table."""
        self._table, self._classes = table, classes
        self._arrange()

    def choose(self, class_id: ClassId | None, like: str, *, locked: bool = False) -> None:
        """Show the objects of one class (None = all) whose class or number contains the text; `locked` ones alone."""
        if (class_id, like, locked) != (self._class_id, self._like, self._only_locked):
            self._class_id, self._like, self._only_locked = class_id, like, locked
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        self._column, self._falling = COLUMNS[column][0], order is Qt.SortOrder.DescendingOrder
        self._arrange()

    def set_tinted(self, tinted: bool) -> None:
        """Show the objects in the colours that they have in the image: each its own, or that of its class."""
        self.tinted = tinted
        self.reordered.emit()

    @property
    def total(self) -> int:
        """How many objects there are, shown or not."""
        return 0 if self._table is None else len(self._table)

    def _arrange(self) -> None:
        self.beginResetModel()
        table = self._table
        self._rows = (
            ()
            if table is None
            else table.ordered(
                self._column,
                falling=self._falling,
                class_id=self._class_id,
                locked=self._only_locked,
                like=self._like,
                names=self._classes,
            )
        )
        self.endResetModel()
        self.reordered.emit()

    # -- rows --------------------------------------------------------------------------------------------------------

    def ids(self, rows: Iterable[int]) -> list[ObjectId]:
        """Every object id that these rows stand for."""
        table = self._table
        return [] if table is None else [id_ for row in rows for id_ in table.parts(int(self._rows[row]))]

    def rect(self, row: int) -> "Rect | None":
        """The box of a row in image pixels."""
        return None if self._table is None else self._table.rect(int(self._rows[row]))

    def ranges(self, ids: Iterable[int]) -> list[tuple[int, int]]:
        """The rows of these objects, as first and last of each run of neighbours."""
        table, wanted = self._table, list(ids)
        if table is None or not wanted:
            return []
        import numpy as np

        wanted += [lowest for lowest, parts in table.joined.items() if not set(parts).isdisjoint(wanted)]
        found = np.flatnonzero(np.isin(table.ids[np.asarray(self._rows, np.intp)], wanted))
        if not len(found):
            return []
        breaks = np.flatnonzero(np.diff(found) > 1)
        firsts = np.concatenate([found[:1], found[breaks + 1]])
        lasts = np.concatenate([found[breaks], found[-1:]])
        return list(zip(firsts.tolist(), lasts.tolist(), strict=True))

    def class_of(self, row: int) -> "LabelClass | None":
        """The class that the object of a row counts as."""
        if self._table is None:
            return None
        return self._classes.get(ClassId(int(self._table.class_ids[self._rows[row]])))

    def is_locked(self, row: int) -> bool:
        """Whether the object of a row is locked by itself."""
        return self._table is not None and bool(self._table.locked[self._rows[row]])

    def color(self, row: int) -> str:
        """The colour of a row's object in the image, as #RRGGBB."""
        found = self.class_of(row)
        if found is None or self._table is None:
            return "#808080"
        if self.tinted and not found.one_object:
            return object_tint(int(self._table.ids[self._rows[row]]))
        return found.color

    def words(self, row: int, column: str) -> str:
        """What stands in a cell."""
        table = self._table
        if table is None:
            return ""
        place = int(self._rows[row])
        match column:
            case "id":
                return str(int(table.ids[place]))
            case "locked":
                return _("locked") if self.is_locked(row) else ""
            case "class":
                found = self.class_of(row)
                return "" if found is None else found.name
            case "area":
                return f"{int(table.areas[place]):,}"
            case "origin":
                origin, share = table.origin(place)
                name, percent = _(ORIGIN_WORDS[origin]), round(share * 100)
                return name if share > _ALL_OF_IT else _("{origin} {percent} %", origin=name, percent=percent)
            case "mean":
                return " ".join("–" if mean != mean else amount(mean) for mean in table.means[place].tolist())
            case _:
                rect = table.rect(place)
                return f"{rect.x}, {rect.y}, {rect.w} × {rect.h}"

    # -- for the view ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many objects are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """How many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The words of a cell; as a tooltip, where a long name does not fit, the same."""
        if not 0 <= index.row() < len(self._rows):
            return None
        if index.column() == LOCK_COLUMN and role == Qt.ItemDataRole.ToolTipRole:
            locked = self.is_locked(index.row())
            return _("Locked: no tool changes it. Click to unlock it.") if locked else _("Click to lock it.")
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.words(index.row(), COLUMNS[index.column()][0])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if is_right(index.column()) else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            name, title, _tip = COLUMNS[section]
            arrow = ("", " ↑", " ↓")[(name == self._column) * (1 + self._falling)]
            return arrow.strip() if section == LOCK_COLUMN else f"{_(title)}{arrow}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _(COLUMNS[section][1])
        if role == Qt.ItemDataRole.DecorationRole and section == LOCK_COLUMN and self._column != "locked":
            return icon("lock")  # else the arrow stands in its place: there is no room for both
        if role == Qt.ItemDataRole.ToolTipRole:
            return _(COLUMNS[section][2])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if is_right(section) else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


def is_right(column: int) -> bool:
    """Whether a column holds numbers, which stand at its right."""
    return COLUMNS[column][0] in _RIGHT

"""The model of the list of findings: by kind, under a heading with the number of each, words for their rows.

Nothing is stored per row: findings of one kind stand beside each other, so a row is a place in them.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QStandardItemModel

from segstudio.labels.lint.finding import LintKind
from segstudio.labels.model import ClassTable
from segstudio.text import N_, _
from segstudio.ui.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segstudio.labels.lint.finding import Finding
    from segstudio.labels.model import ImageId

__all__ = ["KIND_TIPS", "KIND_WORDS", "LintModel"]

_Index = QModelIndex | QPersistentModelIndex

KIND_WORDS = {
    LintKind.MISTAKE: N_("Probable mistakes"),
    LintKind.SPECK: N_("Specks"),
    LintKind.PINHOLE: N_("Pinholes"),
    LintKind.TOUCHING: N_("Touching objects"),
    LintKind.UNKNOWN_IN_DONE: N_("Unlabelled but done"),
    LintKind.NEARLY_EMPTY_CLASS: N_("Nearly empty classes"),
    LintKind.UNUSED_CLASS: N_("Unused classes"),
}

KIND_TIPS = {
    LintKind.MISTAKE: N_("Labels where a model that learned from the other images is sure of another class"),
    LintKind.SPECK: N_("Parts of a few pixels, of a class that has larger ones in the image"),
    LintKind.PINHOLE: N_("Holes of a few pixels that a class encloses"),
    LintKind.TOUCHING: N_("Two objects of one class that share an edge"),
    LintKind.UNKNOWN_IN_DONE: N_("Areas without a label in images that are done"),
    LintKind.NEARLY_EMPTY_CLASS: N_("Classes with fewer than 100 pixels in the project"),
    LintKind.UNUSED_CLASS: N_("Classes without a pixel in the project"),
}


class _Group(NamedTuple):
    """The findings of one kind: their places `start` ... `end` - 1, and the row of the heading above them."""

    kind: LintKind
    start: int
    end: int
    row: int


class LintModel(QStandardItemModel):
    """Shows findings, of all kinds or of one. A row is a heading, or a finding.

    It has no items, and is a `QStandardItemModel` for its count of rows alone, as `ImageListModel`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._findings: Sequence[Finding] = ()
        self._counts: Mapping[LintKind, int] = {}
        self._classes = ClassTable(())
        self._name_of: Callable[[ImageId], str] = str
        self._only: LintKind | None = None
        self._groups: list[_Group] = []

    def show(
        self,
        findings: "Sequence[Finding]",
        counts: "Mapping[LintKind, int]",
        classes: ClassTable,
        name_of: "Callable[[ImageId], str]",
    ) -> None:
        """Show these findings, which are in the order of their kinds, so many of each; `name_of` gives the name of an
        image.
        """
        self._findings, self._counts, self._classes, self._name_of = findings, counts, classes, name_of
        self._arrange()

    def choose(self, only: LintKind | None) -> None:
        """Show one kind alone, or all."""
        if only is not self._only:
            self._only = only
            self._arrange()

    def _arrange(self) -> None:
        self._groups, rows, start = [], 0, 0
        for kind in LintKind:
            end = start + self._counts.get(kind, 0)
            if end > start and self._only in (None, kind):
                self._groups.append(_Group(kind, start, end, rows))
                rows += 1 + end - start
            start = end
        self.beginResetModel()
        blocked = self.blockSignals(True)  # Qt would tell of added rows before the reset
        self.setRowCount(rows)
        self.setColumnCount(1)
        self.blockSignals(blocked)
        self.endResetModel()

    # -- rows --------------------------------------------------------------------------------------------------------

    def _group(self, row: int) -> _Group:
        return self._groups[bisect_right([group.row for group in self._groups], row) - 1]

    def heading(self, row: int) -> "tuple[LintKind, int] | None":
        """Kind and number of findings below a heading; None where the row is a finding."""
        group = self._group(row)
        return (group.kind, group.end - group.start) if row == group.row else None

    def finding(self, row: int) -> "Finding | None":
        """The finding of a row; None where it is a heading."""
        group = self._group(row)
        return None if row == group.row else self._findings[group.start + row - group.row - 1]

    def row_of(self, place: int) -> int:
        """The row of the finding at a place; -1 where it is not shown."""
        for group in self._groups:
            if group.start <= place < group.end:
                return group.row + 1 + place - group.start
        return -1

    def color(self, found: "Finding") -> str:
        """The colour of its class, as #RRGGBB; '' where it has none."""
        return "" if found.class_id is None else self._classes[found.class_id].color

    def title(self, found: "Finding") -> str:
        """What a finding is about: its class."""
        if found.class_id is None:
            return _("unlabelled")
        name = self._classes[found.class_id].name
        return name if found.said is None else _("labelled {class_name}", class_name=name)

    def other(self, found: "Finding") -> tuple[str, str] | None:
        """The colour, and the words, of the class that a probable mistake looks like; None for other findings."""
        if found.said is None:
            return None
        other = self._classes[found.said]
        return other.color, _("looks like {class_name}", class_name=other.name)

    def size(self, found: "Finding") -> str:
        """How large it is."""
        return _("{n} px", n=f"{found.pixels:,}")

    def place(self, found: "Finding") -> str:
        """Where it is: the image, and the plane of a stack counted from 1 if it is not the first."""
        if found.image is None:
            return _("in no image")
        name = self._name_of(found.image)
        return _("{image}, plane {n}", image=name, n=found.plane + 1) if found.plane else name

    def words(self, row: int) -> str:
        """A row in words, for a tooltip and for those who listen."""
        heading = self.heading(row)
        if heading is not None:
            kind, number = heading
            return _("{kind}: {n}", kind=_(KIND_WORDS[kind]), n=f"{number:,}")
        found = self.finding(row)
        assert found is not None
        title, other = self.title(found), self.other(found)
        if other is not None:
            title = _("{title}, {other}", title=title, other=other[1])
        if found.rect is None:
            return _("{title}, {place}", title=title, place=self.place(found))
        return _(
            "{title}, {size}, {place} at {x}, {y}",
            title=title,
            size=self.size(found),
            place=self.place(found),
            x=found.rect.x,
            y=found.rect.y,
        )

    # -- for the view ------------------------------------------------------------------------------------------------

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The words of a row; of a heading, as a tooltip, what the kind means."""
        if not 0 <= index.row() < self.rowCount():
            return None
        heading = self.heading(index.row())
        if role == Qt.ItemDataRole.ToolTipRole and heading is not None:
            return wrapped(_(KIND_TIPS[heading[0]]))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.words(index.row())
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Headings cannot be chosen."""
        shown = 0 <= index.row() < self.rowCount() and self.heading(index.row()) is None
        enabled = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return enabled if shown else Qt.ItemFlag.NoItemFlags

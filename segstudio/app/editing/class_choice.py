"""The classes as this window has followed them, and the one that was chosen to paint with."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from segstudio.errors import UserError
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.edit import Edit, Table
from segstudio.labels.model import ClassId, ClassTable, LabelClass
from segstudio.store.project import Project
from segstudio.text import _

__all__ = ["ClassChoice", "StoredClasses", "classes_of"]


@dataclass(frozen=True, slots=True)
class StoredClasses:
    """The classes of a project as they are stored, and the next id and value to be given."""

    table: ClassTable
    next: tuple[ClassId, int]


def classes_of(project: Project) -> StoredClasses:
    """Read them; for any thread."""
    return StoredClasses(project.classes(), project.next_class())


class ClassChoice(QObject):
    """`classes` is the whole table, `next` the id and stable value of the next class to be made: neither is given
    twice, also after an undo. `classesChanged`: it is another; `chosen`: another class was chosen."""

    classesChanged = Signal()
    chosen = Signal()

    def __init__(self, stored: StoredClasses, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.classes, self.next = stored.table, stored.next
        self._id = _first(self.classes)

    @property
    def id(self) -> ClassId:
        """The class that was chosen."""
        return self._id

    @id.setter
    def id(self, id_: ClassId) -> None:
        if id_ != self._id:
            self._id = id_
            self.chosen.emit()

    def named(self, name: str) -> ClassId:
        """The class of this name. Raises `UserError` where there is none."""
        found = self.classes.named(name)
        if found is None:
            raise UserError(_("There is no class '{name}' in this project.", name=name))
        return found.id

    @property
    def current(self) -> LabelClass:
        """The class that was chosen, as it counts today: merged, it is the one it was merged into."""
        return self.classes.effective(self._id) or self.classes.background

    def follow(self, edit: Edit) -> None:
        """Take in an edit of class rows."""
        classes = self.classes
        for row in edit.rows:
            classes = apply_class_row(classes, row)
            if row.table is Table.CLASSES and row.after is not None:
                self._pass(row.key + 1, int(row.after.get("value") or 0) + 1)
        self._take(classes)

    def take(self, stored: StoredClasses) -> None:
        """Take what was read again; nothing is told where the table says the same."""
        self._pass(*stored.next)
        self._take(stored.table)

    def _pass(self, id_: int, value: int) -> None:
        self.next = ClassId(max(id_, self.next[0])), max(value, self.next[1])

    def _take(self, classes: ClassTable) -> None:
        if classes.all == self.classes.all:
            return
        self.classes = classes
        lost = classes.effective(self._id) is None
        if lost:
            # A removal, undo or redo took the current class away: a class that counts as nothing must not paint.
            self._id = _first(classes)
        self.classesChanged.emit()
        if lost:
            self.chosen.emit()


def _first(classes: ClassTable) -> ClassId:
    return next((c.id for c in classes.foreground), classes.background.id)

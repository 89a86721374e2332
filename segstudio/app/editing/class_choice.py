"""The classes as this window has followed them, and the one that was chosen to paint with."""

from PySide6.QtCore import QObject, Signal

from segstudio.errors import UserError
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import ClassId, ClassTable, LabelClass
from segstudio.text import _

__all__ = ["ClassChoice"]


class ClassChoice(QObject):
    """`classes` is the whole table. `classesChanged`: it is another; `chosen`: another class was chosen."""

    classesChanged = Signal()
    chosen = Signal()

    def __init__(self, classes: ClassTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.classes = classes
        self._id = _first(classes)

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
        self.take(classes)

    def take(self, classes: ClassTable) -> None:
        """Take another table; nothing happens where it says the same."""
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

"""Objects locked, so that no tool changes their pixels, or unlocked again; and the refusal of what is locked."""

from collections.abc import Collection, Iterable

from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.model import ClassTable, LabelClass, ObjectId
from segstudio.text import _

__all__ = ["class_must_be_unlocked", "locks_changed", "must_be_unlocked"]


def locks_changed(document: Document, ids: Collection[ObjectId], *, locked: bool) -> tuple[RowChange, ...]:
    """What locks objects, or unlocks them: rows alone, no pixel is touched.

    Ids without an object, and those that are so already, are passed over.
    """
    return tuple(
        RowChange(Table.OBJECTS, object_id, {"locked": not locked}, {"locked": locked})
        for object_id in sorted(set(ids))
        if object_id in document.objects and (object_id in document.locked) != locked
    )


def must_be_unlocked(document: Document, classes: ClassTable, ids: Iterable[ObjectId]) -> None:
    """Raise `UserError` where one of these objects is locked, or the class that it counts as today.

    Ids without an object are passed over, and so are objects of a removed class: no lock counts there.
    """
    for object_id in sorted(set(ids)):
        class_id = document.objects.get(object_id)
        today = None if class_id is None else classes.effective(class_id)
        if today is not None:
            class_must_be_unlocked(today)
            if object_id in document.locked:
                raise UserError(_("Nothing is changed: object {n} is locked. Unlock it first.", n=object_id))


def class_must_be_unlocked(found: LabelClass) -> None:
    """Raise `UserError` where the class is locked."""
    if found.locked:
        raise UserError(_("Nothing is changed: the class '{name}' is locked. Unlock it first.", name=found.name))

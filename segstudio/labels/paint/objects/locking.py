"""Objects locked, so that nothing changes their pixels, or unlocked again: rows alone, no pixel is touched."""

from collections.abc import Collection, Iterator

from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.tiles.streamed import Part

__all__ = ["locks_changed"]


def locks_changed(document: Document, ids: Collection[ObjectId], locked: bool, report: Report) -> Iterator[Part]:
    """Objects become locked, or unlocked; ids without an object, and those that are so already, are passed over.

    `report.number` are those that change.
    """
    for object_id in sorted(set(ids)):
        if object_id in document.objects and (object_id in document.locked) != locked:
            report.number += 1
            yield RowChange(Table.OBJECTS, object_id, {"locked": not locked}, {"locked": locked})

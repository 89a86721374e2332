"""Objects merged, reclassed and deleted: ids replaced by ids, tile by tile, in all planes; who made a pixel stays."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.model import ClassId, ClassTable, Kind, ObjectId
from segstudio.labels.paint.objects.extent import tiles_with
from segstudio.labels.paint.objects.locking import class_must_be_unlocked, must_be_unlocked
from segstudio.labels.paint.objects.parts import Report, changed_tile, whole
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import expanded

__all__ = ["deleted", "merged", "reclassed"]


def merged(document: Document, ids: Collection[ObjectId], report: Report) -> Iterator[Part]:
    """Objects become one, which keeps the lowest id; `report.number` are those that have a pixel."""
    kept = min(ids)
    report.selects.add(kept)
    yield from _recolored(document, dict.fromkeys(ids, int(kept)), report)


def deleted(document: Document, ids: Collection[ObjectId], report: Report) -> Iterator[Part]:
    """The pixels of objects become unknown; `report.number` are the objects that have one."""
    yield from _recolored(document, dict.fromkeys(ids, 0), report)


def _recolored(document: Document, becomes: Mapping[ObjectId, int], report: Report) -> Iterator[Part]:
    count = len(document.class_lookup())
    lookup, wanted, met = np.arange(count, dtype=np.uint32), np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for object_id, after in becomes.items():
        lookup[object_id], wanted[object_id] = after, True

    def parts() -> Iterator[Part]:
        for plane in range(len(document.raster.sizes)):
            for key, tile in tiles_with(document.raster, plane, wanted):
                before, origins = expanded(tile)
                ids = lookup[before]
                report.pixels += int(np.count_nonzero(ids != before))
                met[before] = True
                yield from changed_tile(key, tile, ids, np.where(ids == 0, np.uint8(0), origins))
        report.number = int(np.count_nonzero(met & wanted))

    yield from whole(document, parts())


def reclassed(
    document: Document, classes: ClassTable, ids: Collection[ObjectId], class_id: ClassId, report: Report
) -> Iterator[Part]:
    """Objects become ones of a class; ids without an object are passed over.

    Those of an instance class keep their ids, and no pixel is touched. A class with one object an image takes their
    pixels into that; where it has none yet, the lowest id becomes it. Raises `UserError` where the class, one of the
    objects or its class, or the one that takes them, is locked.
    """
    known, target = sorted(id_ for id_ in set(ids) if id_ in document.objects), classes[class_id]
    class_must_be_unlocked(target)
    must_be_unlocked(document, classes, known)
    if target.kind is Kind.INSTANCE:
        others = [id_ for id_ in known if document.objects[id_] != class_id]
        report.number, report.selects = len(others), set(known)
        yield from (_other_class(document, id_, class_id) for id_ in others)
        return
    single = document.single_object(class_id)
    others = [id_ for id_ in known if id_ != single]
    if not others:
        return
    must_be_unlocked(document, classes, [] if single is None else [single])
    into = others[0] if single is None else single
    report.selects = {into}
    if single is None:
        yield _other_class(document, into, class_id)
    yield from _recolored(document, {id_: int(into) for id_ in others if id_ != into}, report)
    report.number += int(single is None)  # beside those whose pixels it took


def _other_class(document: Document, object_id: ObjectId, class_id: ClassId) -> RowChange:
    return RowChange(Table.OBJECTS, object_id, {"class_id": document.objects[object_id]}, {"class_id": class_id})

"""Objects copied, and pasted into the same place of another plane or image."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import ClassId, ClassTable, ObjectId, Origin
from segstudio.labels.paint.objects.extent import crop_of, extents, ids_in
from segstudio.labels.paint.objects.parts import NewObjects, Painted, Report, painted, whole
from segstudio.labels.paint.objects.rights import permitted
from segstudio.labels.paint.policy import MayTouch, Samples, paintable
from segstudio.labels.tiles.streamed import Part

__all__ = ["CopiedObject", "copied", "pasted"]


@dataclass(frozen=True, slots=True, eq=False)
class CopiedObject:
    """The pixels of one object of a class: those of a rectangle where `mask` (h, w) is True."""

    class_id: ClassId
    rect: Rect
    mask: NDArray[np.bool_]


def copied(document: Document, plane: int, ids: Collection[ObjectId]) -> tuple[CopiedObject, ...]:
    """These objects as they are in a plane, by id. Raises `UserError` for one that is too large."""
    boxes = extents(document.raster, plane, ids, len(document.class_lookup()))
    crops = {object_id: crop_of(document.raster, plane, object_id, box) for object_id, box in boxes.items()}
    return tuple(
        CopiedObject(document.objects[ObjectId(object_id)], crop.rect, crop.mask) for object_id, crop in crops.items()
    )


def pasted(
    document: Document,
    plane: int,
    objects: Collection[CopiedObject],
    classes: ClassTable,
    may: MayTouch,
    report: Report,
    samples: Samples | None = None,
) -> Iterator[Part]:
    """Copies in the same place, as new objects, or, of a class with one object an image, as part of that.

    The policy says what they may cover; `samples` are the image's values, for RANGE. `report.number` are the
    objects pasted, `report.left` those that lost pixels to the image's edge; one of a class that is locked or removed,
    that would extend a locked object, or without a pixel to paint, is passed over.
    """
    made = NewObjects(document)
    single: dict[ClassId, ObjectId] = {}
    allowed: dict[ClassId, Paintable] = {}
    layers: list[Painted] = []
    bounds = document.raster.bounds(plane)
    for copy in objects:
        today = classes.effective(copy.class_id)
        rect = copy.rect.intersected(bounds)
        if today is None or today.locked:
            continue
        x, y = rect.x - copy.rect.x, rect.y - copy.rect.y
        mask = copy.mask[y : y + rect.h, x : x + rect.w]
        report.left += int(np.count_nonzero(mask)) < int(np.count_nonzero(copy.mask))
        if today.id not in allowed:
            extended = document.single_object(today.id) if today.one_object else None
            allowed[today.id] = paintable(document, classes, may, today.id, samples, extended)
        if mask.any():
            mask = permitted(mask, plane, rect, ids_in(document.raster, plane, rect), allowed[today.id])
        if not mask.any():
            continue
        if not today.one_object:
            object_id = made.make(today.id)
        else:
            object_id = single.get(today.id) or document.single_object(today.id) or made.make(today.id)
            single[today.id] = object_id
        report.number += 1
        layers.append(Painted(rect, mask, object_id, Origin.PAINTED))
    report.selects.update(ObjectId(layer.object_id) for layer in layers)
    report.pixels = sum(int(np.count_nonzero(layer.mask)) for layer in layers)
    yield from made.take_rows()
    yield from whole(document, painted(document, plane, layers))

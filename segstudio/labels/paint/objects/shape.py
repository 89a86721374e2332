"""The shape of objects: holes filled, grown, shrunk and smoothed, small parts dropped.

`allowed` says which pixels may be taken, with a table of objects. A distance is one between pixel centres; what lies
beyond the image neither holds an object back nor eats into it.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.document import Document
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import ObjectId, Origin
from segstudio.labels.paint.components import mask_parts
from segstudio.labels.paint.objects.extent import Crop, crop_of, extents
from segstudio.labels.paint.objects.parts import Painted, Report, painted, whole
from segstudio.labels.paint.objects.rights import permitted, sparing
from segstudio.labels.paint.policy import object_at
from segstudio.labels.tiles.streamed import Part

__all__ = ["filled_holes", "grown", "kept_largest", "shrunk", "smoothed", "without_part", "without_small"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """What an object becomes; `areas` numbers its holes or parts (h, w) where those are counted, not objects."""

    mask: Mask
    areas: NDArray[np.int32] | None = None


def filled_holes(
    document: Document, plane: int, ids: Collection[ObjectId], allowed: Paintable, report: Report
) -> Iterator[Part]:
    """What objects enclose, 4-connected and off the image's edge, becomes theirs; `report.number` are the holes of
    which a pixel does."""

    def changed(crop: Crop, _object_id: int) -> _Shape:
        numbers, count = mask_parts(~crop.mask, 4)
        outside = {0, *numbers[[0, -1]].ravel().tolist(), *numbers[:, [0, -1]].ravel().tolist()}
        inside = np.isin(np.arange(count + 1), list(outside), invert=True)
        return _Shape(crop.mask | inside[numbers], numbers)

    yield from _reshaped(document, plane, ids, allowed, 1, changed, report)


def kept_largest(document: Document, plane: int, ids: Collection[ObjectId], report: Report) -> Iterator[Part]:
    """Of each object the largest 8-connected part stays, the others become unknown; `report.number` are those."""
    yield from without_small(document, plane, ids, np.inf, report)


def without_small(
    document: Document, plane: int, ids: Collection[ObjectId], below: float, report: Report
) -> Iterator[Part]:
    """8-connected parts of fewer than `below` pixels become unknown, but for the largest of each object."""

    def changed(crop: Crop, _object_id: int) -> _Shape:
        numbers, _count = mask_parts(crop.mask, 8)
        sizes = np.bincount(numbers.reshape(-1))
        sizes[0] = 0
        stays = sizes >= below
        stays[np.argmax(sizes)] = True
        return _Shape(stays[numbers] & crop.mask, numbers)

    yield from _reshaped(document, plane, ids, None, 0, changed, report)


def without_part(document: Document, plane: int, object_id: ObjectId, x: int, y: int, report: Report) -> Iterator[Part]:
    """The 8-connected part of an object that has the pixel (x, y) becomes unknown; none where it has not that pixel."""

    def changed(crop: Crop, _object_id: int) -> _Shape:
        numbers, _count = mask_parts(crop.mask, 8)
        return _Shape(crop.mask & (numbers != numbers[y - crop.rect.y, x - crop.rect.x]))

    if object_id and object_at(document, x, y, plane) == object_id:
        yield from _reshaped(document, plane, [object_id], None, 0, changed, report)


def grown(
    document: Document, plane: int, ids: Collection[ObjectId], by: int, allowed: Paintable, report: Report
) -> Iterator[Part]:
    """Objects take the pixels within `by` of them; where several would, the nearest does, then the lowest id."""
    lookup = np.zeros(len(document.class_lookup()), np.bool_)
    lookup[list(ids)] = True

    def changed(crop: Crop, object_id: int) -> _Shape:
        others = lookup[crop.ids] & ~crop.mask
        mine = _distance(crop.mask)
        lower, higher = _distance(others & (crop.ids < object_id)), _distance(others & (crop.ids > object_id))
        return _Shape(crop.mask | ((mine <= by) & (mine < lower) & (mine <= higher)))

    yield from _reshaped(document, plane, ids, sparing(allowed, ids), 2 * by, changed, report)


def shrunk(document: Document, plane: int, ids: Collection[ObjectId], by: int, report: Report) -> Iterator[Part]:
    """Objects lose their pixels within `by` of what is not theirs."""

    def changed(crop: Crop, _object_id: int) -> _Shape:
        return _Shape(_eroded(crop.mask, by))

    yield from _reshaped(document, plane, ids, None, by, changed, report)


def smoothed(
    document: Document, plane: int, ids: Collection[ObjectId], by: int, allowed: Paintable, report: Report
) -> Iterator[Part]:
    """Spikes thinner than twice `by` are cut off, then notches as narrow are filled (opened, then closed by a disc).

    An object that is nowhere wider stays as it is; `report.left` counts those.
    """

    def changed(crop: Crop, _object_id: int) -> _Shape:
        opened = _dilated(_eroded(crop.mask, by), by)
        if not opened.any():
            report.left += 1
            return _Shape(crop.mask)
        return _Shape(_eroded(_dilated(opened, by), by))

    yield from _reshaped(document, plane, ids, sparing(allowed, ids), 2 * by, changed, report)


def _reshaped(
    document: Document,
    plane: int,
    ids: Collection[ObjectId],
    allowed: Paintable | None,
    margin: int,
    changed: Callable[[Crop, int], _Shape],
    report: Report,
) -> Iterator[Part]:
    """Give each object the shape that `changed` makes of its crop, as far as the pixels it gains are allowed.

    `report.number` counts the areas, or else the objects, of which a pixel changed.
    """
    lost: list[Painted] = []
    gained: list[Painted] = []
    boxes = extents(document.raster, plane, ids, len(document.class_lookup()))
    # Where two objects gain a pixel the one of the lower id has it: it is painted last.
    for object_id, box in reversed(boxes.items()):
        crop = crop_of(document.raster, plane, object_id, box, margin)
        after = changed(crop, object_id)
        away = crop.mask & ~after.mask
        more = after.mask & ~crop.mask
        more = np.zeros_like(more) if allowed is None else permitted(more, plane, crop.rect, crop.ids, allowed)
        lost += [Painted(crop.rect, away, 0)] if away.any() else []
        gained += [Painted(crop.rect, more, object_id, Origin.PAINTED)] if more.any() else []
        touched = away | more
        report.number += int(touched.any()) if after.areas is None else len(np.unique(after.areas[touched]))
    report.pixels = sum(int(np.count_nonzero(layer.mask)) for layer in (*lost, *gained))
    report.selects.update(ObjectId(object_id) for object_id in boxes)
    yield from whole(document, painted(document, plane, [*lost, *gained]))


def _distance(mask: Mask) -> NDArray[np.float32]:
    """The distance of each pixel to the nearest one of the mask, infinite where it has none."""
    import cv2

    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    found = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(found, np.float32)


def _eroded(mask: Mask, by: int) -> Mask:
    return mask & (_distance(~mask) > by)


def _dilated(mask: Mask, by: int) -> Mask:
    return _distance(mask) <= by

"""Whole-plane changes: write class values into a document as one gesture (import, accept, done).

Semantic classes go to the image's one object of that class; each 8-connected component of an instance class is a
new object.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import ClassId, ClassTable, Origin
from segstudio.labels.policy import effective_lookup
from segstudio.labels.tile import Constant, Tile, frozen, writable_copy

__all__ = ["paint_class_ids", "painted_tile", "unlabelled"]


def paint_class_ids(
    gesture: Gesture,
    document: Document,
    plane: int,
    class_ids: NDArray[np.int32],
    classes: ClassTable,
    origin: Origin,
    *,
    only_unknown: bool = False,
) -> None:
    """Write a plane's class ids (h, w), 0 = leave alone; with `only_unknown` labelled pixels stay as they are.

    Pixels of a class that was merged away get the class it counts as; those of a removed class are left alone.
    Raises ValueError where the array has not the size of the plane, KeyError for a class that was never made.
    """
    bounds = document.raster.bounds(plane)
    if class_ids.shape != (bounds.h, bounds.w):
        raise ValueError(f"class ids {class_ids.shape} for a plane of {bounds.w} x {bounds.h}")
    wanted = _counted_today(class_ids, classes)
    if only_unknown:
        wanted = np.where(unlabelled(document, plane, bounds, classes), wanted, np.int32(0))
    single, instances = _objects_of(wanted, gesture, document, classes)
    for key in document.raster.keys(plane):
        part = tile_rect(*key[1:]).intersected(bounds)
        block = np.s_[part.y : part.bottom, part.x : part.right]
        new = single[wanted[block]]
        if instances is not None:
            new |= instances[block]
        _paint_tile(gesture, document, key, new, origin)


def unlabelled(document: Document, plane: int, rect: Rect, classes: ClassTable | None = None) -> NDArray[np.bool_]:
    """The pixels of a rectangle (h, w) that are unknown; given `classes`, those of removed classes count as unknown."""
    ids, _ = document.raster.read(plane, rect)
    if classes is None or not any(classes.effective(c.id) is None for c in classes.all):
        return ids == 0
    return (effective_lookup(document, classes) == 0)[ids]


def _paint_tile(gesture: Gesture, document: Document, key: TileKey, new: NDArray[np.uint32], origin: Origin) -> None:
    if new.any():
        gesture.replace(key, painted_tile(document.raster.tile(key), new, origin))


def painted_tile(before: Tile, new: NDArray[np.uint32], origin: Origin) -> Tile:
    """The tile with the object ids of its upper left part (h, w) that are not 0 written into it."""
    mask = new != 0
    if not mask.any():
        return before
    if new.shape == (TILE, TILE) and new[0, 0] and (new == new[0, 0]).all():
        return Constant(int(new[0, 0]), int(origin))
    ids, origins = writable_copy(before)
    h, w = new.shape
    np.copyto(ids[:h, :w], new, where=mask)
    np.copyto(origins[:h, :w], np.uint8(origin), where=mask)
    return frozen(ids, origins)


def _counted_today(class_ids: NDArray[np.int32], classes: ClassTable) -> NDArray[np.int32]:
    """Class ids as they count today; the same array where no class in it was merged away or removed."""
    present = _present(class_ids)
    counts_as = np.zeros(max(present, default=0) + 1, np.int32)
    for class_id in present:
        made = classes[class_id]
        today = classes.effective(made.id)
        counts_as[class_id] = 0 if today is None else today.id
    return class_ids if all(counts_as[c] == c for c in present) else counts_as[class_ids]


def _present(class_ids: NDArray[np.int32]) -> list[ClassId]:
    """The class ids that occur, without 0. A band at a time: an index array is widened to 8 bytes a pixel."""
    lowest, highest = int(class_ids.min(initial=0)), int(class_ids.max(initial=0))
    if lowest < 0:
        raise KeyError(lowest)
    found = np.zeros(highest + 1, np.bool_)
    for y in range(0, len(class_ids), TILE):
        found[class_ids[y : y + TILE]] = True
    return [ClassId(int(c)) for c in np.flatnonzero(found) if c]


def _objects_of(
    class_ids: NDArray[np.int32], gesture: Gesture, document: Document, classes: ClassTable
) -> tuple[NDArray[np.uint32], NDArray[np.uint32] | None]:
    """Object id by class id for classes with one object (0 for the others), and by pixel (h, w) for instance classes.

    Makes the objects that lack; the second is None where no instance class occurs.
    """
    present = _present(class_ids)
    single = np.zeros(max(present, default=0) + 1, np.uint32)
    instances: NDArray[np.uint32] | None = None
    for class_id in present:
        if classes[class_id].one_object:
            single[class_id] = document.single_object(class_id) or gesture.new_object(class_id)
            continue
        if instances is None:
            instances = np.zeros(class_ids.shape, np.uint32)
        block, labels, count = _components(class_ids == class_id)
        ids = np.array([0, *(gesture.new_object(class_id) for _ in range(count - 1))], np.uint32)
        instances[block] |= ids[labels]
    return single, instances


def _components(mask: NDArray[np.bool_]) -> tuple[tuple[slice, slice], NDArray[np.int32], int]:
    """The box of the mask, which is not empty, the 8-connected component of each pixel in it, their number plus one."""
    import cv2

    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    block = np.s_[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    count, labels = cv2.connectedComponents(mask[block].astype(np.uint8), connectivity=8)
    return block, labels.astype(np.int32, copy=False), int(count)

"""Whole-plane changes: write class values into a document as one gesture (import, accept, done).

Semantic classes go to the image's one object of that class; each 8-connected component of an instance class is a
new object.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import ClassId, ClassTable, ObjectId, Origin
from segstudio.labels.tile import Constant, frozen, writable_copy

__all__ = ["paint_class_ids"]


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

    Raises ValueError where the array has not the size of the plane.
    """
    bounds = document.raster.bounds(plane)
    if class_ids.shape != (bounds.h, bounds.w):
        raise ValueError(f"class ids {class_ids.shape} for a plane of {bounds.w} x {bounds.h}")
    if only_unknown:
        class_ids = np.where(document.raster.read(plane, bounds)[0] == 0, class_ids, 0)
    objects = _objects_of(class_ids, document, classes, gesture.new_object)
    for key in document.raster.keys(plane):
        part = tile_rect(*key[1:]).intersected(bounds)
        _paint_tile(gesture, document, key, objects[part.y : part.bottom, part.x : part.right], origin)


def _paint_tile(
    gesture: Gesture, document: Document, key: tuple[int, int, int], new: NDArray[np.uint32], origin: Origin
) -> None:
    mask = new != 0
    if not mask.any():
        return
    old = document.raster.tile(key)
    if mask.all() and new.shape == (256, 256) and (new == new[0, 0]).all():
        gesture.replace(key, Constant(int(new[0, 0]), int(origin)))
        return
    ids, origins = writable_copy(old)
    h, w = new.shape
    np.copyto(ids[:h, :w], new, where=mask)
    np.copyto(origins[:h, :w], np.uint8(origin), where=mask)
    gesture.replace(key, frozen(ids, origins))


def _objects_of(
    class_ids: NDArray[np.int32],
    document: Document,
    classes: ClassTable,
    new_object: Callable[[ClassId], ObjectId],
) -> NDArray[np.uint32]:
    """Object id of every pixel (0 where nothing is to be written); makes the objects that lack."""
    present = [ClassId(int(c)) for c in np.unique(class_ids) if c]
    lookup = np.zeros(max(present, default=0) + 1, np.uint32)
    instance = [c for c in present if not classes[c].one_object]
    for class_id in present:
        if class_id not in instance:
            lookup[class_id] = document.single_object(class_id) or new_object(class_id)
    objects = lookup[class_ids]
    for class_id in instance:
        count, labels = _components(class_ids == class_id)
        ids = np.zeros(count, np.uint32)
        ids[1:] = [new_object(class_id) for _ in range(count - 1)]
        objects = np.where(labels > 0, ids[labels], objects)
    return objects


def _components(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]]:
    """Number of labels, 0 included, and the 8-connected component of each pixel (int32)."""
    import cv2

    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return int(count), labels.astype(np.int32, copy=False)


def unlabelled(document: Document, plane: int, rect: Rect) -> NDArray[np.bool_]:
    """The pixels of a rectangle that are unknown."""
    return document.raster.read(plane, rect)[0] == 0

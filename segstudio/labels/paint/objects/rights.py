"""Which objects an operation may change, by object id (0 = unknown), and which pixels it may take."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import ClassTable
from segstudio.labels.paint.policy import MayTouch, Samples, effective_lookup, locked_lookup, paintable

__all__ = ["changeable", "permitted", "separable", "separable_of", "sparing", "takeable"]


def changeable(document: Document, classes: ClassTable) -> NDArray[np.bool_]:
    """Whether its pixels are labelled, and neither it nor its class is locked."""
    return (effective_lookup(document, classes) != 0) & ~locked_lookup(document, classes)


def separable(document: Document, classes: ClassTable) -> NDArray[np.bool_]:
    """Whether it is an object of an instance class, and neither it nor the class is locked."""
    return separable_of(document.class_lookup(), document.lock_lookup(), classes)


def separable_of(class_of: NDArray[np.int32], locked: NDArray[np.bool_], classes: ClassTable) -> NDArray[np.bool_]:
    """The same from the class of each object by id, and whether it is locked by itself; for a worker."""
    wanted = [c.id for c in classes if not c.one_object and not c.locked]
    return np.isin(class_lookup(classes)[class_of], wanted) & ~locked


def takeable(
    document: Document, classes: ClassTable, may: MayTouch, samples: Samples | None = None, *, over: bool
) -> Paintable:
    """Which pixels an object that grows may take: by the policy, and with `over` also those of other instances.

    `samples` are the image's values, for the policy RANGE.
    """
    owner = effective_lookup(document, classes)
    found = paintable(document, classes, may, samples=samples)
    objects = np.ones(len(owner), np.bool_) if found.objects is None else found.objects
    if not over:
        objects = objects & ~np.isin(owner, [c.id for c in classes if not c.one_object])
    return Paintable(objects, found.within)


def sparing(allowed: Paintable, ids: Collection[int]) -> Paintable:
    """The same without the pixels of these objects; `allowed` has a table of objects."""
    assert allowed.objects is not None
    objects = allowed.objects.copy()
    objects[list(ids)] = False
    return Paintable(objects, allowed.within)


def permitted(
    mask: NDArray[np.bool_], plane: int, rect: Rect, ids: NDArray[np.uint32], allowed: Paintable
) -> NDArray[np.bool_]:
    """Those pixels of a mask (h, w) over a rectangle within the plane that may be changed; `ids` are the objects there.

    What `within` says is asked for by tile, and only where there is a pixel to change.
    """
    found = mask.copy() if allowed.objects is None else mask & allowed.objects[ids]
    if allowed.within is None:
        return found
    for place in tiles_of(rect):
        tile = tile_rect(*place)
        part = rect.intersected(tile)
        here = found[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
        within = allowed.within((plane, *place)) if here.any() else None
        if within is not None:
            here &= within[part.y - tile.y : part.bottom - tile.y, part.x - tile.x : part.right - tile.x]
    return found

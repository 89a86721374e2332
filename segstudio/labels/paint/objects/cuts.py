"""Which objects an edit has cut in two: looked at around the edit alone, so that it costs no more than the object."""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.components import mask_parts
from segstudio.labels.paint.objects.extent import ids_in
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import expanded

__all__ = ["cut_objects"]

_MOST_OBJECTS = 16

Mask = NDArray[np.bool_]


def cut_objects(raster: Raster, plane: int, edit: Edit, watched: NDArray[np.bool_], within: Rect) -> set[ObjectId]:
    """Of the watched objects (by id) those that lost pixels in an edit and have more 8-connected parts now.

    The raster is as the edit left it, and is asked for the tiles of `within` alone: an object that reaches beyond is
    not looked at. Nor are more than 16.
    """
    return {
        ObjectId(object_id)
        for object_id, rect in list(_lost(plane, edit, watched).items())[:_MOST_OBJECTS]
        if _is_cut(raster, plane, edit, object_id, rect, within)
    }


def _lost(plane: int, edit: Edit, watched: NDArray[np.bool_]) -> dict[int, Rect]:
    """Where objects lost pixels, by id."""
    found: dict[int, Rect] = {}
    for key, change in edit.tiles.items():
        if key[0] != plane:
            continue
        before, after = expanded(change.before)[0], expanded(change.after)[0]
        gone = np.where((before != after) & watched[np.minimum(before, len(watched) - 1)], before, np.uint32(0))
        for object_id, box in boxes_of(gone).items():
            moved = box.moved(key[2] * TILE, key[1] * TILE)
            found[object_id] = found[object_id].united(moved) if object_id in found else moved
    return found


def _is_cut(raster: Raster, plane: int, edit: Edit, object_id: int, rect: Rect, within: Rect) -> bool:
    bounds = raster.bounds(plane)
    box = rect.grown(1).intersected(within)
    while True:
        after = ids_in(raster, plane, box) == object_id
        wider = _reaching(box, after).intersected(bounds)
        if wider == box:
            parts = mask_parts(after)[1]
            return parts > 1 and parts > mask_parts(after | _before(plane, edit, object_id, box))[1]
        if wider.intersected(within) == box:
            return False
        box = wider.intersected(within)


def _reaching(box: Rect, mask: Mask) -> Rect:
    """The box, a tile wider on each side that the object touches."""
    left, right = TILE * bool(mask[:, 0].any()), TILE * bool(mask[:, -1].any())
    top, bottom = TILE * bool(mask[0].any()), TILE * bool(mask[-1].any())
    return Rect(box.x - left, box.y - top, box.w + left + right, box.h + top + bottom)


def _before(plane: int, edit: Edit, object_id: int, box: Rect) -> Mask:
    """The object's pixels within a box before the edit, in the tiles that it changed."""
    mask = np.zeros((box.h, box.w), np.bool_)
    for key, change in edit.tiles.items():
        tile = tile_rect(*key[1:])
        part = tile.intersected(box)
        if key[0] == plane and not part.empty:
            ids = expanded(change.before)[0]
            inside = ids[part.y - tile.y : part.bottom - tile.y, part.x - tile.x : part.right - tile.x]
            mask[part.y - box.y : part.bottom - box.y, part.x - box.x : part.right - box.x] = inside == object_id
    return mask

"""Tiles as they will be once a region is painted, computed away from the document: what makes a large area wait for no
event. Pure functions; `Gesture.replace` puts the tiles in place.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, tile_rect
from segstudio.labels.edit import TileChange, TileKey
from segstudio.labels.gesture import Paintable
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, Tile, expanded, frozen

__all__ = ["painted_tiles"]

Mask = NDArray[np.bool_]


def painted_tiles(
    raster: Raster,
    plane: int,
    region: Region,
    target: Constant,
    paintable: Paintable,
    cancelled: Callable[[], bool] = lambda: False,
) -> Mapping[TileKey, TileChange]:
    """The tiles that change where the region's pixels become `target`; what lies beyond the image stays empty.

    `raster` is a copy that nobody else uses. Where `cancelled` becomes true the result is incomplete.
    """
    changes: dict[TileKey, TileChange] = {}
    for place, mask in region.tiles.items():
        if cancelled():
            break
        key = (plane, *place)
        part = tile_rect(*place).intersected(raster.bounds(plane))
        if part.empty:
            continue
        before = raster.tile(key)
        within = None if paintable.within is None else paintable.within(key)
        masks = [_cut(mask, part.w, part.h), within, _free(paintable.objects, before)]
        after = _painted(before, [one for one in masks if one is not None], target)
        if after is not before:
            changes[key] = TileChange(before, after)
    return changes


def _painted(tile: Tile, masks: list[Mask], target: Constant) -> Tile:
    """The tile with `target` where every mask is True; the same object where nothing changes."""
    if tile == target:
        return tile
    if not masks:
        return target
    allowed = masks[0] if len(masks) == 1 else np.logical_and.reduce(masks)
    if not allowed.any():
        return tile
    ids, origins = expanded(tile)
    return frozen(np.where(allowed, np.uint32(target.id), ids), np.where(allowed, np.uint8(target.origin), origins))


def _free(objects: Mask | None, tile: Tile) -> Mask | None:
    """Whether a tile's pixels may change, by the table of objects; those newer than it may. None = all of them."""
    if objects is None:
        return None
    ids = expanded(tile)[0]
    known = ids < len(objects)
    free = objects[np.where(known, ids, 0)] | ~known
    return None if free.all() else free


def _cut(mask: Mask | None, width: int, height: int) -> Mask | None:
    """The mask without what lies beyond the image."""
    if width == TILE and height == TILE:
        return mask
    inside = np.zeros((TILE, TILE), np.bool_)
    inside[:height, :width] = True if mask is None else mask[:height, :width]
    return inside

"""Where objects lie: their boxes in a plane and the pixels within them, found tile by tile."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.tiles.raster import Raster, read_tiles
from segstudio.labels.tiles.tile import Constant, Tile
from segstudio.text import _

__all__ = ["Crop", "crop_of", "extents", "ids_in", "ids_within", "tiles_with"]

_LARGEST_BOX_PX = 1 << 27
"""What is computed for one object at once: some 11,000 pixels square, a few bytes for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """An object within a rectangle of its plane: `ids` are all objects there (h, w), `mask` its pixels."""

    rect: Rect
    ids: NDArray[np.uint32]
    mask: NDArray[np.bool_]


def tiles_with(raster: Raster, plane: int, wanted: NDArray[np.bool_]) -> Iterator[tuple[TileKey, Tile]]:
    """The tiles of a plane that hold a pixel of a wanted object; `wanted` is indexed by id."""
    for key in raster.held(plane):
        tile = raster.glance(key)
        if bool(wanted[tile.id] if isinstance(tile, Constant) else wanted[tile.ids].any()):
            yield key, tile


def extents(raster: Raster, plane: int, ids: Collection[int], count: int) -> dict[int, Rect]:
    """The box of each of these objects that has a pixel in the plane; every id is below `count`."""
    wanted = _wanted(ids, count)
    boxes: dict[int, Rect] = {}
    for key, tile in tiles_with(raster, plane, wanted):
        rect = tile_rect(*key[1:]).intersected(raster.bounds(plane))
        here = read_tiles({key[1:]: tile}, rect)[0]
        for object_id, box in boxes_of(np.where(wanted[here], here, np.uint32(0))).items():
            moved = box.moved(rect.x, rect.y)
            boxes[object_id] = boxes[object_id].united(moved) if object_id in boxes else moved
    return dict(sorted(boxes.items()))


def crop_of(raster: Raster, plane: int, object_id: int, box: Rect, margin: int = 0) -> Crop:
    """An object and its neighbours within its box, grown by a margin as far as the image goes.

    Raises `UserError` where that is too large to be computed at once.
    """
    rect = box.grown(margin).intersected(raster.bounds(plane))
    if rect.area > _LARGEST_BOX_PX:
        raise UserError(
            _("This object is too large: {w} x {h} px.", w=rect.w, h=rect.h), safe=_("Nothing was changed.")
        )
    ids = ids_in(raster, plane, rect)
    return Crop(rect, ids, ids == object_id)


def ids_in(raster: Raster, plane: int, rect: Rect) -> NDArray[np.uint32]:
    """Object ids (h, w) of a rectangle within the plane; no tile is kept in memory for that."""
    return read_tiles({(ty, tx): raster.glance((plane, ty, tx)) for ty, tx in tiles_of(rect)}, rect)[0]


def ids_within(raster: Raster, plane: int, rect: Rect) -> set[int]:
    """The objects that have a pixel in a rectangle; read tile by tile."""
    found: set[int] = set()
    for ty, tx in tiles_of(rect.intersected(raster.bounds(plane))):
        tile = raster.glance((plane, ty, tx))
        if isinstance(tile, Constant):
            found.add(tile.id)
        else:
            part = rect.intersected(tile_rect(ty, tx))
            found.update(np.unique(read_tiles({(ty, tx): tile}, part)[0]).tolist())
    return found - {0}


def _wanted(ids: Collection[int], count: int) -> NDArray[np.bool_]:
    wanted = np.zeros(count, np.bool_)
    wanted[list(ids)] = True
    return wanted

"""The live raster of one image: a cache of tiles over the store, by plane.

Tiles that are not in memory are fetched by the given loader at their first use. Only one thread may use a raster.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.tile import EMPTY, Constant, Tile, expanded

__all__ = ["Raster", "read_tiles"]

Size = tuple[int, int]


class Raster:
    """Tiles by (plane, ty, tx); `sizes` are (width, height) of each plane in pixels."""

    def __init__(self, sizes: Sequence[Size], load: Callable[[TileKey], Tile] | None = None) -> None:
        self.sizes = tuple(sizes)
        self._tiles: dict[TileKey, Tile] = {}
        self._load = load

    def bounds(self, plane: int) -> Rect:
        """The pixels of a plane."""
        return Rect(0, 0, *self.sizes[plane])

    def tile(self, key: TileKey) -> Tile:
        """The tile of this key; `EMPTY` where nothing is labelled."""
        found = self._tiles.get(key)
        if found is None:
            found = self._tiles[key] = EMPTY if self._load is None else self._load(key)
        return found

    def put(self, key: TileKey, tile: Tile) -> None:
        """Replace a tile."""
        self._tiles[key] = tile

    def prime(self, tiles: Mapping[TileKey, Tile]) -> None:
        """Take in tiles read in bulk; those already in memory stay."""
        for key, tile in tiles.items():
            self._tiles.setdefault(key, tile)

    def stop_loading(self) -> None:
        """From now on a tile that is not in memory is `EMPTY`: everything was primed."""
        self._load = None

    def keys(self, plane: int) -> Iterator[TileKey]:
        """Every tile of a plane, row by row, in memory or not."""
        return ((plane, ty, tx) for ty, tx in tiles_of(self.bounds(plane)))

    def in_memory(self) -> Mapping[TileKey, Tile]:
        """The tiles that are in memory."""
        return self._tiles

    def read(self, plane: int, rect: Rect) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Ids (uint32) and origins (uint8) of a rectangle as fresh arrays (h, w); zero outside the image."""
        inside = rect.intersected(self.bounds(plane))
        keys = ((plane, ty, tx) for ty, tx in tiles_of(inside))
        return read_tiles({key[1:]: self.tile(key) for key in keys}, rect)


def read_tiles(tiles: Mapping[tuple[int, int], Tile], rect: Rect) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Ids and origins of a rectangle of (ty, tx) -> tile as fresh arrays (h, w); tiles that lack are zero."""
    ids = np.zeros((rect.h, rect.w), np.uint32)
    origins = np.zeros((rect.h, rect.w), np.uint8)
    for ty, tx in tiles_of(rect):
        tile = tiles.get((ty, tx), EMPTY)
        if tile == EMPTY:
            continue
        part = rect.intersected(tile_rect(ty, tx))
        target = np.s_[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
        if isinstance(tile, Constant):
            ids[target], origins[target] = tile.id, tile.origin
        else:
            tile_ids, tile_origins = expanded(tile)
            source = np.s_[part.y - ty * TILE : part.bottom - ty * TILE, part.x - tx * TILE : part.right - tx * TILE]
            ids[target], origins[target] = tile_ids[source], tile_origins[source]
    return ids, origins

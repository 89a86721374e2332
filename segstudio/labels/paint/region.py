"""Any set of pixels of one plane, by label tile: what fills, shapes and object tools hand to a gesture. Pure values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of

__all__ = ["Place", "Region"]

Place = tuple[int, int]
"""A tile (ty, tx) of a plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """`tiles` maps (ty, tx) to a bool mask (TILE, TILE), or to None where every pixel of the tile belongs to it.

    A tile without a pixel is left out. What lies beyond the image is passed over by whoever paints it.
    """

    tiles: Mapping[Place, NDArray[np.bool_] | None]

    @classmethod
    def of_rect(cls, rect: Rect) -> "Region":
        """Every pixel of a rectangle."""
        tiles: dict[Place, NDArray[np.bool_] | None] = {}
        for place in tiles_of(rect):
            part = rect.intersected(tile_rect(*place))
            if part.area == TILE * TILE:
                tiles[place] = None
            else:
                mask = np.zeros((TILE, TILE), np.bool_)
                mask[_within(part, place)] = True
                tiles[place] = mask
        return cls(tiles)

    @classmethod
    def of_tiles(cls, tiles: Iterable[tuple[Place, NDArray[np.bool_]]]) -> "Region":
        """Masks (TILE, TILE) by tile; full ones become None, empty ones are left out."""
        kept = ((place, mask) for place, mask in tiles if mask.any())
        return cls({place: None if mask.all() else mask for place, mask in kept})

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return not self.tiles

    @property
    def area(self) -> int:
        """Number of pixels."""
        return sum(TILE * TILE if mask is None else int(np.count_nonzero(mask)) for mask in self.tiles.values())

    @property
    def bounds(self) -> Rect:
        """The smallest rectangle around all pixels."""
        found = Rect(0, 0, 0, 0)
        for place, mask in self.tiles.items():
            found = found.united(_bounds(place, mask))
        return found

    def mask(self, rect: Rect) -> NDArray[np.bool_]:
        """Whether each pixel (h, w) of a rectangle belongs to it."""
        out = np.zeros((rect.h, rect.w), np.bool_)
        for place in tiles_of(rect):
            if place in self.tiles:
                tile, part = self.tiles[place], rect.intersected(tile_rect(*place))
                target = np.s_[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
                out[target] = True if tile is None else tile[_within(part, place)]
        return out


def _within(part: Rect, place: Place) -> tuple[slice, slice]:
    """The index of a part of a tile in the tile's arrays."""
    y, x = place[0] * TILE, place[1] * TILE
    return np.s_[part.y - y : part.bottom - y, part.x - x : part.right - x]


def _bounds(place: Place, mask: NDArray[np.bool_] | None) -> Rect:
    if mask is None:
        return tile_rect(*place)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    inner = Rect(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    return inner.moved(place[1] * TILE, place[0] * TILE)

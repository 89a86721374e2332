"""Regions of plain masks, for tests."""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.paint.region import Region

__all__ = ["region_of"]


def region_of(rect: Rect, mask: NDArray[np.bool_]) -> Region:
    """The pixels of a rectangle where a mask (h, w) is True."""
    tiles = {place: np.zeros((TILE, TILE), np.bool_) for place in tiles_of(rect)}
    for place, tile in tiles.items():
        whole = tile_rect(*place)
        part = rect.intersected(whole)
        inside = mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
        tile[part.y - whole.y : part.bottom - whole.y, part.x - whole.x : part.right - whole.x] = inside
    return Region.of_tiles(tiles.items())

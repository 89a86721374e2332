"""A tile of labels: 256 x 256 object ids and origins, constant or dense. Immutable values.

A tile that a raster does not have is `EMPTY`: all unknown.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect

__all__ = [
    "EMPTY",
    "EMPTY_DIGEST",
    "Constant",
    "Dense",
    "Tile",
    "changed_rect",
    "digest",
    "expanded",
    "frozen",
    "same",
    "writable_copy",
]

Ids = NDArray[np.uint32]
Origins = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Constant:
    """Every pixel has the same object and origin."""

    id: int
    origin: int


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Object ids uint32 and origins uint8, each (256, 256), read-only."""

    ids: Ids
    origins: Origins


Tile = Constant | Dense

EMPTY = Constant(0, 0)


_WHOLE = Rect(0, 0, TILE, TILE)


def frozen(ids: Ids, origins: Origins, within: Rect = _WHOLE) -> Tile:
    """The tile of these arrays, which it takes over and makes read-only; constant where every pixel is the same.

    `within`, a hint, is where they were written, counted from the tile's corner.
    """
    first, row, column = ids[0, 0], within.y + within.h // 2, within.x + within.w // 2
    # The middle of what was written, and a corner, tell most dense tiles without reading them.
    if (
        ids[row, column] == first
        and ids[-1, -1] == first
        and bool((ids[row] == first).all())
        and bool((ids == first).all())
        and bool((origins == (first_origin := origins[0, 0])).all())
    ):
        return Constant(int(first), int(first_origin))
    ids.setflags(write=False)
    origins.setflags(write=False)
    return Dense(ids, origins)


def expanded(tile: Tile) -> tuple[Ids, Origins]:
    """Ids and origins of a tile as (256, 256) arrays, read-only for a dense tile; do not write them."""
    if isinstance(tile, Dense):
        return tile.ids, tile.origins
    return _constant_arrays(tile.id, tile.origin)


def writable_copy(tile: Tile) -> tuple[Ids, Origins]:
    """Fresh arrays of a tile's content."""
    if isinstance(tile, Dense):
        return tile.ids.copy(), tile.origins.copy()
    return np.full((TILE, TILE), tile.id, np.uint32), np.full((TILE, TILE), tile.origin, np.uint8)


@lru_cache(maxsize=16)  # 320 KiB each
def _constant_arrays(id_: int, origin: int) -> tuple[Ids, Origins]:
    ids = np.full((TILE, TILE), id_, np.uint32)
    origins = np.full((TILE, TILE), origin, np.uint8)
    ids.setflags(write=False)
    origins.setflags(write=False)
    return ids, origins


_CORNERS = np.s_[:: TILE - 1, :: TILE - 1]


def same(a: Tile, b: Tile, within: Rect | None = None) -> bool:
    """Whether two tiles hold the same pixels; `within`: they are known to, outside these rows of the tile."""
    if a is b:
        return True
    if isinstance(a, Constant) and isinstance(b, Constant):
        return a == b
    (ids_a, origins_a), (ids_b, origins_b) = expanded(a), expanded(b)
    if within is None and not np.array_equal(ids_a[_CORNERS], ids_b[_CORNERS]):
        return False  # the corners tell most tiles apart without reading the rest
    rows = slice(None) if within is None else slice(within.y, within.bottom)
    return _equal(ids_a[rows], ids_b[rows]) and _equal(origins_a[rows], origins_b[rows])


def _equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays of whole rows of a tile hold the same."""
    return bool((_words(a) == _words(b)).all())


def _words(array: NDArray[Any]) -> NDArray[np.uint64]:
    """Eight bytes at once: what is compared comes from memory that is not in a cache."""
    return np.ascontiguousarray(array).view(np.uint64)


def changed_rect(a: Tile, b: Tile) -> Rect:
    """A rectangle, counted from the tile's corner, around every pixel that is another object's in `b` than in `a`.

    Its left and right edges are even; empty where only origins differ.
    """
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Rect(0, 0, 0, 0) if a.id == b.id else Rect(0, 0, TILE, TILE)
    differ = _words(expanded(a)[0]) != _words(expanded(b)[0])
    rows = np.flatnonzero(differ.any(axis=1))
    if len(rows) == 0:
        return Rect(0, 0, 0, 0)
    columns = np.flatnonzero(differ[rows[0] : rows[-1] + 1].any(axis=0))
    x, y = 2 * int(columns[0]), int(rows[0])
    return Rect(x, y, 2 * int(columns[-1]) + 2 - x, int(rows[-1]) + 1 - y)


def digest(tile: Tile) -> bytes:
    """sha256 of the raw content: 65,536 ids (uint32 little-endian), then the origins, constants expanded."""
    if isinstance(tile, Constant):
        return _constant_digest(tile.id, tile.origin)
    return _digest(tile.ids, tile.origins)


@lru_cache(maxsize=1024)
def _constant_digest(id_: int, origin: int) -> bytes:
    return _digest(*_constant_arrays(id_, origin))


def _digest(ids: Ids, origins: Origins) -> bytes:
    hasher = hashlib.sha256(np.ascontiguousarray(ids, "<u4").data)
    hasher.update(np.ascontiguousarray(origins).data)
    return hasher.digest()


EMPTY_DIGEST = digest(EMPTY)

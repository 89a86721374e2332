"""What a tile's change does to the objects in it: pixels by object and origin, area and box. Pure array functions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE
from segstudio.labels.tiles.tile import Constant, Tile, expanded

__all__ = ["Extent", "TileEffect", "extents", "tile_effect"]

_PIXELS = TILE * TILE
_ORIGINS = 8
"""Stride of the combined key object * 8 + origin."""
_COUNTED_BELOW = 1 << 19
"""Keys below this are counted by address, larger ones by sorting."""
_FEW = 8
"""Up to this many objects, searching for each is faster than sorting the tile."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Extent:
    """Pixels of an object in a tile, and their box within the tile: x0 <= x < x1, y0 <= y < y1."""

    area: int
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class TileEffect:
    """Pixels gained (or lost) by (object, origin), the new extent of every object whose pixels changed (None: gone
    from the tile), and how many pixels changed object or origin."""

    gained: Mapping[tuple[int, int], int]
    extents: Mapping[int, Extent | None]
    changed: int


def tile_effect(before: Tile, after: Tile) -> TileEffect:
    """The effect of a change; about a millisecond for a dense tile, nothing for constants."""
    if isinstance(before, Constant) and isinstance(after, Constant):
        return _constant_effect(before, after)
    (ids_b, origins_b), (ids_a, origins_a) = expanded(before), expanded(after)
    moved = ids_b != ids_a
    changed = moved | (origins_b != origins_a)
    gained: dict[tuple[int, int], int] = {}
    for ids, origins, sign in ((ids_b, origins_b, -1), (ids_a, origins_a, 1)):
        keys = ids[changed].astype(np.uint64) * _ORIGINS + origins[changed]
        for key, count in _histogram(keys).items():
            id_, origin = divmod(key, _ORIGINS)
            if id_:
                gained[id_, origin] = gained.get((id_, origin), 0) + sign * count
    touched = _distinct(ids_b[moved]) | _distinct(ids_a[moved])
    found = extents(after, touched)
    return TileEffect(
        {key: count for key, count in gained.items() if count},
        {id_: found.get(id_) for id_ in touched},
        int(np.count_nonzero(changed)),
    )


def _constant_effect(before: Constant, after: Constant) -> TileEffect:
    if before == after:
        return TileEffect({}, {}, 0)
    gained = {(c.id, c.origin): sign * _PIXELS for c, sign in ((before, -1), (after, 1)) if c.id}
    moved: dict[int, Extent | None] = {}
    if before.id != after.id:
        if before.id:
            moved[before.id] = None
        if after.id:
            moved[after.id] = Extent(_PIXELS, 0, 0, TILE, TILE)
    return TileEffect(gained, moved, _PIXELS)


def _histogram(keys: Keys) -> dict[int, int]:
    if not len(keys):
        return {}
    if int(keys.max()) < _COUNTED_BELOW:
        counts = np.bincount(keys.astype(np.int64))
        found = np.flatnonzero(counts)
        return dict(zip(found.tolist(), counts[found].tolist(), strict=True))
    values, counts = np.unique(keys, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _distinct(ids: NDArray[np.uint32]) -> set[int]:
    return set(_histogram(ids.astype(np.uint64))) - {0}


def extents(tile: Tile, objects: set[int]) -> dict[int, Extent]:
    """Extents of those of the given objects that have pixels in a tile."""
    if isinstance(tile, Constant):
        return {tile.id: Extent(_PIXELS, 0, 0, TILE, TILE)} if tile.id in objects else {}
    if len(objects) <= _FEW:
        found = {id_: _extent(tile.ids == id_) for id_ in objects}
        return {id_: extent for id_, extent in found.items() if extent is not None}
    return _sorted_extents(tile.ids.ravel(), objects)


def _extent(mask: NDArray[np.bool_]) -> Extent | None:
    ys = np.flatnonzero(mask.any(1))
    if not len(ys):
        return None
    xs = np.flatnonzero(mask.any(0))
    return Extent(int(np.count_nonzero(mask)), int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)


def _sorted_extents(ids: NDArray[np.uint32], objects: set[int]) -> dict[int, Extent]:
    wanted = np.flatnonzero(np.isin(ids, np.fromiter(objects, np.uint32)))
    if not len(wanted):
        return {}
    labels = ids[wanted]
    order = np.argsort(labels, kind="stable")
    at, labels = wanted[order], labels[order]
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    ends = np.append(starts[1:], len(labels))
    ys, xs = at // TILE, at % TILE
    # The order is stable, so within an object rows rise.
    columns = zip(
        labels[starts].tolist(),
        (ends - starts).tolist(),
        np.minimum.reduceat(xs, starts).tolist(),
        ys[starts].tolist(),
        np.maximum.reduceat(xs, starts).tolist(),
        ys[ends - 1].tolist(),
        strict=True,
    )
    return {id_: Extent(area, x0, y0, x1 + 1, y1 + 1) for id_, area, x0, y0, x1, y1 in columns}

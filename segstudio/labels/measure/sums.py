"""Sums over objects, tile by tile: what a stroke changed is measured again in its own tiles, the rest is added up.

Pure functions of arrays. A tile of 65,536 pixels takes one or two milliseconds, whatever it holds; 100,000 objects in
1,600 tiles are added up in some 50.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.model import Origin
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile, expanded

__all__ = ["ORIGINS", "Sums", "added", "tile_sums"]

ORIGINS = len(Origin)
"""Columns of the pixels by origin; column n is origin n."""

_SPARSE = 1 << 20
"""Ids up to this far apart are told apart by address, others by sorting."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Of n objects by rising id, with c channels: `ids` uint32 (n,), `boxes` int32 (n, 4) as x0, y0, x1, y1 (x1 and y1
    just outside), `origins` int64 (n, ORIGINS) pixels by origin, `sums` float64 (n, c) of the image's values and
    `counts` int64 (n, c) of how many: NaN and infinite values are left out of both.
    """

    ids: NDArray[np.uint32]
    boxes: NDArray[np.int32]
    origins: NDArray[np.int64]
    sums: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def none(cls, channels: int) -> "Sums":
        """Those of no object."""
        return cls(
            np.zeros(0, np.uint32),
            np.zeros((0, 4), np.int32),
            np.zeros((0, ORIGINS), np.int64),
            np.zeros((0, channels), np.float64),
            np.zeros((0, channels), np.int64),
        )

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each object (n,)."""
        return self.origins.sum(axis=1)


def tile_sums(tile: Tile, part: Rect, samples: NDArray[Any]) -> Sums:
    """The sums of one tile. `part` are its pixels within the image, `samples` (part.h, part.w, c) the values there."""
    channels = samples.shape[2]
    if tile == EMPTY or part.empty:
        return Sums.none(channels)
    if isinstance(tile, Constant):
        ids, places = np.array([tile.id], np.uint32), np.zeros((part.h, part.w), np.intp)
        origins = np.full((part.h, part.w), tile.origin, np.uint8)
    else:
        held = np.s_[part.y % TILE : part.y % TILE + part.h, part.x % TILE : part.x % TILE + part.w]
        pixels, made = expanded(tile)
        origins = made[held]
        ids, places = _ranked(pixels[held])
    flat = places.reshape(-1)
    by_origin = np.bincount(flat * ORIGINS + origins.reshape(-1), minlength=len(ids) * ORIGINS)
    found = Sums(
        ids,
        _boxes(places, len(ids)) + np.array([part.x, part.y, part.x, part.y], np.int32),
        by_origin.reshape(len(ids), ORIGINS),
        *_values(flat, len(ids), samples),
    )
    return _chosen(found, ids != 0)


def added(parts: Iterable[Sums], channels: int, keys: NDArray[np.uint32] | None = None) -> Sums:
    """The sums of all parts together. With `keys`, the id under which each object of the one part is counted."""
    held = [part for part in parts if len(part.ids)]
    if not held:
        return Sums.none(channels)
    ids = np.concatenate([part.ids for part in held]) if keys is None else keys
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    boxes = np.concatenate([part.boxes for part in held])[order]
    low = np.minimum.reduceat(boxes[:, :2], starts)
    high = np.maximum.reduceat(boxes[:, 2:], starts)
    origins, sums, counts = (
        np.add.reduceat(np.concatenate([getattr(part, name) for part in held])[order], starts)
        for name in ("origins", "sums", "counts")
    )
    return Sums(ids[starts], np.concatenate([low, high], axis=1), origins, sums, counts)


def _ranked(ids: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """The ids that occur, rising, and for each pixel the place of its id among them."""
    low, high = int(ids.min()), int(ids.max())
    if high - low >= _SPARSE:
        values, places = np.unique(ids, return_inverse=True)
        return values, places.reshape(ids.shape)
    near = ids - np.uint32(low)
    there = np.zeros(high - low + 1, np.bool_)
    there[near] = True
    values = np.flatnonzero(there)
    rank = np.zeros(len(there), np.intp)
    rank[values] = np.arange(len(values))
    return (values + low).astype(np.uint32), rank[near]


def _boxes(places: NDArray[np.intp], count: int) -> NDArray[np.int32]:
    """Boxes (count, 4) of the places of a small array, which all occur."""
    h, w = places.shape
    boxes = np.empty((count, 4), np.int32)
    for side, extent in ((0, w), (1, h)):
        index = np.arange(extent, dtype=np.intp) if side == 0 else np.arange(extent, dtype=np.intp)[:, None]
        there = np.zeros(extent * count, np.bool_)
        there[index * count + places] = True
        hit = there.reshape(extent, count)
        boxes[:, side] = hit.argmax(axis=0)
        boxes[:, side + 2] = extent - hit[::-1].argmax(axis=0)
    return boxes


def _values(flat: NDArray[np.intp], count: int, samples: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    channels = samples.shape[2]
    sums, counts = np.zeros((count, channels), np.float64), np.zeros((count, channels), np.int64)
    whole = np.bincount(flat, minlength=count) if channels else np.zeros(count, np.int64)
    for channel in range(channels):
        values = samples[..., channel].reshape(-1).astype(np.float64)
        counts[:, channel] = whole
        if samples.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
            counts[:, channel] = np.bincount(flat[finite], minlength=count)
            values = np.where(finite, values, 0.0)
        sums[:, channel] = np.bincount(flat, weights=values, minlength=count)
    return sums, counts


def _chosen(sums: Sums, which: NDArray[np.bool_]) -> Sums:
    if which.all():
        return sums
    return Sums(sums.ids[which], sums.boxes[which], sums.origins[which], sums.sums[which], sums.counts[which])

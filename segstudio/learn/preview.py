"""One held-out image as a run measures it, reduced: the picture, what people labelled, and what is predicted now.

It is made of the tiles that are measured anyway, so that nothing goes through the network for it.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import ByChannel, Dataset, PlaneEntry
from segstudio.learn.gate import HeldOut, HeldOutTile
from segstudio.learn.split import inside_blocks
from segstudio.runs import HeldOutPicture

__all__ = ["LARGEST_PX", "Preview"]

LARGEST_PX = 256
_MOST_READ_PX = 1 << 22
"""Tiles farther apart are not shown in one picture: one of them is."""


class Preview:
    """Takes in tiles as they are measured (`see`), and has the picture of them (`picture`).

    The image is the first by a hash of its path: the same in every run that measures it.
    """

    def __init__(self, data: Dataset, target: HeldOut, levels: ByChannel) -> None:
        self._data, self._levels = data, levels
        self._classes = np.array([0, *(id_ for id_, _name in target.classes)], np.uint16)
        tiles = _chosen(target)
        self._tiles = {(tile.entry.image, tile.entry.plane, tile.ty, tile.tx) for tile in tiles}
        self._entry: PlaneEntry | None = tiles[0].entry if tiles else None
        self._rect = _around(tiles)
        self._stride = max(1, -(-max(self._rect.w, self._rect.h) // LARGEST_PX))
        w, h = (-(-side // self._stride) for side in (self._rect.w, self._rect.h))
        self._truth, self._predicted = np.zeros((h, w), np.uint16), np.zeros((h, w), np.uint16)
        self._image: bytes | None = None
        self._seen = False

    def see(self, tile: HeldOutTile, truth: NDArray[np.int64], best: NDArray[np.int64]) -> None:
        """Take in a measured tile: place in the classes of each pixel, -1 for none, in the truth and as predicted."""
        if (tile.entry.image, tile.entry.plane, tile.ty, tile.tx) not in self._tiles:
            return
        self._seen = True
        step, rect = self._stride, tile.rect
        top, left = (self._rect.y - rect.y) % step, (self._rect.x - rect.x) % step
        y, x = (rect.y + top - self._rect.y) // step, (rect.x + left - self._rect.x) // step
        if tile.blocks is not None:
            inside = inside_blocks(tile.blocks, rect)
            best = np.where(inside, best, -1) if inside is not None else np.full_like(best, -1)
        for into, places in ((self._truth, truth), (self._predicted, best)):
            reduced = self._classes[places[top::step, left::step] + 1]
            into[y : y + reduced.shape[0], x : x + reduced.shape[1]] = reduced

    def picture(self, step: int) -> HeldOutPicture | None:
        """The picture after a step; None before anything was seen. Raises `UnreadableImage`."""
        if self._entry is None or not self._seen:
            return None
        if self._image is None:
            self._image = self._read(self._entry)
        h, w = self._truth.shape
        return HeldOutPicture(
            step=step,
            path=self._entry.path,
            plane=self._entry.plane,
            width=w,
            height=h,
            image=self._image,
            truth=self._truth.astype("<u2").tobytes(),
            predicted=self._predicted.astype("<u2").tobytes(),
        )

    def _read(self, entry: PlaneEntry) -> bytes:
        """The pixels (h, w, 3), uint8, as the network sees them."""
        step = self._stride
        pixels = self._data.pixels(entry.image, entry.plane, self._rect, self._levels)
        shown = pixels[::step, ::step, : 3 if pixels.shape[2] >= 3 else 1]
        return np.ascontiguousarray(
            np.broadcast_to((shown.clip(0, 1) * 255).round().astype(np.uint8), (*shown.shape[:2], 3))
        ).tobytes()


def _chosen(target: HeldOut) -> list[HeldOutTile]:
    """The tiles of one plane, those of the first by a hash; one of them where they lie far apart."""
    planes: dict[tuple[str, int], list[HeldOutTile]] = {}
    for tile in target.tiles:
        planes.setdefault((tile.entry.path, tile.entry.plane), []).append(tile)
    if not planes:
        return []
    first = min(planes, key=lambda key: hashlib.sha256(f"picture:{key[0]}:{key[1]}".encode()).digest())
    tiles = planes[first]
    return tiles if _around(tiles).area <= _MOST_READ_PX else tiles[:1]


def _around(tiles: list[HeldOutTile]) -> Rect:
    """The smallest rectangle that holds all of them."""
    if not tiles:
        return Rect(0, 0, 0, 0)
    rects = [tile.rect for tile in tiles]
    x, y = min(r.x for r in rects), min(r.y for r in rects)
    return Rect(x, y, max(r.right for r in rects) - x, max(r.bottom for r in rects) - y)

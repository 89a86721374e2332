"""Reduced levels of an open image for views that show it small: level n is 2**n times smaller, box filtered."""

import threading
from collections import OrderedDict

import numpy as np

from segstudio.geometry import Rect
from segstudio.imaging.source import ImageSource, Pixels

__all__ = ["Pyramid", "halved", "level_for", "level_size"]

_BUDGET_BYTES = 256 << 20


def level_size(width: int, height: int, level: int) -> tuple[int, int]:
    """Width and height of a level; a last odd row or column makes a pixel of its own."""
    return -(-width >> level) or 1, -(-height >> level) or 1


def level_for(scale: float) -> int:
    """The level to draw from at a scale (view pixels for one image pixel): the smallest one that is not enlarged."""
    level = 0
    while scale * 2 ** (level + 1) <= 1.0:
        level += 1
    return level


def halved(pixels: Pixels) -> Pixels:
    """Samples (h, w, c) at half the size, each the mean of 2 x 2; an odd edge counts twice. Same dtype."""
    import cv2

    h, w, c = pixels.shape
    if h % 2 or w % 2:
        pixels = np.pad(pixels, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    known = pixels.dtype in (np.uint8, np.uint16, np.int16, np.float32, np.float64) and c <= 4
    if known:
        small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
        return small.reshape(size[1], size[0], c)
    mean = pixels.reshape(size[1], 2, size[0], 2, c).mean((1, 3), dtype=np.float64)
    return (np.rint(mean) if pixels.dtype.kind in "ui" else mean).astype(pixels.dtype)


class Pyramid:
    """Levels of a source, computed when first asked for, kept within a budget of bytes. For any thread."""

    def __init__(self, source: ImageSource, budget_bytes: int = _BUDGET_BYTES) -> None:
        self.source = source
        self._budget = budget_bytes
        self._levels: OrderedDict[tuple[int, int], Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def reduced(self, plane: int, level: int) -> Pixels:
        """A whole plane at a level, (h, w, c) read-only. Raises `UnreadableImage` as reading does."""
        if level == 0:
            of = self.source.info.planes[plane]
            return self.source.read(plane, Rect(0, 0, of.width, of.height))
        with self._lock:
            found = self._levels.get((plane, level))
        if found is None:
            found = halved(self.reduced(plane, level - 1))
            found.setflags(write=False)
            self._keep((plane, level), found)
        return found

    def read(self, plane: int, level: int, rect: Rect) -> Pixels:
        """A rectangle in the level's own pixels, cut at its edges."""
        if level == 0:
            return self.source.read(plane, rect)
        whole = self.reduced(plane, level)
        part = rect.intersected(Rect(0, 0, whole.shape[1], whole.shape[0]))
        return whole[part.y : part.bottom, part.x : part.right]

    def _keep(self, key: tuple[int, int], pixels: Pixels) -> None:
        with self._lock:
            self._levels[key] = pixels
            while len(self._levels) > 1 and sum(p.nbytes for p in self._levels.values()) > self._budget:
                self._levels.popitem(last=False)

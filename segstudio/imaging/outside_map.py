"""What lies outside the picture of one plane, kept in a bit a cell: what a canvas shows and a fill asks for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.outside import has_outside, outside
from segstudio.imaging.source import ImageSource

__all__ = ["OutsideMap", "outside_map"]

_MOST_PIXELS = 1 << 26
_MOST_CELLS = 1 << 24
"""Of a plane of more than `_MOST_PIXELS` at most so many are kept, those of a smaller copy in its file: for the time
that reading takes.
"""
_LARGEST = 1 << 29
"""Planes of more pixels without a smaller copy are not looked through."""
_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class OutsideMap:
    """Which cells of a plane of `size` (width, height) lie outside: `bits` (rows, columns / 8), `columns` in a row."""

    size: tuple[int, int]
    columns: int
    bits: NDArray[np.uint8]

    @property
    def exact(self) -> bool:
        """Whether a cell is a pixel."""
        return (self.columns, len(self.bits)) == self.size

    def at(self, xs: NDArray[Any], ys: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether positions (x, y) within the plane lie outside, (ys, xs); both ascend."""
        if not len(xs) or not len(ys):
            return np.zeros((len(ys), len(xs)), np.bool_)
        columns = (np.asarray(xs, np.float64) * (self.columns / self.size[0])).astype(np.intp)
        rows = (np.asarray(ys, np.float64) * (len(self.bits) / self.size[1])).astype(np.intp)
        first, last = int(columns[0]) // 8, int(columns[-1]) // 8
        part = np.unpackbits(self.bits[rows, first : last + 1], axis=1)
        return part[:, columns - first * 8] != 0

    def mask(self, rect: Rect) -> NDArray[np.bool_] | None:
        """Which pixels (h, w) of a rectangle within the plane lie outside; None where none does."""
        found = self.at(np.arange(rect.x, rect.right) + 0.5, np.arange(rect.y, rect.bottom) + 0.5)
        return found if found.any() else None


def outside_map(source: ImageSource, plane: int) -> OutsideMap | None:
    """The map of a plane, None where nothing lies outside. Reads the plane, or a smaller copy. Raises
    `UnreadableImage`.
    """
    if not has_outside(source.info.metadata):
        return None
    shape = source.info.planes[plane]
    sizes = ((shape.width, shape.height), *source.info.levels)
    most = _MOST_PIXELS if shape.width * shape.height <= _MOST_PIXELS else _MOST_CELLS
    level = next((n for n, (w, h) in enumerate(sizes) if w * h <= most), len(sizes) - 1)
    width, height = sizes[level]
    if width * height > _LARGEST:
        return None
    bits = np.zeros((height, -(-width // 8)), np.uint8)
    rows = max(1, _AT_ONCE // width)
    for y in range(0, height, rows):
        found = outside(source, Rect(0, y, width, min(rows, height - y)), level, plane)
        if found is not None:
            bits[y : y + len(found)] = np.packbits(found, axis=1)
    return OutsideMap(sizes[0], width, bits) if bits.any() else None

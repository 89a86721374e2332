"""Where two objects of one instance class share an edge of pixels, over a plane of blocks."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["Contacts"]

Ids = NDArray[np.uint32]


class Contacts:
    """`add` the blocks of a plane `width` pixels wide row by row, then ask for what was `found`."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._found: list[NDArray[np.int64]] = []
        self._above = np.zeros(width, np.uint32)
        self._here = np.zeros(width, np.uint32)
        self._left: Ids | None = None
        self._row = -1

    def add(self, rect: Rect, ids: Ids, class_of: NDArray[np.int32]) -> None:
        """Take in the object ids (h, w) of a block; `class_of` is the instance class by id, 0 for none."""
        if rect.y != self._row:
            self._above, self._here, self._left, self._row = self._here, self._above, None, rect.y
        here = class_of[ids]
        if here.any():
            at = rect.x + rect.y * self._width
            self._meet(ids[:, :-1], ids[:, 1:], at, 1, here[:, :-1] > 0, class_of)
            self._meet(ids[:-1], ids[1:], at, self._width, here[:-1] > 0, class_of)
            if rect.y > 0:
                above = self._above[None, rect.x : rect.right]
                self._meet(above, ids[:1], at - self._width, self._width, here[:1] > 0, class_of)
            if self._left is not None:
                self._meet(self._left[:, None], ids[:, :1], at - 1, 1, here[:, :1] > 0, class_of)
        self._here[rect.x : rect.right] = ids[-1]
        self._left = ids[:, -1].copy()

    def found(self) -> Iterator[tuple[int, Rect, int]]:
        """Of each pair of objects the lower id, the box around the pixels that touch, and how many these are."""
        if not self._found:
            return
        rows = np.unique(np.concatenate(self._found), axis=0)
        borders = np.flatnonzero(np.any(np.diff(rows[:, :2], axis=0) != 0, axis=1)) + 1
        for pair in np.split(rows, borders):
            y, x = np.divmod(pair[:, 2], self._width)
            left, top = int(x.min()), int(y.min())
            yield int(pair[0, 0]), Rect(left, top, int(x.max()) - left + 1, int(y.max()) - top + 1), len(pair)

    def _meet(self, a: Ids, b: Ids, at: int, step: int, wanted: NDArray[np.bool_], class_of: NDArray[np.int32]) -> None:
        """Note the pixels of two arrays (h, w) that lie beside each other: `at` is the place of the first one of `a`,
        `step` leads from there to the one of `b`. Where one is not `wanted`, none is."""
        rows, columns = np.nonzero((a != b) & wanted)
        one, two = a[rows, columns], b[rows, columns]
        touch = (class_of[one] == class_of[two]) & (class_of[one] > 0)
        if touch.any():
            one, two = one[touch].astype(np.int64), two[touch].astype(np.int64)
            place = at + rows[touch].astype(np.int64) * self._width + columns[touch]
            low, high = np.minimum(one, two), np.maximum(one, two)
            self._found.append(np.stack([low, high, place], 1))
            self._found.append(np.stack([low, high, place + step], 1))

"""Pixels that are moved by where they begin in memory, not by copying them. No drawing, no Qt."""

import ctypes

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sliding"]

_SLACK_ROWS = 256
"""Rows of memory beyond the pixels: a drag of half of them one way costs one copy."""


class Sliding:
    """`pixels` (h, w) of uint32, C order, in a longer stretch of memory."""

    def __init__(self, width: int, height: int, fill: int) -> None:
        self._shape = height, width
        self._slack = width * _SLACK_ROWS
        self._memory = np.full(width * height + self._slack, fill, np.uint32)
        self._begin = self._slack // 2
        self.pixels: NDArray[np.uint32] = self._seen()

    def slide(self, dx: int, dy: int) -> None:
        """Move the content by so many pixels; `pixels` is another view of the same memory afterwards.

        Rows run on into each other, and what comes into view is whatever was there: strips that are to be drawn anew.
        """
        by = dy * self._shape[1] + dx
        if 0 <= self._begin - by <= self._slack:
            self._begin -= by
        else:
            self._copy(self._slack // 2 + by - self._begin)
            self._begin = self._slack // 2
        self.pixels = self._seen()

    def _copy(self, by: int) -> None:
        """Move the content within the memory by so many places, as far as it fits."""
        begin, end = self._begin, self._begin + self._shape[0] * self._shape[1]
        first, last = max(begin, -by), min(end, len(self._memory) - by)
        if last > first:
            start = self._memory.ctypes.data
            ctypes.memmove(start + 4 * (first + by), start + 4 * first, 4 * (last - first))

    def _seen(self) -> NDArray[np.uint32]:
        return self._memory[self._begin : self._begin + self._shape[0] * self._shape[1]].reshape(self._shape)

"""Spans cut into tiles: which pixels of which tile a brush covers, as flat places in the tile. Pure functions.

The cost is the covered pixels and a little for each tile they lie in, not the rectangle around them: the crescent that
a large brush leaves is thin.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.paint.stroke import Spans

__all__ = ["Coverage", "coverage"]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Covered pixels of one tile, never none: columns left[i] <= x < right[i] of its rows top, top + 1, ... (int64)."""

    top: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def whole(self) -> bool:
        """Whether it is every pixel of the tile."""
        return len(self.left) == TILE and int(self.left.max()) == 0 and int(self.right.min()) == TILE

    @property
    def rect(self) -> Rect:
        """The smallest rectangle around it, counted from the tile's corner."""
        return Spans(self.top, self.left, self.right).bounds

    @property
    def flat(self) -> NDArray[np.int64]:
        """Places of the pixels in the tile's flat arrays, ascending."""
        lengths = self.right - self.left
        ends = np.cumsum(lengths)
        starts = (np.arange(len(lengths)) + self.top) * TILE + self.left
        return np.repeat(starts - ends + lengths, lengths) + np.arange(int(ends[-1]), dtype=np.int64)


def coverage(spans: Spans, clip: Rect) -> Iterator[tuple[tuple[int, int], Coverage]]:
    """(ty, tx) and covered pixels of every tile in which spans cover a pixel of `clip`, row by row."""
    bounds = spans.bounds.intersected(clip)
    if bounds.empty:
        return
    for ty in range(bounds.y // TILE, (bounds.bottom - 1) // TILE + 1):
        y0, y1 = max(bounds.y, ty * TILE), min(bounds.bottom, (ty + 1) * TILE)
        rows = slice(y0 - spans.top, y1 - spans.top)
        left = np.minimum(np.maximum(spans.left[rows], clip.x), clip.right)
        right = np.minimum(np.maximum(spans.right[rows], left), clip.right)
        filled = right > left
        if not filled.any():
            continue
        first = int(np.min(left, where=filled, initial=clip.right)) // TILE
        last = (int(np.max(right, where=filled, initial=clip.x)) - 1) // TILE
        for tx in range(first, last + 1):
            if first == last:
                from_left, to_right = left - tx * TILE, right - tx * TILE
            else:
                from_left = np.minimum(np.maximum(left - tx * TILE, 0), TILE)
                to_right = np.minimum(np.maximum(right - tx * TILE, 0), TILE)
                if not (to_right > from_left).any():
                    continue
            yield (ty, tx), Coverage(y0 - ty * TILE, from_left, to_right)

"""What surrounds a part of a plane: the pixels, or the objects, that share an edge with its pixels."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.lint.part_sums import Block, WholeParts

__all__ = ["Rims", "rim"]

_BESIDE = ((0, 1), (1, 0), (0, -1), (-1, 0))


class Rims:
    """`add` the blocks of a plane `width` pixels wide in the order in which its parts are added."""

    def __init__(self, width: int) -> None:
        self._found: list[tuple[NDArray[np.int64], NDArray[np.uint32]]] = []
        self._above = _Line(width)
        self._here = _Line(width)
        self._left: _Line | None = None
        self._row = -1

    def add(
        self,
        rect: Rect,
        block: Block,
        small: NDArray[np.bool_],
        ids: NDArray[np.uint32],
        is_empty: NDArray[np.bool_],
    ) -> None:
        """Note what surrounds the `small` parts (by number) of a block of empty pixels, with object ids (h, w)."""
        self._within(block, small, ids)
        if rect.y != self._row:
            self._above, self._here, self._left, self._row = self._here, self._above, None, rect.y
        labels = np.where(small, np.arange(len(small), dtype=np.int64) + block.first, 0)
        labels[0] = 0
        top, bottom, left, right = (
            _Line.of(labels[block.labels[edge]], ids[edge], is_empty[edge])
            for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])
        )
        if rect.y > 0:
            self._across(self._above.part(rect.x, rect.right), top)
        if self._left is not None:
            self._across(self._left, left)
        self._here.put(rect.x, bottom)
        self._left = right

    def enclosing(
        self, parts: WholeParts, wanted: NDArray[np.bool_], class_of: NDArray[np.int32]
    ) -> Iterator[tuple[int, int]]:
        """Place and object of those wanted components that have one class around them, and no pixel of none: the
        object that shares most edges, of several the one of the lowest id. `class_of` is by object id, 0 for none."""
        if not self._found:
            return
        places = parts.rank[np.concatenate([labels for labels, _ids in self._found])]
        ids = np.concatenate([ids for _labels, ids in self._found])
        kept = wanted[places]
        places, ids = places[kept], ids[kept]
        classes = class_of[ids]
        lowest = np.full(len(wanted), np.iinfo(np.int32).max, np.int32)
        highest = np.zeros(len(wanted), np.int32)
        np.minimum.at(lowest, places, classes)
        np.maximum.at(highest, places, classes)
        one = (lowest == highest) & (highest > 0)
        places, ids = places[one[places]], ids[one[places]]
        pairs, edges = np.unique(np.stack([places, ids.astype(np.int64)], 1), axis=0, return_counts=True)
        order = np.lexsort((pairs[:, 1], -edges, pairs[:, 0]))
        _places, firsts = np.unique(pairs[order, 0], return_index=True)
        yield from pairs[order[firsts]].tolist()

    def _within(self, block: Block, small: NDArray[np.bool_], ids: NDArray[np.uint32]) -> None:
        where = small.copy()
        where[0] = False
        if not where.any():
            return
        h, w = ids.shape
        rows, columns = np.nonzero(where[block.labels])
        names = block.labels[rows, columns].astype(np.int64) + block.first
        for dy, dx in _BESIDE:
            y, x = rows + dy, columns + dx
            inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
            y, x, mine = y[inside], x[inside], names[inside]
            other = block.labels[y, x] == 0
            self._found.append((mine[other], ids[y[other], x[other]]))

    def _across(self, one: "_Line", other: "_Line") -> None:
        for a, b in ((one, other), (other, one)):
            meets = (a.labels > 0) & ~b.is_empty
            self._found.append((a.labels[meets], b.ids[meets]))


class _Line:
    """A row or a column of pixels: provisional labels of small empty parts, 0 for none, objects, and what is empty."""

    def __init__(self, length: int) -> None:
        self.labels = np.zeros(length, np.int64)
        self.ids = np.zeros(length, np.uint32)
        self.is_empty = np.ones(length, np.bool_)

    @classmethod
    def of(cls, labels: NDArray[np.int64], ids: NDArray[np.uint32], is_empty: NDArray[np.bool_]) -> "_Line":
        """A line of these pixels, copied."""
        line = cls(0)
        line.labels, line.ids, line.is_empty = labels.copy(), ids.copy(), is_empty.copy()
        return line

    def put(self, at: int, part: "_Line") -> None:
        """Put pixels into a part of the line."""
        place = np.s_[at : at + len(part.labels)]
        self.labels[place], self.ids[place], self.is_empty[place] = part.labels, part.ids, part.is_empty

    def part(self, start: int, end: int) -> "_Line":
        """A part of the line."""
        return _Line.of(self.labels[start:end], self.ids[start:end], self.is_empty[start:end])


def rim(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pixels that share an edge with a pixel of the mask (h, w), each as often as it does."""
    h, w = mask.shape
    rows, columns = np.nonzero(mask)
    found = [(rows + dy, columns + dx) for dy, dx in _BESIDE]
    y, x = np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])
    inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
    y, x = y[inside], x[inside]
    outside = ~mask[y, x]
    return y[outside], x[outside]

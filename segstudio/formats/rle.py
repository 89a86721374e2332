"""COCO's run-length code: runs down the columns, unset and set in turn, beginning with unset.

Our own arithmetic finds the runs of all objects of a plane at once, and unpacks counts; pycocotools packs them, so that
two programs check each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Runs", "down_columns", "runs_of", "unpacked"]

_MOST_CHARACTERS = 12
"""Most characters of one count: 60 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Set runs of a plane, by owner and then by place, int64 each.

    `starts` and `stops` (past the end) count pixels down the columns; the runs of owner i are those from `firsts[i]`
    to `firsts[i + 1]`, and `keys[i]` identifies it.
    """

    height: int
    size: int
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    firsts: NDArray[np.int64]
    keys: NDArray[np.int64]

    def areas(self) -> NDArray[np.int64]:
        """Pixels of each owner."""
        return np.add.reduceat(self.stops - self.starts, self.firsts[:-1]) if len(self.keys) else self.keys

    def boxes(self) -> NDArray[np.int64]:
        """x, y, w, h (n, 4) of each owner."""
        if not len(self.keys):
            return np.zeros((0, 4), np.int64)
        left, top = np.divmod(self.starts, self.height)
        right, bottom = np.divmod(self.stops - 1, self.height)
        around = left != right  # down to the end of its column and on at the top of the next one
        top, bottom = np.where(around, 0, top), np.where(around, self.height - 1, bottom)
        at = self.firsts[:-1]
        x, y = np.minimum.reduceat(left, at), np.minimum.reduceat(top, at)
        return np.stack([x, y, np.maximum.reduceat(right, at) - x + 1, np.maximum.reduceat(bottom, at) - y + 1], 1)

    def counts(self) -> list[list[int]]:
        """The counts of each owner: lengths of its unset and set runs in turn."""
        if not len(self.keys):
            return []
        before = np.concatenate([[0], self.stops[:-1]])
        before[self.firsts[:-1]] = 0
        turns = np.stack([self.starts - before, self.stops - self.starts], 1).reshape(-1)
        rest = self.size - self.stops[self.firsts[1:] - 1]
        return [
            [*turns[2 * a : 2 * b].tolist(), *([left] if left else [])]
            for a, b, left in zip(self.firsts[:-1].tolist(), self.firsts[1:].tolist(), rest.tolist(), strict=True)
        ]


def down_columns(plane: NDArray[np.integer]) -> NDArray[np.integer]:
    """The pixels (h, w) of a plane down its columns, one after the other: a new array (w * h).

    Of the smallest unsigned type that holds them, with -1 as its highest value: most planes fit into one or two bytes
    per pixel, which makes everything after this much faster. Pixels are from -1 to 2^32 - 2.
    """
    import cv2

    highest = int(plane.max())
    narrow = next(t for t in (np.uint8, np.uint16, np.uint32) if highest < np.iinfo(t).max)
    small = np.ascontiguousarray(plane.astype(narrow, copy=False))
    # OpenCV works in blocks that fit the processor's cache, several times as fast as NumPy's copy; it knows no uint32.
    as_known = small.view(np.int32) if narrow is np.uint32 else small
    return cv2.transpose(as_known).reshape(-1).view(narrow)


def runs_of(keys: NDArray[np.int64], starts: NDArray[np.int64], height: int, size: int) -> Runs:
    """Runs of a fully divided plane: each begins where the one before it ends; keys below 0 belong to nobody.

    Neighbours with the same key become one run.
    """
    new = np.concatenate([[True], keys[1:] != keys[:-1]])
    keys, starts = keys[new], starts[new]
    stops = np.concatenate([starts[1:], [size]])
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    keys, starts, stops = keys[order], starts[order], stops[order]
    firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    return Runs(height, size, starts, stops, np.concatenate([firsts, [len(keys)]]), keys[firsts])


def unpacked(packed: Sequence[bytes], height: int, size: int, *, empty: bool = False) -> Runs | None:
    """The runs that packed counts stand for, with places in the list as keys; None if they are not of this size.

    With `empty`, counts without a pixel are allowed and left out; otherwise they give None too.

    The code is that of pycocotools: 5 bits a character from '0' upwards, a sixth for 'more follows', signed; from the
    fourth count onwards, the difference to the last but one.
    """
    if not all(packed):
        return None
    if not packed:
        return runs_of(np.full(1, -1, np.int64), np.zeros(1, np.int64), height, size)
    bits = np.frombuffer(b"".join(packed), np.uint8).astype(np.int64) - 48
    lengths = np.array([len(text) for text in packed])
    last = np.flatnonzero((bits & 32) == 0)  # the last character of each number
    ends = np.searchsorted(last, np.cumsum(lengths) - 1)
    if bits.min() < 0 or bits.max() > 63 or (ends == len(last)).any() or (last[ends] != np.cumsum(lengths) - 1).any():
        return None
    characters = np.diff(last, prepend=-1)
    if characters.max() > _MOST_CHARACTERS:
        return None
    first = last - characters + 1
    place = np.arange(len(bits)) - np.repeat(first, characters)
    numbers = np.add.reduceat((bits & 31) << (5 * place), first)
    numbers -= np.where(bits[last] & 16, np.int64(1) << (5 * characters), 0)
    return _set_runs(
        _summed(numbers, np.concatenate([[0], ends + 1])), np.concatenate([[0], ends + 1]), height, size, empty
    )


def _summed(numbers: NDArray[np.int64], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts from differences to the last but one; each list of numbers begins again at `firsts`."""
    owner = np.repeat(np.arange(len(firsts) - 1), np.diff(firsts))
    place = np.arange(len(numbers)) - firsts[owner]
    chain = 3 * owner + np.where(place == 0, 0, np.where(place % 2, 1, 2))
    order = np.argsort(chain, kind="stable")
    sums = np.cumsum(numbers[order])
    new = np.concatenate([[True], chain[order][1:] != chain[order][:-1]])
    before = (sums - numbers[order])[new]
    found = np.empty_like(numbers)
    found[order] = sums - np.repeat(before, np.diff(np.append(np.flatnonzero(new), len(numbers))))
    return found


def _set_runs(counts: NDArray[np.int64], firsts: NDArray[np.int64], height: int, size: int, empty: bool) -> Runs | None:
    if counts.min() < 0:
        return None
    sums = np.cumsum(counts)
    before = np.concatenate([[0], sums])[firsts[:-1]]
    if (np.diff(np.append(before, sums[-1])) != size).any():
        return None
    owner = np.repeat(np.arange(len(firsts) - 1), np.diff(firsts))
    place = np.arange(len(counts)) - firsts[owner]
    is_set = (place % 2 == 1) & (counts > 0)
    stops = (sums - before[owner])[is_set]
    owners = owner[is_set]
    edges = np.searchsorted(owners, np.arange(len(firsts)))
    kept = np.flatnonzero(np.diff(edges))
    if len(kept) < len(edges) - 1 and not empty:
        return None
    return Runs(height, size, stops - counts[is_set], stops, np.append(edges[kept], len(owners)), kept)

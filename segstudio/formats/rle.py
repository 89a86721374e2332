"""COCO's run-length code: runs down the columns, unset and set by turns, first the unset ones.

Own arithmetic for encoding many objects of one plane in one pass; pycocotools packs the counts and decodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObjectRuns", "object_runs"]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectRuns:
    """One object of a plane: its number, area in pixels, box x, y, w, h, and the counts of its runs."""

    number: int
    area: int
    box: tuple[int, int, int, int]
    counts: list[int]


def object_runs(numbers: NDArray[np.integer]) -> Iterator[ObjectRuns]:
    """The runs of every number other than 0 in an array (h, w), in rising order of the numbers."""
    height = numbers.shape[0]
    flat = numbers.ravel(order="F")
    where = np.flatnonzero(flat)
    if len(where) == 0:
        return
    owners = flat[where]
    order = np.argsort(owners, kind="stable")
    where, owners = where[order], owners[order]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    for start, stop in zip(starts, [*starts[1:], len(where)], strict=True):
        pixels = where[start:stop]
        yield ObjectRuns(int(owners[start]), len(pixels), _box(pixels, height), _counts(pixels, numbers.size))


def _box(pixels: NDArray[np.int64], height: int) -> tuple[int, int, int, int]:
    x, y = pixels // height, pixels % height
    left, top = int(x.min()), int(y.min())
    return left, top, int(x.max()) - left + 1, int(y.max()) - top + 1


def _counts(pixels: NDArray[np.int64], size: int) -> list[int]:
    """Lengths of the runs of a rising list of set pixels in a picture of `size` pixels."""
    breaks = np.flatnonzero(np.diff(pixels) > 1)
    begins = np.concatenate([pixels[:1], pixels[breaks + 1]])
    ends = np.concatenate([pixels[breaks], pixels[-1:]]) + 1
    edges = np.concatenate([[0], np.stack([begins, ends], 1).ravel(), [size]])
    counts = np.diff(edges)
    return counts.tolist() if counts[-1] else counts[:-1].tolist()

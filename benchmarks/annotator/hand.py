"""What a person would paint to correct a proposal, as strokes. Pure functions of arrays.

Wrong pixels of one true class that touch (8-connected) are a region. Each is painted in sweeps along its longer side
with a brush as wide as the region is on average, never beyond it: a careful hand, the same for every contender.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "Stroke", "brush_px", "strokes_of", "wrong_regions"]

_WIDEST_PX = 64


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Wrong pixels that belong together: their true class, their number, and where they are (h, w) from `y`, `x` on."""

    truth: int
    area: int
    y: int
    x: int
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stroke:
    """From one point to another, (y, x) in the image."""

    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def px(self) -> float:
        """Its length."""
        return math.dist(self.start, self.end)


def wrong_regions(shown: NDArray[np.int64], truth: NDArray[np.int64], smallest: int) -> list[Region]:
    """The regions (of at least `smallest` pixels) where what is shown (h, w) is not the truth, the largest first.

    Nothing is shown at -1; where the truth is -1 nobody knows better.
    """
    found: list[Region] = []
    for class_ in np.unique(truth[truth >= 0]).tolist():
        wrong = ((shown != truth) & (truth == class_)).astype(np.uint8)
        _n, numbers, boxes, _centres = cv2.connectedComponentsWithStats(wrong, connectivity=8)
        for number, (x, y, w, h, area) in enumerate(boxes.tolist()):
            if number and area >= smallest:
                inside = numbers[y : y + h, x : x + w] == number
                found.append(Region(class_, area, y, x, inside))
    return sorted(found, key=lambda region: (-region.area, region.y, region.x))


def brush_px(inside: NDArray[np.bool_]) -> int:
    """How wide a brush fits a region (h, w), 1 ... 64: its mean width. Of a strip the mean distance to its edge is a
    quarter of its width.
    """
    padded = np.pad(inside.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[padded > 0] - 0.5
    return int(np.clip(round(4 * float(distance.mean())), 1, _WIDEST_PX))


def strokes_of(region: Region) -> Iterator[Stroke]:
    """Sweeps that cover a region, to and fro."""
    across = region.inside.shape[0] > region.inside.shape[1]
    inside = region.inside.T if across else region.inside
    width = brush_px(inside)
    for row, top in enumerate(range(0, inside.shape[0], width)):
        band = inside[top : top + width]
        middle = top + (len(band) - 1) / 2
        runs = list(_runs(band.any(0)))
        for first, last in runs if row % 2 == 0 else [(b, a) for a, b in reversed(runs)]:
            yield _stroke(region, middle, first, last, width, across=across)


def _stroke(region: Region, middle: float, first: int, last: int, width: int, *, across: bool) -> Stroke:
    """From one end of a run to the other: the brush is as long as it is wide, so it stops half its width before."""
    spare = min(width - 1, abs(last - first)) / 2 * (1 if last >= first else -1)
    ends = [(middle, first + spare), (middle, last - spare)]
    if across:
        ends = [(x, y) for y, x in ends]
    (y0, x0), (y1, x1) = ends
    return Stroke((region.y + y0, region.x + x0), (region.y + y1, region.x + x1))


def _runs(filled: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last place of every run of True."""
    edges = np.flatnonzero(np.diff(np.pad(filled, 1).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield start, end - 1

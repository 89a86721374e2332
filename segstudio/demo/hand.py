"""The hand of the simulated person: the strokes that correct a wrong mask. Pure functions, no Qt."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HandStroke", "strokes_for"]

_WIDEST_PX = 12.0
_TOLERANCE_PX = 1.0
_BEND = math.cos(math.radians(65))


@dataclass(frozen=True, slots=True)
class HandStroke:
    """One stroke: positions (x, y) in image coordinates from press to release, radius in image pixels."""

    points: tuple[tuple[float, float], ...]
    radius: float


def strokes_for(wrong: NDArray[np.bool_], inside: NDArray[np.bool_], most: int, least_px: int = 3) -> list[HandStroke]:
    """At most `most` strokes over what is `wrong` (h, w), in the middle of `inside` (h, w), the widest first.

    Each begins at the deepest wrong pixel and follows the middle of the region as far as it is wrong, with a brush as
    wide as the region there on average. As with a real hand, the edge is off by a pixel here and there, and that is not
    corrected. It ends when no wrong spot of `least_px` pixels is left. Depths are Euclidean distances (Felzenszwalb &
    Huttenlocher 2012, by OpenCV).
    """
    import cv2

    padded = np.pad(inside, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1].astype(np.float32)
    depth = np.minimum(depth, _WIDEST_PX + 0.5)
    left = _spots(wrong & inside, least_px)
    out: list[HandStroke] = []
    while len(out) < most and left.any():
        y, x = np.unravel_index(int(np.argmax(np.where(left, depth, 0))), depth.shape)
        path = _path(left, depth, int(x), int(y))
        radius = max(float(np.mean([depth[row, column] for column, row in path])) - 0.2, 0.5)
        stroke = HandStroke(tuple((column + 0.5, row + 0.5) for column, row in path), radius)
        _clear(left, stroke)
        left = _spots(left, least_px)
        out.append(stroke)
    return out


def _spots(mask: NDArray[np.bool_], least_px: int) -> NDArray[np.bool_]:
    """The components (8-connected) of at least `least_px` pixels."""
    import cv2

    _, found, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = figures[:, cv2.CC_STAT_AREA] >= least_px
    keep[0] = False
    return keep[np.asarray(found, np.intp)]


def _path(left: NDArray[np.bool_], depth: NDArray[np.float32], x: int, y: int) -> list[tuple[int, int]]:
    """Pixels (x, y) along the middle of the wrong region, in both directions from a start."""
    start = (x, y)
    seen = np.zeros_like(left)
    forth = _walk(left, depth, seen, start, None)
    heading = None if len(forth) < 2 else (start[0] - forth[1][0], start[1] - forth[1][1])
    back = _walk(left, depth, seen, start, heading)
    return back[:0:-1] + forth


def _walk(
    left: NDArray[np.bool_],
    depth: NDArray[np.float32],
    seen: NDArray[np.bool_],
    start: tuple[int, int],
    heading: tuple[float, float] | None,
) -> list[tuple[int, int]]:
    """Steps of two pixels to where the region is deepest, without sharp turns, while it stays nearly as wide."""
    path = [start]
    enough = 0.5 * float(depth[start[1], start[0]])
    height, width = left.shape
    while True:
        x, y = path[-1]
        seen[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
        best, best_depth = None, 0.0
        for dx, dy in _RING:
            column, row = x + dx, y + dy
            if not (0 <= column < width and 0 <= row < height) or seen[row, column] or not left[row, column]:
                continue
            if depth[row, column] < enough or (heading is not None and not _ahead(heading, dx, dy)):
                continue
            if depth[row, column] > best_depth:
                best, best_depth = (column, row), float(depth[row, column])
        if best is None:
            return path
        heading = (best[0] - x, best[1] - y)
        path.append(best)


_RING = tuple((dx, dy) for dy in range(-2, 3) for dx in range(-2, 3) if max(abs(dx), abs(dy)) == 2)


def _ahead(heading: tuple[float, float], dx: int, dy: int) -> bool:
    length = math.hypot(*heading) * math.hypot(dx, dy)
    return heading[0] * dx + heading[1] * dy >= _BEND * length


def _clear(left: NDArray[np.bool_], stroke: HandStroke) -> None:
    """Remove what a stroke covers, with an edge that nobody would correct, from what is left."""
    covered = stroke.radius + _TOLERANCE_PX
    reach = math.ceil(covered)
    height, width = left.shape
    for x, y in stroke.points:
        x0, x1 = max(int(x) - reach - 1, 0), min(int(x) + reach + 2, width)
        y0, y1 = max(int(y) - reach - 1, 0), min(int(y) + reach + 2, height)
        ys, xs = np.mgrid[y0:y1, x0:x1] + 0.5
        left[y0:y1, x0:x1] &= (xs - x) ** 2 + (ys - y) ** 2 > covered**2

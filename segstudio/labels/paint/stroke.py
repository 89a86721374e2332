"""The brush's geometry: which pixels lie within a radius of a segment. Pure functions, spans a row.

A pixel (x, y) is covered when its centre (x + 0.5, y + 0.5) lies within `radius` of the segment between two pointer
positions, in image coordinates. A capsule is convex, so each row of it is one span, found in closed form.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["Point", "Spans", "capsule_spans", "without"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Rows top, top + 1, ...: covered columns left[i] <= x < right[i] (int64); left == right where none is."""

    top: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def bounds(self) -> Rect:
        """The smallest rectangle around all spans."""
        filled = np.flatnonzero(self.right > self.left)
        if len(filled) == 0:
            return Rect(0, self.top, 0, 0)
        first, last = int(filled[0]), int(filled[-1])
        x = int(self.left[filled].min())
        return Rect(x, self.top + first, int(self.right[filled].max()) - x, last - first + 1)


def capsule_spans(a: Point, b: Point, radius: float, clip: Rect) -> Spans:
    """Spans of all pixels of `clip` whose centre lies within `radius` (pixels, > 0) of the segment a-b."""
    y0 = max(int(np.floor(min(a[1], b[1]) - radius - 0.5)), clip.y)
    y1 = min(int(np.ceil(max(a[1], b[1]) + radius + 0.5)), clip.bottom)
    if y1 <= y0 or clip.empty:
        nothing = np.zeros(0, np.int64)
        return Spans(clip.y, nothing, nothing)
    centres = np.arange(y0, y1, dtype=np.float64) + 0.5
    left, right = _edges(a, b, radius, centres)
    covered = left <= right
    # The closed form is exact but for rounding: the pixels at either end are tested by the distance itself.
    x0 = np.where(covered, np.ceil(np.where(covered, left, 0.0) - 0.5), 0).astype(np.int64)
    x1 = np.where(covered, np.floor(np.where(covered, right, 0.0) - 0.5), -1).astype(np.int64)
    x0, beyond_left = _settled(x0, -1, a, b, radius, centres, covered)
    x1, beyond_right = _settled(x1, +1, a, b, radius, centres, covered)
    for row in np.flatnonzero(beyond_left | beyond_right):
        x0[row], x1[row] = _searched(a, b, radius, centres[row])
    start = np.clip(x0, clip.x, clip.right)
    stop = np.clip(x1 + 1, clip.x, clip.right)
    return Spans(y0, start, np.maximum(start, stop))


def without(spans: Spans, done: Spans) -> tuple[Spans, Spans]:
    """What lies left and what lies right of `done` in each row of `spans`: together the pixels not in `done`."""
    done_left = np.full(len(spans.left), np.iinfo(np.int64).max)
    done_right = done_left.copy()
    first, last = max(spans.top, done.top), min(spans.top + len(spans.left), done.top + len(done.left))
    if last > first:
        rows, done_rows = slice(first - spans.top, last - spans.top), slice(first - done.top, last - done.top)
        filled = done.right[done_rows] > done.left[done_rows]
        done_left[rows] = np.where(filled, done.left[done_rows], done_left[rows])
        done_right[rows] = np.where(filled, done.right[done_rows], done_right[rows])
    before = Spans(spans.top, spans.left, np.clip(done_left, spans.left, spans.right))
    after = Spans(spans.top, np.clip(done_right, spans.left, spans.right), spans.right)
    return before, after


def _edges(
    a: Point, b: Point, radius: float, y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Outer x of the capsule at each y; left > right where the row misses it."""
    left = np.full(len(y), np.inf)
    right = np.full(len(y), -np.inf)
    for px, py in (a, b):
        square = radius * radius - (y - py) ** 2
        half = np.sqrt(np.maximum(square, 0.0))
        hit = square >= 0
        left = np.where(hit, np.minimum(left, px - half), left)
        right = np.where(hit, np.maximum(right, px + half), right)
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = float(np.hypot(dx, dy))
    if length > 0:
        nx, ny = -dy / length * radius, dx / length * radius
        corners = [(a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny), (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny)]
        for (px, py), (qx, qy) in zip(corners, corners[1:] + corners[:1], strict=True):
            hit = (y >= min(py, qy)) & (y <= max(py, qy))
            x = px + (qx - px) * ((y - py) / (qy - py)) if qy != py else np.full(len(y), px)
            left = np.where(hit, np.minimum(left, x), left)
            right = np.where(hit, np.maximum(right, x), right)
    return left, right


def _settled(
    x: NDArray[np.int64],
    outward: int,
    a: Point,
    b: Point,
    radius: float,
    y: NDArray[np.float64],
    covered: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The outermost of three pixels around each end that the distance covers; one further in where none is.

    The second array says where the span may reach further out than was tried: a side of the capsule that is nearly
    horizontal is ill-conditioned.
    """
    result = x - 2 * outward
    reaches = np.zeros(len(x), np.bool_)
    for step in (-1, 0, 1):
        candidate = x + step * outward
        reaches = _within(candidate.astype(np.float64) + 0.5, y, a, b, radius)
        result = np.where(reaches, candidate, result)
    return np.where(covered, result, x), covered & reaches


def _searched(a: Point, b: Point, radius: float, y: np.float64) -> tuple[int, int]:
    """First and last covered column of one row by the distance itself; last < first where there is none."""
    first = int(np.floor(min(a[0], b[0]) - radius)) - 1
    last = int(np.ceil(max(a[0], b[0]) + radius)) + 1
    x = np.arange(first, last + 1, dtype=np.float64) + 0.5
    hit = np.flatnonzero(_within(x, np.full(len(x), y), a, b, radius))
    return (first + int(hit[0]), first + int(hit[-1])) if len(hit) else (0, -1)


_SHORTEST = 1e-18
"""Square of the length below which a segment is no more than its two ends: the products would underflow."""


def _within(x: NDArray[np.float64], y: NDArray[np.float64], a: Point, b: Point, radius: float) -> NDArray[np.bool_]:
    """Whether points lie within the radius of the segment; no division, so that exact ties stay exact."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    from_a, from_b = (x - a[0], y - a[1]), (x - b[0], y - b[1])
    limit, length = radius * radius, dx * dx + dy * dy
    result = from_a[0] ** 2 + from_a[1] ** 2 <= limit
    if length == 0:
        return result
    result |= from_b[0] ** 2 + from_b[1] ** 2 <= limit
    if length > _SHORTEST:
        along = from_a[0] * dx + from_a[1] * dy
        across = from_a[0] * dy - from_a[1] * dx
        result |= (along > 0) & (along < length) & (across * across <= limit * length)
    return result

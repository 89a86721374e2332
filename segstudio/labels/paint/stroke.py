"""The brush's geometry: which pixels lie within a radius of a segment. Pure functions, spans a row.

A pixel (x, y) is covered when its centre (x + 0.5, y + 0.5) lies within `radius` of the segment between two pointer
positions, in image coordinates. A capsule is convex, so each row of it is one span, found in closed form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["Point", "Spans", "capsule_spans", "square_spans", "without"]

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
    return _swept(partial(_edges, a, b, radius), partial(_within, a=a, b=b, radius=radius), a, b, radius, clip)


def square_spans(a: Point, b: Point, radius: float, clip: Rect) -> Spans:
    """Spans of all pixels of `clip` whose centre is within `radius`, in x and in y, of one point of the segment a-b."""
    within = partial(_within_square, a=a, b=b, radius=radius)
    return _swept(partial(_square_edges, a, b, radius), within, a, b, radius, clip)


_Edges = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
_Within = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]


def _swept(edges: _Edges, within: _Within, a: Point, b: Point, radius: float, clip: Rect) -> Spans:
    """Spans of a convex shape whose edges are known in closed form, and which is tested exactly by `within(x, y)`."""
    y0 = max(int(np.floor(min(a[1], b[1]) - radius - 0.5)), clip.y)
    y1 = min(int(np.ceil(max(a[1], b[1]) + radius + 0.5)), clip.bottom)
    if y1 <= y0 or clip.empty:
        nothing = np.zeros(0, np.int64)
        return Spans(clip.y, nothing, nothing)
    centres = np.arange(y0, y1, dtype=np.float64) + 0.5
    left, right = edges(centres)
    covered = left <= right
    # The closed form is exact but for rounding: the pixels at either end are tested by the distance itself.
    x0 = np.where(covered, np.ceil(np.where(covered, left, 0.0) - 0.5), 0).astype(np.int64)
    x1 = np.where(covered, np.floor(np.where(covered, right, 0.0) - 0.5), -1).astype(np.int64)
    x0, x1, beyond = _settled(x0, x1, within, centres, covered)
    for row in np.flatnonzero(beyond):
        x0[row], x1[row] = _searched(a, b, radius, within, centres[row])
    start = np.minimum(np.maximum(x0, clip.x), clip.right)
    stop = np.minimum(np.maximum(x1 + 1, start), clip.right)
    return Spans(y0, start, stop)


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
    before = Spans(spans.top, spans.left, np.minimum(np.maximum(done_left, spans.left), spans.right))
    after = Spans(spans.top, np.minimum(np.maximum(done_right, spans.left), spans.right), spans.right)
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
        # The two long sides; the short ones are diameters of the discs.
        nx, ny = -dy / length * radius, dx / length * radius
        for ox, oy in ((nx, ny), (-nx, -ny)):
            (px, py), (qx, qy) = (a[0] + ox, a[1] + oy), (b[0] + ox, b[1] + oy)
            if qy == py:
                on = y == py
                left = np.where(on, np.minimum(left, min(px, qx)), left)
                right = np.where(on, np.maximum(right, max(px, qx)), right)
                continue
            hit = (y >= min(py, qy)) & (y <= max(py, qy))
            x = px + (qx - px) * ((y - py) / (qy - py))
            left = np.where(hit, np.minimum(left, x), left)
            right = np.where(hit, np.maximum(right, x), right)
    return left, right


def _square_edges(
    a: Point, b: Point, radius: float, y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Outer x, at each y, of a square that is moved along the segment; left > right where the row misses it."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dy == 0:
        hit, begin, end = np.abs(y - a[1]) <= radius, np.zeros(len(y)), np.ones(len(y))
    else:
        one, other = (y - radius - a[1]) / dy, (y + radius - a[1]) / dy
        begin, end = np.maximum(np.minimum(one, other), 0.0), np.minimum(np.maximum(one, other), 1.0)
        hit = begin <= end
    x0, x1 = a[0] + dx * begin, a[0] + dx * end
    left, right = np.minimum(x0, x1) - radius, np.maximum(x0, x1) + radius
    return np.where(hit, left, np.inf), np.where(hit, right, -np.inf)


_STEPS = np.array([[-1], [0], [1]])
"""From one pixel further in to one further out."""


def _settled(
    x0: NDArray[np.int64],
    x1: NDArray[np.int64],
    within: _Within,
    y: NDArray[np.float64],
    covered: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Both ends at the outermost of three pixels around them that the shape covers; else one further in.

    The third array says where a span may reach further out than was tried: a side that is nearly horizontal is
    ill-conditioned.
    """
    tried = np.concatenate([x0 - _STEPS, x1 + _STEPS])
    inside = within(tried.astype(np.float64) + 0.5, y)
    ends: list[NDArray[np.int64]] = []
    for x, outward, first in ((x0, -1, 0), (x1, 1, 3)):
        result = np.where(inside[first], tried[first], x - 2 * outward)
        result = np.where(inside[first + 1], tried[first + 1], result)
        result = np.where(inside[first + 2], tried[first + 2], result)
        ends.append(np.where(covered, result, x))
    return ends[0], ends[1], covered & (inside[2] | inside[5])


def _searched(a: Point, b: Point, radius: float, within: _Within, y: np.float64) -> tuple[int, int]:
    """First and last covered column of one row by the distance itself; last < first where there is none."""
    first = int(np.floor(min(a[0], b[0]) - radius)) - 1
    last = int(np.ceil(max(a[0], b[0]) + radius)) + 1
    x = np.arange(first, last + 1, dtype=np.float64) + 0.5
    hit = np.flatnonzero(within(x, np.full(len(x), y)))
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


def _within_square(
    x: NDArray[np.float64], y: NDArray[np.float64], a: Point, b: Point, radius: float
) -> NDArray[np.bool_]:
    """Whether points lie within the radius in x and y of one point of the segment; no division, as above."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    # Mirrored so that the segment runs to the right and down, or stands.
    along_x, along_y = (x - a[0]) * (1 if dx >= 0 else -1), (y - a[1]) * (1 if dy >= 0 else -1)
    dx, dy = abs(dx), abs(dy)
    result = (along_x >= -radius) & (along_x <= dx + radius) & (along_y >= -radius) & (along_y <= dy + radius)
    # The stretch that is near enough in x begins before that in y ends, and the other way round.
    result &= (along_x - radius) * dy <= (along_y + radius) * dx
    result &= (along_y - radius) * dx <= (along_x + radius) * dy
    return result

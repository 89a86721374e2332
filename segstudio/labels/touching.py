"""Objects of one class that touch, taken apart: a watershed on the distance from their edges.

An object has a core wherever it is widest. Two cores belong to two objects if what joins them is narrower than both by
more than a share of the usual half-width of an object; else they are one. So a dent does not cut an object, and neither
does a long one of even width fall into pieces.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.runs import Separation

__all__ = ["separated"]

_USUAL = Separation()

_LEAST_PX = 1.0
"""A neck is narrower by at least so much: what is less is the grid's."""

_LEAST_HALF_WIDTH_PX = 3.0
"""What is nowhere wider is left as it is."""

_MOST_PX = 16 << 20
"""What has a larger box is left as it is: this bounds the memory."""


def separated(mask: NDArray[np.bool_], how: Separation = _USUAL) -> tuple[int, NDArray[np.int32]]:
    """How many objects there are, and the number of each pixel's, 1 and on; 0 outside the mask (h, w).

    The 8-connected components, of which those with a neck are cut there.
    """
    import cv2

    n, parts, stats, _centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts, stats = np.asarray(parts, np.int32), np.asarray(stats, np.int32)
    if how.share >= 1 or n < 2:
        return n - 1, parts
    half_widths = np.zeros(n)
    wide: list[tuple[int, tuple[slice, slice]]] = []
    for part, box in _boxes(stats):
        distance = _distance(parts[box] == part, how.smooth_px)
        half_widths[part] = distance.max()
        if half_widths[part] >= _LEAST_HALF_WIDTH_PX and distance.size <= _MOST_PX:
            wide.append((part, box))
    if not wide:
        return n - 1, parts
    usual = float(np.median([half_widths[part] for part, _ in wide]))
    depth, least = max(how.share * usual, _LEAST_PX), how.least * np.pi * usual**2
    count = n - 1
    for part, box in wide:
        if half_widths[part] <= depth:
            continue
        own = parts[box] == part
        pieces = _cut(own, how.smooth_px, depth, least)
        for piece in range(2, int(pieces.max(initial=1)) + 1):
            count += 1
            parts[box][pieces == piece] = count
    return count, parts


def _boxes(stats: NDArray[np.int32]) -> Iterator[tuple[int, tuple[slice, slice]]]:
    for part, (x, y, w, h, _area) in enumerate(stats.tolist()):
        if part:
            yield part, np.s_[y : y + h, x : x + w]


def _distance(own: NDArray[np.bool_], smooth_px: float) -> NDArray[np.float32]:
    """Distance to the nearest pixel outside, a little smoothed; what lies beyond the box is outside."""
    import cv2

    framed = np.pad(own.astype(np.uint8), 1)
    found = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    smooth = cv2.GaussianBlur(found, (0, 0), smooth_px)
    return np.where(own, smooth[1:-1, 1:-1], np.float32(0))


def _cut(own: NDArray[np.bool_], smooth_px: float, depth: float, least: float) -> NDArray[np.int32]:
    """The pieces (h, w) of one component, 1 and on.

    Every pixel climbs to the top of its hill. From the highest pass down two hills become one, unless both rise by
    `depth` above the pass between them, and have `least` pixels.
    """
    distance = _distance(own, smooth_px)
    tops, hills = np.unique(_climbed(distance, own)[own], return_inverse=True)
    if len(tops) == 1:
        return own.astype(np.int32)
    hill_at = np.full(own.shape, -1, np.int32)
    hill_at[own] = hills
    joined = list(range(len(tops)))
    heights, areas = distance.ravel()[tops].tolist(), np.bincount(hills).tolist()
    for height, a, b in _passes(distance, hill_at, len(tops)):
        low, high = sorted((_root(joined, a), _root(joined, b)), key=heights.__getitem__)
        if low != high and (heights[low] - height < depth or min(areas[low], areas[high]) < least):
            joined[low] = high
            areas[high] += areas[low]
    roots = np.array([_root(joined, hill) for hill in range(len(tops))])
    pieces = np.zeros(own.shape, np.int32)
    pieces[own] = np.unique(roots[hills], return_inverse=True)[1] + 1
    return pieces


def _climbed(distance: NDArray[np.float32], own: NDArray[np.bool_]) -> NDArray[np.int32]:
    """For every pixel, by its place in the flat array, the place of the top that it reaches by the steepest way up."""
    height, width = distance.shape
    framed = np.pad(distance, 1, constant_values=-1)
    best, up = distance.copy(), np.arange(height * width, dtype=np.int32).reshape(height, width)
    here = up.copy()
    for dy, dx in [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]:
        there = framed[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        place = here + np.int32(dy * width + dx)
        # Of equal ones the one that comes later, so that no two point at each other.
        steeper = own & ((there > best) | ((there == best) & (place > up)))
        best[steeper], up[steeper] = there[steeper], place[steeper]
    flat = up.ravel()
    while not np.array_equal(further := flat[flat], flat):
        flat = further
    return flat.reshape(height, width)


def _passes(distance: NDArray[np.float32], hill_at: NDArray[np.int32], hills: int) -> Iterator[tuple[float, int, int]]:
    """The highest pass between any two hills that touch, with both, from the highest down."""
    keys: list[NDArray[np.int64]] = []
    heights: list[NDArray[np.float32]] = []
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        a, b = hill_at[one], hill_at[other]
        between = (a != b) & (a >= 0) & (b >= 0)
        pair = np.sort(np.stack([a[between], b[between]]).astype(np.int64), 0)
        keys.append(pair[0] * hills + pair[1])
        heights.append(np.minimum(distance[one][between], distance[other][between]))
    key, height = np.concatenate(keys), np.concatenate(heights)
    order = np.lexsort((key, -height))
    _found, firsts = np.unique(key[order], return_index=True)
    for i in order[np.sort(firsts)].tolist():
        yield float(height[i]), *divmod(int(key[i]), hills)


def _root(joined: list[int], hill: int) -> int:
    while joined[hill] != hill:
        joined[hill] = joined[joined[hill]]
        hill = joined[hill]
    return hill

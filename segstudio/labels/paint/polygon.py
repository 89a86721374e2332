"""The pixels inside an outline, by the even-odd rule over all of its rings: a region by label tile. Pure functions.

A pixel belongs to the shape when its centre (x + 0.5, y + 0.5) lies inside. A centre exactly on an edge belongs to it
if the inside lies to the right of the edge or, on a horizontal one, below: shapes with a common edge share no pixel
and leave none out. In every row each edge turns over what lies to the right of it, so nothing is sorted: a tile's mask
is the parity of what was turned over from the left.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.paint.region import Place, Region

__all__ = ["MAX_COORDINATE", "Ring", "ellipse_region", "polygon_region", "rectangle_region"]

Ring = Sequence[tuple[float, float]] | NDArray[np.float64]
"""Vertices (x, y) in image coordinates, (n, 2); the last is joined to the first. Fewer than three enclose nothing."""

MAX_COORDINATE = 1e9
"""Vertices further out are refused: beyond, a double no longer tells neighbouring pixels apart safely."""

_CROSSINGS = 1 << 20
"""How many crossings of edges and rows are held in memory at once."""


def polygon_region(rings: Sequence[Ring], clip: Rect, cancelled: Callable[[], bool] = lambda: False) -> Region:
    """The pixels of `clip` whose centre lies inside an odd number of rings; see the module for exact ties.

    Rings may cross themselves and each other and lie outside of `clip`. Raises `ValueError` where a vertex is not
    finite or beyond `MAX_COORDINATE`. The cost is the rows that the edges cross, and the tiles on the outline. Where
    `cancelled` becomes true the result is incomplete.
    """
    edges = _edges([_vertices(ring) for ring in rings], clip)
    tiles: dict[Place, NDArray[np.bool_] | None] = {}
    if len(edges.top):
        for ty in range(int(edges.first.min()) // TILE, (int(edges.last.max()) - 1) // TILE + 1):
            if cancelled():
                break
            tiles.update(_band(edges, ty, clip))
    return Region(tiles)


def rectangle_region(left: float, top: float, right: float, bottom: float, clip: Rect) -> Region:
    """The pixels of `clip` whose centre lies in a rectangle; the same as of the polygon of its four corners."""
    x, y = _columns(np.array([left, right]), clip.x, clip.right), _columns(np.array([top, bottom]), clip.y, clip.bottom)
    rect = Rect(int(x[0]), int(y[0]), int(x[1] - x[0]), int(y[1] - y[0]))
    return Region({}) if rect.empty else Region.of_rect(rect)


def ellipse_region(left: float, top: float, right: float, bottom: float, clip: Rect) -> Region:
    """The pixels of `clip` whose centre lies in the ellipse that fills a rectangle; ties as in the module."""
    a, b = (right - left) / 2, (bottom - top) / 2
    middle = left + a, top + b
    first, last = (int(row) for row in _columns(np.array([top, bottom]), clip.y, clip.bottom))
    if last <= first or a <= 0:
        return Region({})
    y = np.arange(first, last, dtype=np.float64) + 0.5 - middle[1]
    half = a * np.sqrt(np.maximum(1.0 - (y / b) ** 2, 0.0))
    start = _settled(_columns(middle[0] - half, clip.x, clip.right), y, middle[0], a, b, clip, inclusive=True)
    stop = _settled(_columns(middle[0] + half, clip.x, clip.right), y, middle[0], a, b, clip, inclusive=False)
    return _of_spans(first, start, np.maximum(start, stop), clip)


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Edges that cross the centres of rows `first` <= row < `last` (int64) of the clip, upper end first.

    At height y an edge is at x + (y - top) * dx / dy (float64).
    """

    x: NDArray[np.float64]
    top: NDArray[np.float64]
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_] | slice) -> "_Edges":
        """Some of them."""
        return _Edges(
            self.x[chosen], self.top[chosen], self.dx[chosen], self.dy[chosen], self.first[chosen], self.last[chosen]
        )


def _vertices(ring: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(ring, np.float64).reshape(-1, 2)
    if not np.all(np.abs(points) <= MAX_COORDINATE):  # nor is NaN
        raise ValueError("a vertex is not finite, or too far away")
    return points


def _edges(rings: list[NDArray[np.float64]], clip: Rect) -> _Edges:
    rings = [ring for ring in rings if len(ring) > 2]
    nothing = np.zeros((0, 2))
    a = np.concatenate([nothing, *rings])
    b = np.concatenate([nothing, *(np.roll(ring, -1, axis=0) for ring in rings)])
    downwards = (a[:, 1] <= b[:, 1])[:, None]
    upper, lower = np.where(downwards, a, b), np.where(downwards, b, a)
    delta = lower - upper
    first, last = (_columns(end[:, 1], clip.y, clip.bottom) for end in (upper, lower))
    edges = _Edges(upper[:, 0], upper[:, 1], delta[:, 0], delta[:, 1], first, last)
    return edges.of(last > first)


def _columns(x: NDArray[np.float64], low: int, high: int) -> NDArray[np.int64]:
    """The first column (row) whose centre is not before x, clipped to the limits."""
    return np.clip(np.ceil(x - 0.5), low, high).astype(np.int64)


def _crossings(
    edges: _Edges, first: int, last: int, clip: Rect
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(row - first, column) from where on pixels are turned over, a part at a time."""
    begin, end = np.maximum(edges.first, first), np.minimum(edges.last, last)
    counts = end - begin
    upto = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(upto[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(upto, before + _CROSSINGS, "right")))
        many = counts[start:stop]
        place = np.repeat(np.arange(start, stop), many)
        row = np.arange(before, int(upto[stop - 1])) - np.repeat(upto[start:stop] - many - begin[start:stop], many)
        # The product is divided: where vertices lie on halves of a pixel, a centre on an edge is met exactly.
        x = edges.x[place] + (row + 0.5 - edges.top[place]) * edges.dx[place] / edges.dy[place]
        yield row - first, _columns(x, clip.x, clip.right)
        start = stop


def _band(edges: _Edges, ty: int, clip: Rect) -> Iterator[tuple[Place, NDArray[np.bool_] | None]]:
    """The tiles of one row of tiles."""
    top = ty * TILE
    here = edges.of((edges.first < top + TILE) & (edges.last > top))
    if not len(here.top):
        return
    begin, count = clip.x // TILE, -(-clip.right // TILE) - clip.x // TILE
    slots = np.full(count + 1, -1)
    turned = np.zeros((0, TILE, TILE), np.uint8)
    parity = np.zeros((TILE, count + 1), np.uint8)
    for row, column in _crossings(here, top, top + TILE, clip):
        tile = column // TILE - begin
        new = np.unique(tile[slots[tile] < 0])
        slots[new] = len(turned) + np.arange(len(new))
        turned = np.concatenate([turned, np.zeros((len(new), TILE, TILE), np.uint8)])
        flat = (slots[tile] * TILE + row) * TILE + column % TILE
        np.bitwise_xor.at(turned.reshape(-1), flat, np.uint8(1))
        np.bitwise_xor.at(parity.reshape(-1), row * (count + 1) + tile, np.uint8(1))
    # What was turned over in the tiles to the left.
    inside = np.bitwise_xor.accumulate(parity, axis=1) ^ parity
    rows = inside.sum(axis=0, dtype=np.int64)
    turned[slots[slots >= 0], :, 0] ^= inside[:, slots >= 0].T
    _accumulate(turned)
    covered = np.count_nonzero(turned.view(np.bool_), axis=(1, 2))
    for n in np.flatnonzero((slots[:count] >= 0) | (rows[:count] > 0)):
        place = ty, begin + int(n)
        if slots[n] < 0:
            yield place, None if rows[n] == TILE else _stripes(inside[:, n])
        elif covered[slots[n]]:
            yield place, None if covered[slots[n]] == TILE * TILE else turned[slots[n]].view(np.bool_)


def _accumulate(turned: NDArray[np.uint8]) -> None:
    """Make each byte (0 or 1) the parity of those up to it in its row, in place, by words of eight bytes at a time."""
    words = turned.view("<u8")
    for bits in (8, 16, 32):
        words ^= words << np.uint64(bits)
    odd = words >> np.uint64(56)
    words ^= (np.bitwise_xor.accumulate(odd, axis=-1) ^ odd) * np.uint64(0x0101010101010101)


def _stripes(inside: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.repeat(inside.view(np.bool_)[:, None], TILE, axis=1)


def _settled(
    column: NDArray[np.int64],
    y: NDArray[np.float64],
    middle: float,
    a: float,
    b: float,
    clip: Rect,
    *,
    inclusive: bool,
) -> NDArray[np.int64]:
    """The first column in each row inside the ellipse, or the first beyond it: the root is off by rounding at most.

    On the left half the outline itself belongs to the shape (`inclusive`), on the right it does not.
    """
    result = column + 1
    for step in (0, -1):
        x = column + step + 0.5 - middle
        square, limit = (x * b) ** 2 + (y * a) ** 2, (a * b) ** 2
        if inclusive:
            there = (
                ((square <= limit) & (x < 0)) | ((square < limit) & (x >= 0)) | ((square == limit) & (x == 0) & (y < 0))
            )
        else:
            there = (x >= 0) & (square >= limit) & ~((square == limit) & (x == 0) & (y < 0))
        result = np.where(there, column + step, result)
    return np.clip(result, clip.x, clip.right)


def _of_spans(top: int, left: NDArray[np.int64], right: NDArray[np.int64], clip: Rect) -> Region:
    """The region of one span a row."""
    filled = np.flatnonzero(right > left)
    # Each span as two upright edges one row high.
    x = np.concatenate([left[filled], right[filled]]).astype(np.float64)
    row = np.concatenate([filled, filled]) + top
    one = np.ones(len(x))
    edges = _Edges(x, row.astype(np.float64), np.zeros(len(x)), one, row, row + 1)
    tiles: dict[Place, NDArray[np.bool_] | None] = {}
    if len(x):
        for ty in range(int(row.min()) // TILE, int(row.max()) // TILE + 1):
            tiles.update(_band(edges, ty, clip))
    return Region(tiles)

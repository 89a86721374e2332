"""Windows that cover a plane at the working scale, with an overlap that is blended. Pure arithmetic, no torch.

Everything is counted in units of 32 network pixels, which are `pitch` image pixels: so every window begins on a whole
pixel on both sides, and every side suits the strides of the networks. A window is predicted; around it, up to `context`
units only go through the encoder, as far as the plane reaches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect

__all__ = ["UNIT", "Axis", "Grid", "Window"]

UNIT = 32


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension: windows of `side` units from each of `starts`; the first begins at 0, the last ends at the rim."""

    units: int
    side: int
    starts: tuple[int, ...]
    context: int = 0

    @classmethod
    def covering(cls, units: int, most: int, overlap: int, context: int = 0) -> "Axis":
        """The fewest windows of at most `most` units with at least `overlap` units in common, as small as possible.

        Few and small windows put the fewest pixels through the network. What is no longer than a window with its
        context is one window.
        """
        if units <= most + 2 * context:
            return cls(units, units, (0,))
        n = ceil((units - overlap) / (most - overlap))
        side = ceil((units + (n - 1) * overlap) / n)
        starts = [round(i * (units - side) / (n - 1)) for i in range(n)]
        return cls(units, side, tuple(starts), context)

    def seen(self, index: int) -> tuple[int, int]:
        """Where the context of a window begins, and how long both are together: the same for all windows. At the rim
        of the plane the context lies on the other side.
        """
        length = min(self.side + 2 * self.context, self.units)
        return min(max(self.starts[index] - self.context, 0), self.units - length), length

    def touching(self, low: float, high: float) -> range:
        """Indices of the windows that reach into the interval low ... high (units)."""
        found = [i for i, start in enumerate(self.starts) if start < high and start + self.side > low]
        return range(found[0], found[-1] + 1)

    def weights(self, index: int) -> NDArray[np.float32]:
        """Weight of each network pixel of a window: rising linearly over the overlap with a neighbour, 1 elsewhere.

        The outermost eighth of an overlap counts almost nothing: there a window sees least of its surroundings.
        """
        out = np.ones(self.side * UNIT, np.float32)
        start = self.starts[index]
        if index > 0:
            shared = (self.starts[index - 1] + self.side - start) * UNIT
            out[:shared] = np.minimum(out[:shared], _ramp(shared))
        if index + 1 < len(self.starts):
            shared = (start + self.side - self.starts[index + 1]) * UNIT
            out[-shared:] = np.minimum(out[-shared:], _ramp(shared)[::-1])
        return out


def _ramp(length: int) -> NDArray[np.float32]:
    rim = length // 8
    along = (np.arange(length) + 0.5 - rim) / max(length - 2 * rim, 1)
    return np.clip(along, 1e-4, 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Window:
    """A window by its place in the grid. `net` are the pixels that are drawn, `seen` those and their context, both in
    the network's coordinates of the plane; `image` are the image pixels of `seen` (it may reach beyond the plane).
    """

    row: int
    column: int
    image: Rect
    seen: Rect
    net: Rect


@dataclass(frozen=True, slots=True)
class Grid:
    """The windows of one plane of width x height image pixels at 32 / pitch."""

    width: int
    height: int
    pitch: int
    x: Axis
    y: Axis

    @classmethod
    def covering(
        cls, width: int, height: int, pitch: int, most_px: int, overlap_px: int, context_px: int = 0
    ) -> "Grid":
        """Windows of at most `most_px` network pixels a side, overlapping by at least `overlap_px`, that see at least
        `context_px` more on every side.
        """
        most, overlap, context = most_px // UNIT, ceil(overlap_px / UNIT), ceil(context_px / UNIT)
        x = Axis.covering(ceil(width / pitch), most, overlap, context)
        y = Axis.covering(ceil(height / pitch), most, overlap, context)
        return cls(width, height, pitch, x, y)

    def window(self, row: int, column: int) -> Window:
        """The window at a place."""
        (x, w), (y, h) = self.x.seen(column), self.y.seen(row)
        image, seen = (Rect(x * unit, y * unit, w * unit, h * unit) for unit in (self.pitch, UNIT))
        net = Rect(self.x.starts[column] * UNIT, self.y.starts[row] * UNIT, self.x.side * UNIT, self.y.side * UNIT)
        return Window(row, column, image, seen, net)

    def touching(self, rect: Rect) -> Iterator[tuple[int, int]]:
        """Places (row, column) of the windows that a rectangle of image pixels needs, row by row."""
        for row in self.y.touching(rect.y / self.pitch - 1 / UNIT, rect.bottom / self.pitch + 1 / UNIT):
            for column in self.x.touching(rect.x / self.pitch - 1 / UNIT, rect.right / self.pitch + 1 / UNIT):
                yield row, column

    def tile(self, ty: int, tx: int) -> Rect:
        """The part of a label tile that lies in the plane."""
        return Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(Rect(0, 0, self.width, self.height))

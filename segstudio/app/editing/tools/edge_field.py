"""Paths along edges from one point of the image, in a window around it, at the level at which the image is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segstudio.app.editing.tools.areas import level_for
from segstudio.app.editing.tools.overlay import Point
from segstudio.geometry import Rect

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.edge_paths import EdgeMap

__all__ = ["Field", "edge_field"]

_SIDE = 600
"""Of the window, in pixels of the level."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The paths from `start`; `window` is in cells of `step` image pixels."""

    start: Point
    step: int
    window: Rect
    edges: EdgeMap

    def path(self, to: Point) -> tuple[Point, ...]:
        """The way to another point, both ends included; straight on where that leaves the window."""
        column = min(max(int(to[0] // self.step), self.window.x), self.window.right - 1) - self.window.x
        row = min(max(int(to[1] // self.step), self.window.y), self.window.bottom - 1) - self.window.y
        corners = self.edges.path((column, row))
        beyond = not (self.window.x <= to[0] // self.step < self.window.right) or not (
            self.window.y <= to[1] // self.step < self.window.bottom
        )
        between = corners[1:] if beyond and len(corners) > 2 else corners[1:-1]
        x, y = (between.T + 0.5) * self.step
        corner = self.window.x * self.step, self.window.y * self.step
        middles = zip((x + corner[0]).tolist(), (y + corner[1]).tolist(), strict=True)
        return (self.start, *middles, to)


def edge_field(image: DisplayImage, start: Point, scale: float) -> Field:
    """The paths from a point, which may lie beside the image. For a worker thread."""
    from segstudio.imaging.display import to_rgb
    from segstudio.imaging.edge_paths import EdgeMap

    level = level_for(scale, image.levels)
    width, height = image.stored.sizes[level]
    step = 1 << level
    x = min(max(int(start[0] // step), 0), width - 1)
    y = min(max(int(start[1] // step), 0), height - 1)
    window = Rect(x - _SIDE // 2, y - _SIDE // 2, _SIDE, _SIDE).intersected(Rect(0, 0, width, height))
    colours = to_rgb(image.samples(level, window), image.view)
    return Field(start, step, window, EdgeMap(colours, (x - window.x, y - window.y)))

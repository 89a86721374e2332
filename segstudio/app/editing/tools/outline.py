"""Outlines of vertices, of one ring or several: how they are shown while they are drawn, and what they enclose."""

from collections.abc import Callable, Sequence

from segstudio.app.editing.tools.overlay import Overlay, Point, Polyline
from segstudio.app.editing.tools.shape import Area
from segstudio.app.editing.tools.trail import Trail
from segstudio.geometry import Rect
from segstudio.labels.paint.polygon import polygon_region
from segstudio.labels.paint.region import Region

__all__ = ["is_long", "outline_area", "outlined"]

_LONG_POINTS = 1000


def is_long(trails: Sequence[Trail]) -> bool:
    """Whether an outline is shown as a line alone: what spans all of it would be drawn again at every event."""
    return sum(map(len, trails)) > _LONG_POINTS


def outlined(trails: Sequence[Trail], color: str) -> Overlay:
    """The lines of rings, none of them closed, and unless they are long a tint of what they enclose together."""
    lines = tuple(shape for trail in trails for shape in trail.shapes())
    if is_long(trails):
        return lines
    # One ring after the other, each from and to the same point: the ways between them enclose nothing.
    start = trails[0].points[0]
    around = tuple(point for trail in trails for point in (*trail.points, trail.points[0], start))
    return (Polyline(around, fill=color, stroked=False), *lines) if len(around) > 4 else lines


def outline_area(rings: Sequence[Sequence[Point]]) -> Area:
    """The area inside rings by the even-odd rule."""
    kept = tuple(tuple(ring) for ring in rings)
    xs, ys = ([point[axis] for ring in kept for point in ring] for axis in (0, 1))
    bounds = Rect.of_edges(min(xs), min(ys), max(xs), max(ys)) if xs else Rect(0, 0, 0, 0)

    def inside(plane: Rect, cancelled: Callable[[], bool]) -> Region:
        return polygon_region(kept, plane, cancelled)

    return Area(bounds, len(xs), inside)

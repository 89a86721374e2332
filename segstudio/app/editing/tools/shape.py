"""The base of tools that paint an outlined area at once: what all of them do when their outline is closed.

Until then nothing is painted: the outline is shown above the image. The pixels of a large area are computed on a
worker; the outline stays in sight until they have arrived, and takes no further points.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, Later, ToolHandler
from segstudio.app.editing.tools.painting import Painted, Painting
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.region_painting import HURRY_S, SLICE_S, Next
from segstudio.app.editing.tools.shape_options import erases
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ClassId, LabelClass
from segstudio.labels.paint.flood import Cancelled, never
from segstudio.labels.paint.region import Region
from segstudio.labels.paint.stroke import Point
from segstudio.text import _

__all__ = ["Area", "ShapeTool"]

_LARGE_PX = 1 << 19
"""Pixels of the rectangle around an area that a worker computes rather than the event that closes it."""

_MANY_POINTS = 4000
"""Vertices from which on a worker computes it as well."""

_UNKNOWN_TINT = "#ffffff"

Inside: TypeAlias = Callable[[Rect, Callable[[], bool]], Region]
"""Computes the pixels of an area within a rectangle (the plane), on any thread; see `Computation` for the second."""


@dataclass(frozen=True, slots=True)
class Area:
    """A closed outline, as a value: the rectangle around it, its number of vertices, and how its pixels are found."""

    bounds: Rect
    points: int
    inside: Inside


def _covers_nothing() -> str:
    return _("Nothing is painted: the shape covers no pixel.")


def _class_is_gone() -> str:
    return _("Nothing is painted: the class was removed meanwhile.")


class ShapeTool(ToolHandler):
    """`area()` is the outline so far as a value; the tool begins with `_begin` and ends with `_close`.

    Class and object are those of its first point: left paints the class, or makes pixels unknown where the option says
    so, right paints background. `button` is the one that began, `waits` says that the pixels are being computed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._begun: Point | None = None
        self.button = Button.NONE
        self.waits = False
        self._class: ClassId | None = None
        self._painting: Painting | None = None
        self._context: Context | None = None
        self._putting: Iterator[Rect] | None = None
        self._changed = NOWHERE

    @property
    def active(self) -> bool:
        """Whether an outline has begun and not ended."""
        return self._begun is not None

    @abstractmethod
    def area(self) -> Area:
        """What the outline encloses now, an open one joined by a straight line."""

    @abstractmethod
    def clear(self) -> None:
        """Forget the outline."""

    def interrupted(self, context: Context) -> Answer:
        """What is held by a button ends as if it had been released; what is being computed goes on."""
        return self._close(context) if self.active and not self.waits else Answer()

    def arrived(self, value: object, context: Context) -> Answer:
        """Put in place what was computed, a slice an event, and end."""
        if isinstance(value, Painted) and self.waits and self._putting is None and self._painting is not None:
            if value.region.empty:
                return Answer(ends=End.DROP, says=_covers_nothing())
            self._putting = self._painting.put(value)
        elif not isinstance(value, Next):
            return Answer()
        if not self._is_put(SLICE_S):
            return Answer(asks=Computation(lambda _: Next()))
        return Answer(self._changed, ends=End.KEEP)

    def _is_put(self, within_s: float) -> bool:
        """Put tiles in place for so long; whether all of them are there."""
        ends = perf_counter() + within_s
        for rect in self._putting or ():
            self._changed = self._changed.united(rect)
            if perf_counter() > ends:
                return False
        self.waits = False
        return True

    def unfinished(self, context: Context) -> Later | None:
        """What a large outline encloses now, where it is not painted yet."""
        if self._begun is None:
            return None
        area, painted = self.area(), self._painted_class(context)
        if self._putting is not None and self._is_put(HURRY_S):
            return None
        if not self.waits and (self._painting is not None or not _is_large(area, context)):
            return None
        if painted is None and self._class is not None:
            raise UserError(_class_is_gone())
        name, at = self.name, self._begun

        def made(context: Context, cancelled: Cancelled) -> Edit | None:
            region = area.inside(context.document.raster.bounds(context.paint.plane), cancelled)
            if region.empty and not cancelled():
                raise UserError(_covers_nothing())
            painting = Painting(context, name, at, painted)
            painting.region(region)
            return painting.commit()

        return Later(self._context or context, made, painted)

    def commit(self, context: Context) -> Edit | None:
        """Paint what is enclosed now, and end; None where it changes nothing or nothing was begun."""
        if self.active and self._painting is None:
            region = self.area().inside(context.document.raster.bounds(context.paint.plane), never)
            if not region.empty and (painting := self._started(context)) is not None:
                painting.region(region)
        edit = None if self._painting is None else self._painting.commit()
        self._end()
        return edit

    def abort(self) -> dict[int, Rect]:
        """End as if it had never begun; what has to be drawn again, by plane."""
        painting = self._painting
        self._end()
        return {} if painting is None else painting.abort()

    def _begin(self, event: Pointer, context: Context) -> None:
        self._begun, self.button = event.at, event.button
        unlabels = event.button is Button.LEFT and erases(context.paint)
        self._class = None if unlabels else context.paint.class_of(event.button).id

    def _close(self, context: Context) -> Answer:
        """Paint the area and end, at once or once it is computed."""
        area, plane = self.area(), context.document.raster.bounds(context.paint.plane)
        large = _is_large(area, context)
        region = Region({}) if large else area.inside(plane, never)
        if region.empty and not large:
            return Answer(ends=End.DROP, says=_covers_nothing())
        painting = self._started(context)
        if painting is None:
            return Answer(ends=End.DROP, says=_class_is_gone())
        if not large:
            return Answer(painting.region(region), ends=End.KEEP)
        self.waits, self._context = True, context
        return Answer(asks=Computation(painting.later(lambda cancelled: area.inside(plane, cancelled))))

    def _started(self, context: Context) -> Painting | None:
        """The painting, begun if it is not; None where its class was removed."""
        painted = self._painted_class(context)
        if self._painting is None and self._begun is not None and (painted is not None or self._class is None):
            self._painting = Painting(context, self.name, self._begun, painted)
        return self._painting

    def _painted_class(self, context: Context) -> LabelClass | None:
        """The class that is painted as it is today; None for unknown, and where it was removed."""
        return None if self._class is None else context.paint.classes.effective(self._class)

    def _color(self, context: Context) -> str:
        painted = self._painted_class(context)
        return _UNKNOWN_TINT if painted is None else painted.color

    def _end(self) -> None:
        self._begun, self._painting, self.waits = None, None, False
        self.button, self._class, self._context = Button.NONE, None, None
        self._putting, self._changed = None, NOWHERE
        self.clear()


def _is_large(area: Area, context: Context) -> bool:
    """Whether its pixels take long to compute."""
    plane = context.document.raster.bounds(context.paint.plane)
    return area.bounds.intersected(plane).area > _LARGE_PX or area.points > _MANY_POINTS

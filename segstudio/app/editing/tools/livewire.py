"""Livewire: clicks around a thing; from one to the next the outline follows the edges of the image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot
from typing import TYPE_CHECKING

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import Answer, Context, End, Later
from segstudio.app.editing.tools.edge_field import Field, edge_field
from segstudio.app.editing.tools.overlay import Handles, Overlay, Point, Polyline
from segstudio.app.editing.tools.painting import PaintingTool
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.app.editing.tools.region_painting import Compute, RegionPainting, Wanted
from segstudio.geometry import Rect
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.flood import Cancelled
from segstudio.labels.paint.polygon import polygon_region
from segstudio.labels.paint.region import Region
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage

__all__ = ["LivewireTool"]

_NEAR_PX = 8.0
_FIELDS_KEPT = 4
"""Each takes some 10 MB."""
Path = tuple[Point, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Traced:
    """What the worker found: paths of segments by number, and the paths from the last anchor."""

    paths: dict[int, Path]
    field: Field


class LivewireTool(PaintingTool[RegionPainting]):
    """Under way from the first anchor on. What is not traced yet is a straight line, until the worker has its path.

    A segment ends at each anchor but the first. Enter, a double click, or a click on the first anchor closes and fills.
    """

    keys = frozenset({Key.ENTER, Key.BACKSPACE})

    def __init__(self, name: str) -> None:
        self.name = name
        self.forget()

    def forget(self) -> None:
        """Follow nothing."""
        self._anchors: list[Point] = []
        self._lines: list[Polyline] = []
        self._untraced: set[int] = set()
        self._fields: dict[Point, Field] = {}
        self._field: Field | None = None
        self._class: LabelClass | None = None
        self._scale = 1.0
        self._pointer: Pointer | None = None
        self._closing = False
        self._painting: RegionPainting | None = None

    @property
    def active(self) -> bool:
        """Whether an outline has begun and not ended."""
        return bool(self._anchors)

    def press(self, event: Pointer, context: Context) -> Answer:
        """Set an anchor, or close by a click on the first one."""
        if event.button not in (Button.LEFT, Button.RIGHT) or self._closing:
            return Answer()
        if not self._anchors:
            if context.seen.image is None:
                return Answer(says=_("The image is not on screen yet."))
            self._class = context.paint.class_of(event.button)
        elif len(self._anchors) > 1 and self._near_first(event):
            return self._close(context)
        elif event.at == self._anchors[-1]:
            return Answer()
        self._add(event.at)
        self._anchors.append(event.at)
        self._scale, self._field, self._pointer = event.scale, None, event
        return Answer(overlay=self._overlay(), asks=self._question(context))

    def double_click(self, event: Pointer, context: Context) -> Answer:
        """Close: the first click of the two has set the last anchor."""
        return self._close(context) if len(self._anchors) > 1 and not self._closing else Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """The same as without a button."""
        return self.hover(event, context)

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show the path to the pointer."""
        if not self._anchors or self._closing:
            return Answer()
        self._pointer = event
        return Answer(overlay=self._overlay())

    def leave(self, event: Pointer, context: Context) -> Answer:
        """Show the outline so far."""
        self._pointer = None
        return Answer(overlay=self._overlay()) if self._anchors else Answer()

    def key(self, event: KeyEvent, context: Context) -> Answer:
        """Enter closes, Backspace takes the last anchor back."""
        if not event.down or self._closing:
            return Answer()
        return self._close(context) if event.key is Key.ENTER else self._take_back(context)

    def interrupted(self, context: Context) -> Answer:
        """It goes on: no button has to be held."""
        return Answer()

    def arrived(self, value: object, context: Context) -> Answer:
        """Paths that were waited for, or the area inside the outline."""
        if self._painting is not None:
            return self._painting.arrived(value)
        if not isinstance(value, _Traced) or not self._anchors:
            return Answer()
        for number, path in value.paths.items():
            self._lines[number] = Polyline(path)
        self._untraced.clear()
        self._field = value.field
        return self._paint(context) if self._closing else Answer(overlay=self._overlay())

    def unfinished(self, context: Context) -> Later | None:
        """What lies inside the outline as it is shown, closed; one that was closed follows its edges first."""
        if self._painting is None and len(self._anchors) > 1:
            if self._closing and (question := self._question(context)) is not None:
                return self._traced_later(context, question)
            if not self._closing:
                self._add(self._anchors[0])
            self._painting = self._filling(context)
        return None if self._painting is None else self._painting.unfinished()

    def _traced_later(self, context: Context, question: Computation) -> Later:
        """What lies inside an outline whose paths are not all known."""
        lines, bounds = list(self._lines), context.document.raster.bounds(context.paint.plane)

        def inside(cancelled: Cancelled) -> Region | None:
            found = question.work(cancelled)
            if not isinstance(found, _Traced):
                return None
            paths = {n: Polyline(path) for n, path in found.paths.items()}
            return _inside(_ring(paths.get(n, line) for n, line in enumerate(lines)), bounds, cancelled)

        return self._wanted(inside).later(context)

    def _near_first(self, event: Pointer) -> bool:
        x, y = self._anchors[0]
        return hypot(x - event.x, y - event.y) * event.scale <= _NEAR_PX

    def _add(self, to: Point) -> None:
        """A further segment from the last anchor, by its path where that is known."""
        if not self._anchors:
            return
        if self._field is None:
            self._untraced.add(len(self._lines))
            self._lines.append(Polyline((self._anchors[-1], to)))
        else:
            self._lines.append(Polyline(self._field.path(to)))

    def _take_back(self, context: Context) -> Answer:
        self._anchors.pop()
        if not self._anchors:
            return Answer(ends=End.DROP)
        self._lines.pop()
        self._untraced.discard(len(self._lines))
        self._field = self._fields.get(self._anchors[-1])
        if self._field is not None and not self._untraced:
            return Answer(overlay=self._overlay())
        return Answer(overlay=self._overlay(), asks=self._question(context))

    def _close(self, context: Context) -> Answer:
        if len(self._anchors) < 2:
            return Answer(ends=End.DROP, says=_("The outline covers no pixel: click around what you want to fill."))
        self._add(self._anchors[0])
        self._closing, self._pointer = True, None
        if self._untraced:
            return Answer(overlay=self._overlay(), asks=self._question(context))
        return self._paint(context)

    def _paint(self, context: Context) -> Answer:
        self._painting = self._filling(context)
        return self._painting.begin()

    def _filling(self, context: Context) -> RegionPainting:
        bounds = context.document.raster.bounds(context.paint.plane)
        compute = partial(_inside, _ring(self._lines), bounds)
        return RegionPainting(self._wanted(compute), context, quick=compute, waiting=self._overlay())

    def _wanted(self, compute: Compute) -> Wanted:
        assert self._class is not None
        return Wanted(self.name, self._anchors[0], self._class, lambda _document: compute)

    def _question(self, context: Context) -> Computation | None:
        """Ask for the paths that are missing, and for those from the last anchor."""
        image = context.seen.image
        if image is None:
            return None
        missing = {n: (self._lines[n].points[0], self._lines[n].points[-1]) for n in self._untraced}
        return Computation(partial(_traced, self._fields, image, missing, self._anchors[-1], self._scale))

    def _overlay(self) -> Overlay:
        pointer = None if self._closing else self._pointer
        hot = 0 if pointer is not None and len(self._anchors) > 1 and self._near_first(pointer) else -1
        handles = Handles(tuple(self._anchors), hot)
        if pointer is None:
            return (*self._lines, handles)
        to = self._anchors[0] if hot == 0 else pointer.at
        path = (self._anchors[-1], to) if self._field is None else self._field.path(to)
        return (*self._lines, Polyline(path, dashed=self._field is None), handles)


def _traced(
    fields: dict[Point, Field],
    image: DisplayImage,
    missing: dict[int, tuple[Point, Point]],
    last: Point,
    scale: float,
    cancelled: Callable[[], bool],
) -> _Traced | None:
    """Paths and field. Finished fields go into `fields` at once, so that a newer question has them; a few are kept."""

    def field_from(start: Point) -> Field | None:
        if start not in fields and not cancelled():
            fields[start] = edge_field(image, start, scale)
            for old in list(fields)[:-_FIELDS_KEPT]:
                del fields[old]
        return fields.get(start)

    paths: dict[int, Path] = {}
    for number, (start, to) in missing.items():
        if (field := field_from(start)) is None:
            return None
        paths[number] = field.path(to)
    last_field = field_from(last)
    return None if last_field is None else _Traced(paths, last_field)


def _ring(lines: Iterable[Polyline]) -> list[Point]:
    """The outline that goes along lines, each of which begins where the last one ends."""
    return [point for line in lines for point in line.points[:-1]]


def _inside(outline: Sequence[Point], bounds: Rect, cancelled: Cancelled) -> Region | None:
    """The pixels inside a ring; None where it was cancelled: what was found until then is not the area."""
    region = polygon_region([outline], bounds, cancelled)
    return None if cancelled() else region

"""Rectangle and ellipse: dragged from corner to corner, or from the middle."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from segstudio.app.editing.tools.base import Answer, Context
from segstudio.app.editing.tools.overlay import Overlay, Point, Polyline
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.app.editing.tools.shape import Area, ShapeTool
from segstudio.geometry import Rect
from segstudio.labels.paint.polygon import ellipse_region, rectangle_region
from segstudio.labels.paint.region import Region

__all__ = ["Box", "BoxTool"]

_ELLIPSE_POINTS = 128
"""Corners of the ellipse on the screen: at a radius of 1000 view pixels it is off by a third of one."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of float edges in image coordinates."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def dragged(cls, start: Point, end: Point, *, square: bool, from_middle: bool) -> "Box":
        """The box of a drag; a square has the longer of its sides."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        if square:
            side = max(abs(dx), abs(dy))
            dx, dy = math.copysign(side, dx), math.copysign(side, dy)
        other = (start[0] - dx, start[1] - dy) if from_middle else start
        xs, ys = (other[0], start[0] + dx), (other[1], start[1] + dy)
        return cls(min(xs), min(ys), max(xs), max(ys))

    def rectangle(self) -> tuple[Point, ...]:
        """Its corners."""
        return (self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)

    def ellipse(self) -> tuple[Point, ...]:
        """Points of the ellipse that fills it, for the eye."""
        a, b = (self.right - self.left) / 2, (self.bottom - self.top) / 2
        turns = [2 * math.pi * n / _ELLIPSE_POINTS for n in range(_ELLIPSE_POINTS)]
        return tuple((self.left + a * (1 + math.cos(t)), self.top + b * (1 + math.sin(t))) for t in turns)


class BoxTool(ShapeTool):
    """Idle until a press, a box until the release. Shift makes it a square or a circle, Alt or Ctrl+Shift puts its
    middle where the drag began; a modifier counts from the moment when it goes down, without a move of the pointer.
    """

    keys = frozenset({Key.SHIFT, Key.CTRL, Key.ALT})

    def __init__(self, name: str, *, round_: bool) -> None:
        super().__init__(name)
        self._round = round_
        self._start: Point = (0.0, 0.0)
        self._at: Point = (0.0, 0.0)
        self._held: frozenset[Key] = frozenset()

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin. Nothing happens while a box is under way."""
        if self.active or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        self._begin(event, context)
        self._start = event.at
        self._follow(event)
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Put the other corner here."""
        if self.waits or not self.active:
            return Answer()
        self._follow(event)
        return Answer(overlay=self._shown(context))

    def release(self, event: Pointer, context: Context) -> Answer:
        """Paint the box where its own button goes up."""
        if self.waits or not self.active or event.button is not self.button:
            return Answer()
        self._follow(event)
        return self._close(context)

    def key(self, event: KeyEvent, context: Context) -> Answer:
        """A modifier changes the box at once."""
        if self.waits:
            return Answer()
        # The event's own flags are those before it on some systems and those after it on others.
        self._held = self._held | {event.key} if event.down else self._held - {event.key}
        return Answer(overlay=self._shown(context))

    def area(self) -> Area:
        """What lies inside the box, or the ellipse in it."""
        box, region = self._box, ellipse_region if self._round else rectangle_region

        def inside(plane: Rect, _cancelled: Callable[[], bool]) -> Region:
            return region(box.left, box.top, box.right, box.bottom, plane)

        return Area(Rect.of_edges(box.left, box.top, box.right, box.bottom), 4, inside)

    def clear(self) -> None:
        """Forget which modifiers were held."""
        self._held = frozenset()

    @property
    def _box(self) -> Box:
        from_middle = Key.ALT in self._held or {Key.CTRL, Key.SHIFT} <= self._held
        square = Key.SHIFT in self._held and Key.CTRL not in self._held
        return Box.dragged(self._start, self._at, square=square, from_middle=from_middle)

    def _follow(self, event: Pointer) -> None:
        self._at = event.at
        held = {Key.SHIFT: event.shift, Key.CTRL: event.ctrl, Key.ALT: event.alt}
        self._held = frozenset(key for key, down in held.items() if down)

    def _shown(self, context: Context) -> Overlay:
        points = self._box.ellipse() if self._round else self._box.rectangle()
        return (Polyline(points, closed=True, fill=self._color(context)),)

"""The polygon: corners by clicks, freehand parts by dragging, holes by further rings; painted when it is closed."""

import math
from dataclasses import dataclass, field

from segstudio.app.editing.tools.base import Answer, Context, End
from segstudio.app.editing.tools.outline import is_long, outline_area, outlined
from segstudio.app.editing.tools.overlay import Handles, Overlay, Point, Polyline, reused
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.app.editing.tools.shape import Area, ShapeTool
from segstudio.app.editing.tools.trail import Trail

__all__ = ["PolygonTool"]

_NEAR_PX = 8.0
"""View pixels within which a corner is taken hold of."""

_DRAG_PX = 4.0
"""View pixels that a held pointer moves before it is a drag and not a click."""


@dataclass(slots=True, eq=False)
class _Ring:
    """`corners` are the places of the points that a person set one by one; those between two are drawn freehand."""

    trail: Trail
    corners: list[int] = field(default_factory=lambda: [0])
    closed: bool = False


@dataclass(slots=True)
class _Hold:
    """A held button: where it went down, the corner that it took hold of (ring, index), and whether it has moved."""

    at: Point
    corner: tuple[_Ring, int] | None
    dragged: bool = False


class PolygonTool(ShapeTool):
    """Under way from the first click until Enter, a double click, or a click on the first corner.

    With the button held, the pointer draws freehand, or moves the corner that it took hold of. Alt or Ctrl+Shift begins
    another ring; the rings together enclose an area by the even-odd rule, so a ring inside another is a hole. A click
    on the first corner of such a ring closes that one alone. Backspace takes back the last click or freehand part.
    """

    keys = frozenset({Key.ENTER, Key.BACKSPACE})

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._rings: list[_Ring] = []
        self._hold: _Hold | None = None
        self._seen: Overlay = ()

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin, set a corner, or take hold of one; only the button that began counts."""
        if not self.active and event.button in (Button.LEFT, Button.RIGHT):
            self._begin(event, context)
        if self.waits or event.button is not self.button:
            return Answer()
        new_ring = not self._rings or event.alt or (event.ctrl and event.shift)
        near = None if new_ring else self._near(event)
        self._hold = _Hold(event.at, near)
        if near is None:
            self._add(event.at, new_ring=new_ring)
        return Answer(overlay=self._shown(event, context))

    def move(self, event: Pointer, context: Context) -> Answer:
        """Draw freehand, or move the corner that is held."""
        hold = self._hold
        if hold is None or self.waits:
            return Answer()
        away = math.dist(hold.at, event.at) * event.scale
        hold.dragged = hold.dragged or away > _DRAG_PX
        if hold.dragged and hold.corner is not None:
            ring, index = hold.corner
            ring.trail.move(index, event.at)
        elif hold.dragged:
            self._rings[-1].trail.append(event.at)
        return Answer(overlay=self._shown(event, context))

    def release(self, event: Pointer, context: Context) -> Answer:
        """The end of a freehand part, or of a click: one on a first corner closes."""
        hold = self._hold
        if hold is None or self.waits or event.button is not self.button:
            return Answer()
        self._let_go()
        if hold.corner is not None and not hold.dragged:
            if self._closes(*hold.corner):
                return self._close(context)
            if not self._rings[-1].closed:
                self._add(hold.at, new_ring=False)
        return Answer(overlay=self._shown(event, context))

    def double_click(self, event: Pointer, context: Context) -> Answer:
        """Close: the first of the two clicks has set the last corner, or has closed it already."""
        return self._close(context) if self._takes(event) else Answer()

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show where the next line would go, and the corner that would be taken hold of."""
        return Answer(overlay=self._shown(event, context)) if self.active and not self.waits else Answer()

    def leave(self, event: Pointer, context: Context) -> Answer:
        """The next line goes nowhere."""
        return Answer(overlay=self._shown(None, context)) if self.active and not self.waits else Answer()

    def key(self, event: KeyEvent, context: Context) -> Answer:
        """Enter closes, Backspace takes back; neither while a button is held."""
        if not event.down or self.waits or self._hold is not None:
            return Answer()
        if event.key is Key.ENTER:
            return self._close(context)
        self._take_back()
        return Answer(overlay=self._shown(None, context)) if self._rings else Answer(ends=End.DROP)

    def interrupted(self, context: Context) -> Answer:
        """What is held is let go; the polygon goes on."""
        self._let_go()
        return Answer()

    def area(self) -> Area:
        """What lies inside the rings."""
        return outline_area([ring.trail.points for ring in self._rings])

    def clear(self) -> None:
        """Forget the rings."""
        self._rings, self._hold, self._seen = [], None, ()

    def _takes(self, event: Pointer) -> bool:
        return self.active and not self.waits and event.button is self.button

    def _add(self, at: Point, *, new_ring: bool) -> None:
        if new_ring or self._rings[-1].closed:
            self._rings.append(_Ring(Trail(at)))
            return
        ring = self._rings[-1]
        ring.trail.append(at)
        if ring.corners[-1] != len(ring.trail) - 1:
            ring.corners.append(len(ring.trail) - 1)

    def _let_go(self) -> None:
        """The end of a freehand part is a corner."""
        hold, self._hold = self._hold, None
        if hold is not None and hold.corner is None and hold.dragged:
            ring = self._rings[-1]
            if ring.corners[-1] != len(ring.trail) - 1:
                ring.corners.append(len(ring.trail) - 1)

    def _closes(self, ring: _Ring, index: int) -> bool:
        """Whether a click on this corner closes the shape; it may close a ring of it alone."""
        if index > 0 or len(ring.trail) < 3:
            return False
        if ring is self._rings[0]:
            return True
        if ring is self._rings[-1]:
            ring.closed = True
        return False

    def _take_back(self) -> None:
        ring = self._rings[-1]
        if ring.closed:
            ring.closed = False
            return
        ring.corners.pop()
        if ring.corners:
            ring.trail.cut(ring.corners[-1] + 1)
        else:
            self._rings.pop()

    def _near(self, event: Pointer) -> tuple[_Ring, int] | None:
        """The nearest corner within reach of the pointer."""
        reach, found = _NEAR_PX / event.scale, None
        for ring in self._rings:
            for index in ring.corners:
                away = math.dist(ring.trail.points[index], event.at)
                if away <= reach:
                    reach, found = away, (ring, index)
        return found

    def _shown(self, event: Pointer | None, context: Context) -> Overlay:
        trails = [ring.trail for ring in self._rings]
        shapes = outlined(trails, self._color(context))
        shapes += tuple(Polyline((t.points[-1], t.points[0])) for t in trails[:-1] if len(t) > 2)
        last = self._rings[-1]
        held = self._hold is not None
        if last.closed:
            shapes += (Polyline((last.trail.points[-1], last.trail.points[0])),)
        elif event is not None and not held and not is_long(trails):
            shapes += (Polyline((last.trail.points[-1], event.at), dashed=True),)
        hot = self._hold.corner if self._hold is not None else None if event is None else self._near(event)
        self._seen = reused((*shapes, self._handles(hot)), self._seen)
        return self._seen

    def _handles(self, hot: tuple[_Ring, int] | None) -> Handles:
        points = [(ring, index) for ring in self._rings for index in ring.corners]
        return Handles(tuple(r.trail.points[n] for r, n in points), -1 if hot is None else points.index(hot))

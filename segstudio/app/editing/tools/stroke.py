"""Brush and eraser: a stroke from the press of a button to its release."""

from dataclasses import dataclass

from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, ToolHandler
from segstudio.app.editing.tools.brush_options import is_square, pressed_radius
from segstudio.app.editing.tools.overlay import Overlay, Polyline
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ImageId, LabelClass, ObjectId, Touch
from segstudio.labels.paint.limits import Limits
from segstudio.labels.paint.policy import MayTouch
from segstudio.labels.paint.stroke import Point, Spans, capsule_spans, square_spans

__all__ = ["StrokeTool"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """Where the last stroke ended, and what it might touch by which choice of a person."""

    image: ImageId
    plane: int
    at: Point
    may: MayTouch
    chosen: tuple[Touch, Limits, frozenset[ObjectId]]


class StrokeTool(ToolHandler):
    """Idle until a press, painting until the release of the same button. A stroke keeps the radius that it began with,
    which the pressure of a pen makes smaller.

    Left paints the current class, or with `erases` 'unknown'; right paints background with either. A press with Shift
    paints a straight line from where the last stroke on the image ended.
    """

    def __init__(self, name: str, *, erases: bool = False) -> None:
        self.name = name
        self._erases = erases
        self._painting: Painting | None = None
        self._button = Button.NONE
        self._radius = 0.0
        self._square = False
        self._at: Point = (0.0, 0.0)
        self._done: Spans | None = None
        self._ended: _Ended | None = None
        self._shows_line = False

    @property
    def active(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin a stroke with a dab, or a line to it. Nothing happens while one is under way."""
        if self.active or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        erasing = self._erases and event.button is Button.LEFT
        label_class = None if erasing else context.paint.class_of(event.button)
        line = self._line_from(event, context)
        begin = event.at if line is None else line.at
        # A line goes on with the stroke before it: what lies under its first point is that stroke's own paint.
        may = line.may if line is not None and line.chosen == _chosen(context) else None
        self._painting = self._begun(context, begin, label_class, may)
        self._button, self._radius = event.button, context.paint.radius
        self._square = is_square(context.paint.options)
        self._at, self._done = begin, None
        overlay = self._without_line()
        return Answer(self._dab(event, context), overlay)

    def _begun(self, context: Context, at: Point, label_class: LabelClass | None, may: MayTouch | None) -> Painting:
        """What a stroke that begins at a point paints with, for brushes that paint less than their disc."""
        return Painting(context, self.name, at, label_class, may=may)

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        return Answer(self._dab(event, context))

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point of the stroke, which ends where its own button goes up."""
        if self._painting is None or event.button is not self._button:
            return Answer()
        # A pen that is lifted has no pressure any more: it paints nothing new.
        changed = self._dab(event, context) if event.at != self._at and event.pressure >= 1 else NOWHERE
        return Answer(changed, ends=End.KEEP)

    def hover(self, event: Pointer, context: Context) -> Answer:
        """With Shift, show the line that a press would paint."""
        line = self._line_from(event, context)
        if line is not None:
            self._shows_line = True
            return Answer(overlay=(Polyline((line.at, event.at), dashed=True),))
        return Answer(overlay=self._without_line())

    def leave(self, event: Pointer, context: Context) -> Answer:
        """Show no line."""
        return Answer(overlay=self._without_line())

    def commit(self, context: Context) -> Edit | None:
        """End the stroke; None where it changed nothing or none was under way."""
        edit = None if self._painting is None else self._painting.commit()
        if self._painting is not None:
            painting = self._painting
            self._ended = _Ended(context.document.image, painting.plane, self._at, painting.may, _chosen(context))
        self._painting = None
        return edit

    def abort(self) -> dict[int, Rect]:
        """End the stroke as if it had never begun; what has to be drawn again, by plane."""
        painting, self._painting = self._painting, None
        return {} if painting is None else painting.abort()

    def _without_line(self) -> Overlay | None:
        """What takes the line away that is shown; None where there is none."""
        shown, self._shows_line = self._shows_line, False
        return () if shown else None

    def _line_from(self, event: Pointer, context: Context) -> _Ended | None:
        """What a straight line goes on with; None where none is meant."""
        ended = self._ended
        if not event.shift or ended is None:
            return None
        here = context.document.image, context.paint.plane
        return ended if (ended.image, ended.plane) == here else None

    def _dab(self, event: Pointer, context: Context) -> Rect:
        if self._painting is None:
            return NOWHERE
        radius = pressed_radius(self._radius, event.pressure, context.paint.options)
        covered = square_spans if self._square else capsule_spans
        spans = covered(self._at, event.at, radius, self._painting.bounds)
        changed = self._painting.spans(spans, self._done)
        self._at, self._done = event.at, spans
        return changed


def _chosen(context: Context) -> tuple[Touch, Limits, frozenset[ObjectId]]:
    return context.paint.touch, context.paint.limits, context.seen.selected

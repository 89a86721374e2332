"""Brush and eraser: a stroke from the press of a button to its release."""

from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, ToolHandler
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.stroke import Point, Spans, capsule_spans

__all__ = ["StrokeTool"]


class StrokeTool(ToolHandler):
    """Idle until a press, painting until the release of the same button. A stroke keeps the radius that it began with.

    Left paints the current class, or with `erases` 'unknown'; right paints background with either.
    """

    def __init__(self, name: str, *, erases: bool = False) -> None:
        self.name = name
        self._erases = erases
        self._painting: Painting | None = None
        self._button = Button.NONE
        self._radius = 0.0
        self._at: Point = (0.0, 0.0)
        self._done: Spans | None = None

    @property
    def active(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin a stroke with a disc. Nothing happens while one is under way."""
        if self.active or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        erasing = self._erases and event.button is Button.LEFT
        label_class = None if erasing else context.paint.class_of(event.button)
        self._painting = self._begun(context, event, label_class)
        self._button, self._radius = event.button, context.paint.radius
        self._at, self._done = event.at, None
        return Answer(self._dab(event.at))

    def _begun(self, context: Context, event: Pointer, label_class: LabelClass | None) -> Painting:
        """What the stroke paints with, for brushes that paint less than their disc."""
        return Painting(context, self.name, event.at, label_class)

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        return Answer(self._dab(event.at))

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point of the stroke, which ends where its own button goes up."""
        if self._painting is None or event.button is not self._button:
            return Answer()
        return Answer(self._dab(event.at) if event.at != self._at else NOWHERE, ends=End.KEEP)

    def commit(self, context: Context) -> Edit | None:
        """End the stroke; None where it changed nothing or none was under way."""
        edit = None if self._painting is None else self._painting.commit()
        self._painting = None
        return edit

    def abort(self) -> dict[int, Rect]:
        """End the stroke as if it had never begun; what has to be drawn again, by plane."""
        painting, self._painting = self._painting, None
        return {} if painting is None else painting.abort()

    def _dab(self, to: Point) -> Rect:
        if self._painting is None:
            return NOWHERE
        spans = capsule_spans(self._at, to, self._radius, self._painting.bounds)
        changed = self._painting.spans(spans, self._done)
        self._at, self._done = to, spans
        return changed

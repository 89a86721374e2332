"""Tools as small state machines over plain pointer values in image coordinates.

No Qt: a tool is tested without a window.
"""

from dataclasses import dataclass
from typing import Protocol

from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, LabelClass, Origin
from segstudio.labels.paint.policy import Touch, paintable_objects, target_object
from segstudio.labels.paint.stroke import Point, Spans, capsule_spans

__all__ = ["Button", "Paint", "Phase", "Pointer", "StrokeTool"]


@dataclass(frozen=True, slots=True)
class Paint:
    """What a stroke is made with; `radius` in image pixels."""

    classes: ClassTable
    label_class: LabelClass
    radius: float
    touch: Touch
    plane: int
    author: str


class _Target(Protocol):
    def __call__(self) -> tuple[Document, Paint] | None: ...


class StrokeTool:
    """Brush and eraser: idle until a press, painting until the release of the same button.

    Left paints the current class (brush) or 'unknown' (eraser), right paints background with either.
    """

    def __init__(self, name: str, target: _Target) -> None:
        self.name = name
        self._target = target
        self._gesture: Gesture | None = None
        self._button = Button.NONE
        self._paint: Paint | None = None
        self._document: Document | None = None
        self._object = 0
        self._origin = Origin.NONE
        self._at: Point = (0.0, 0.0)
        self._done: Spans | None = None

    @property
    def active(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._gesture is not None

    def press(self, event: Pointer) -> Rect:
        """Begin a stroke with a disc; returns the changed rectangle. Nothing happens while one is under way."""
        target = None if self.active or event.button not in (Button.LEFT, Button.RIGHT) else self._target()
        if target is None:
            return Rect(0, 0, 0, 0)
        self._document, self._paint = target
        erasing = self.name == "eraser" and event.button is Button.LEFT
        cause = Cause.ERASE if erasing else Cause.PAINT
        self._gesture = Gesture(self._document, cause, tool=self.name, author=self._paint.author)
        self._button, self._at, self._done = event.button, (event.x, event.y), None
        label_class = self._paint.classes.background if event.button is Button.RIGHT else self._paint.label_class
        self._choose(label_class, erasing)
        self._allowed = paintable_objects(
            self._document, self._paint.classes, self._paint.touch, None if erasing else label_class.id
        )
        return self._dab((event.x, event.y))

    def move(self, event: Pointer) -> Rect:
        """Go on to a further point; returns the changed rectangle."""
        return self._dab((event.x, event.y)) if self._gesture is not None else Rect(0, 0, 0, 0)

    def release(self, event: Pointer) -> tuple[Rect, bool]:
        """The last point of the stroke and whether this release ends it."""
        if self._gesture is None or event.button is not self._button:
            return Rect(0, 0, 0, 0), False
        return self._dab((event.x, event.y)) if (event.x, event.y) != self._at else Rect(0, 0, 0, 0), True

    def commit(self) -> Edit | None:
        """End the stroke; None where it changed nothing or none was under way.

        Whatever fails here, or in any other method, leaves the stroke under way, for `abort` to take back whole.
        """
        edit = None if self._gesture is None else self._gesture.commit()
        self._gesture = None
        return edit

    def abort(self) -> dict[int, Rect]:
        """End the stroke as if it had never begun; what has to be drawn again, by plane."""
        gesture, self._gesture = self._gesture, None
        return {} if gesture is None else gesture.abort()

    def _choose(self, label_class: LabelClass, erasing: bool) -> None:
        assert self._document is not None
        assert self._paint is not None
        assert self._gesture is not None
        if erasing:
            self._object, self._origin = 0, Origin.NONE
            return
        found = target_object(self._document, label_class, *self._at, self._paint.plane, classes=self._paint.classes)
        self._object = found if found is not None else self._gesture.new_object(label_class.id)
        self._origin = Origin.PAINTED

    def _dab(self, to: Point) -> Rect:
        assert self._gesture is not None
        assert self._paint is not None
        assert self._document is not None
        paint = self._paint
        spans = capsule_spans(self._at, to, paint.radius, self._document.raster.bounds(paint.plane))
        changed = self._gesture.paint_spans(
            paint.plane, spans, self._object, self._origin, allowed=self._allowed, done=self._done
        )
        self._at, self._done = to, spans
        return changed

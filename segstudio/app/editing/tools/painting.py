"""A gesture that paints one object, by the policy: the base of every tool that paints."""

from functools import partial

from segstudio.app.editing.tools.base import Context
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, LabelClass, Origin
from segstudio.labels.paint.policy import may_touch, paintable, target_object
from segstudio.labels.paint.region import Region
from segstudio.labels.paint.stroke import Point, Spans

__all__ = ["Painting"]


class Painting:
    """Paints pixels with a class, or makes them unknown (`label_class` None), until `commit` or `abort`.

    Which object is painted is decided at its first point, and what may be touched as well. `tool` goes into the edit.
    """

    def __init__(self, context: Context, tool: str, at: Point, label_class: LabelClass | None) -> None:
        document, paint = context.document, context.paint
        cause = Cause.ERASE if label_class is None else Cause.PAINT
        self.plane, self.bounds = paint.plane, document.raster.bounds(paint.plane)
        self._gesture = Gesture(document, cause, tool=tool, author=paint.author)
        self._object, self._origin = 0, Origin.NONE
        try:
            if label_class is not None:
                found = target_object(document, label_class, *at, paint.plane, classes=paint.classes)
                self._object = found if found is not None else self._gesture.new_object(label_class.id)
                self._origin = Origin.PAINTED
            painted = None if label_class is None else label_class.id
            where = (*at, paint.plane)
            may = may_touch(document, paint.classes, paint.touch, paint.limits, where, context.seen.selected)
            image = context.seen.image
            samples = None if image is None else partial(image.samples, 0)
            self._paintable = paintable(document, paint.classes, may, painted, samples)
        except BaseException:
            self._gesture.abort()
            raise

    def spans(self, spans: Spans, done: Spans | None = None) -> Rect:
        """Paint spans, passing over those of `done`; the rectangle that may have changed. See `Gesture.paint_spans`."""
        return self._gesture.paint_spans(
            self.plane, spans, self._object, self._origin, paintable=self._paintable, done=done
        )

    def region(self, region: Region) -> Rect:
        """Paint the pixels of a region; the rectangle that may have changed. See `Gesture.paint_region`."""
        return self._gesture.paint_region(self.plane, region, self._object, self._origin, paintable=self._paintable)

    def commit(self) -> Edit | None:
        """End it and keep it; None where it changed nothing. Where it fails, `abort` takes all of it back."""
        return self._gesture.commit()

    def abort(self) -> dict[int, Rect]:
        """End it as if it had never begun; what has to be drawn again, by plane."""
        return self._gesture.abort()

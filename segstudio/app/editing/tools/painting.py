"""A gesture that paints one object, by the policy: the base of every tool that paints."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.app.editing.tools.base import Context, ToolHandler
from segstudio.geometry import Rect, tile_rect
from segstudio.labels.edit import Edit, TileChange, TileKey
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, LabelClass, Origin
from segstudio.labels.paint.painted import painted_tiles
from segstudio.labels.paint.policy import MayTouch, may_touch, paintable, target_object
from segstudio.labels.paint.region import Region
from segstudio.labels.paint.stroke import Point, Spans
from segstudio.labels.tiles.tile import Constant, same

__all__ = ["Painted", "Painting", "PaintingTool"]


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A region, and the tiles that it changes, as a worker computed them."""

    region: Region
    tiles: Mapping[TileKey, TileChange]


class _Ending(Protocol):
    def commit(self) -> Edit | None: ...

    def abort(self) -> dict[int, Rect]: ...


P = TypeVar("P", bound=_Ending)


class PaintingTool(ToolHandler, Generic[P]):
    """How a tool ends that has one painting under way, if any; a subclass forgets all of its gesture with it."""

    _painting: P | None

    @abstractmethod
    def forget(self) -> None:
        """Be as before the gesture; `_painting` is None."""

    def commit(self, context: Context) -> Edit | None:
        """End it, of which nothing is unfinished; None where it changed nothing."""
        edit = None if self._painting is None else self._painting.commit()
        self.forget()
        return edit

    def abort(self) -> dict[int, Rect]:
        """End it as if it had never begun; what has to be drawn again, by plane."""
        painting = self._painting
        self.forget()
        return {} if painting is None else painting.abort()


class Painting:
    """Paints pixels with a class, or makes them unknown (`label_class` None), until `commit` or `abort`.

    Which object is painted is decided at its first point, and what may be touched as well, unless that is given: `may`,
    which is there to be handed on. `tool` goes into the edit. `within` narrows what may be touched further, see
    `Paintable`.
    """

    def __init__(
        self,
        context: Context,
        tool: str,
        at: Point,
        label_class: LabelClass | None,
        *,
        within: Callable[[TileKey], NDArray[np.bool_] | None] | None = None,
        may: MayTouch | None = None,
    ) -> None:
        document, paint = context.document, context.paint
        cause = Cause.ERASE if label_class is None else Cause.PAINT
        self.plane, self.bounds = paint.plane, document.raster.bounds(paint.plane)
        self._raster = document.raster
        self._gesture = Gesture(document, cause, tool=tool, author=paint.author)
        self._object, self._origin = 0, Origin.NONE
        found = None
        try:
            if label_class is not None:
                if label_class.one_object or not paint.new_object:
                    found = target_object(document, label_class, *at, paint.plane, classes=paint.classes)
                self._object = found if found is not None else self._gesture.new_object(label_class.id)
                self._origin = Origin.PAINTED
            painted = None if label_class is None else label_class.id
            where = (*at, paint.plane)
            selected = context.seen.selected
            self.may = may or may_touch(document, paint.classes, paint.touch, paint.limits, where, selected)
            image = context.seen.image
            samples = None if image is None else partial(image.samples, 0)
            self._paintable = paintable(document, paint.classes, self.may, painted, samples, found).also(within)
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

    def later(self, region: Callable[[Callable[[], bool]], Region]) -> Callable[[Callable[[], bool]], Painted]:
        """The work of painting what `region(cancelled)` gives, to be run on a worker; `put` takes its result."""
        raster, plane, paintable = self._raster.copy(), self.plane, self._paintable
        target = Constant(int(self._object), int(self._origin) if self._object else 0)

        def work(cancelled: Callable[[], bool]) -> Painted:
            found = region(cancelled)
            return Painted(found, painted_tiles(raster, plane, found, target, paintable, cancelled))

        return work

    def put(self, painted: Painted) -> Iterator[Rect]:
        """Put tiles in place that were computed, one a step: the rectangle that it changed. One that has changed
        meanwhile is painted here and now.
        """
        for key, change in painted.tiles.items():
            place = key[1:]
            self._raster.prime({key: change.before})
            if same(self._raster.tile(key), change.before):
                self._gesture.replace(key, change.after)
                yield tile_rect(*place).intersected(self.bounds)
            else:
                yield self.region(Region({place: painted.region.tiles[place]}))

    def commit(self) -> Edit | None:
        """End it and keep it; None where it changed nothing. Where it fails, `abort` takes all of it back."""
        return self._gesture.commit()

    def abort(self) -> dict[int, Rect]:
        """End it as if it had never begun; what has to be drawn again, by plane."""
        return self._gesture.abort()

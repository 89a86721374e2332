"""Snap: a brush that follows edges, by whole superpixels or by the border of what is proposed."""

from __future__ import annotations

from functools import partial
from math import ceil, hypot

import numpy as np
from numpy.typing import NDArray

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.areas import covered, of_class, pixel_at
from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, ToolHandler
from segstudio.app.editing.tools.fill_options import SNAP_SIZE, SNAP_TO, number
from segstudio.app.editing.tools.overlay import Overlay, Patch
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.superpixel_tiles import SuperpixelTiles
from segstudio.app.editing.tools.within import WIDEST_PREVIEW_PX, Limit, LimitedBrush
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.edit import Edit
from segstudio.labels.paint.region import Place, Region
from segstudio.labels.paint.stroke import Point, Spans, capsule_spans
from segstudio.text import _

__all__ = ["SnapTool"]

_SMALLEST_PX = 0.75
"""A disc of this radius always holds the centre of a pixel."""

_Segment = tuple[Point, Point]


class SnapTool(ToolHandler):
    """One brush or the other, as the option says when it is pressed."""

    def __init__(self, name: str) -> None:
        self._by_image, self._by_proposal = SuperpixelBrush(name), LimitedBrush(name, _proposed_here)
        self._used: ToolHandler = self._by_image

    @property
    def active(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._used.active

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin a stroke."""
        return self._choose(context).press(event, context)

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        return self._used.move(event, context)

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point of the stroke."""
        return self._used.release(event, context)

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show what a press would paint."""
        return self._choose(context).hover(event, context)

    def leave(self, event: Pointer, context: Context) -> Answer:
        """Show nothing any more."""
        return self._used.leave(event, context)

    def interrupted(self, context: Context) -> Answer:
        """The stroke ends and is kept."""
        return self._used.interrupted(context)

    def unanswered(self) -> None:
        """Ask again."""
        self._by_image.unanswered()

    def arrived(self, value: object, context: Context) -> Answer:
        """What was asked for is there."""
        return self._used.arrived(value, context)

    def commit(self, context: Context) -> Edit | None:
        """End the stroke; None where it changed nothing."""
        return self._used.commit(context)

    def abort(self) -> dict[int, Rect]:
        """End the stroke as if it had never begun; what has to be drawn again, by plane."""
        return self._used.abort()

    def _choose(self, context: Context) -> ToolHandler:
        if not self._used.active:
            proposed = context.paint.options.get(SNAP_TO.name) == "proposal"
            self._used = self._by_proposal if proposed else self._by_image
        return self._used


class SuperpixelBrush(ToolHandler):
    """Paints every superpixel that its disc touches, as a whole.

    Superpixels are computed on the worker, for where the pointer hovers and for where a stroke goes; what is not known
    yet is painted when it is, so the hand need not wait.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tiles: SuperpixelTiles | None = None
        self._hovered: Pointer | None = None
        self._forget()

    def _forget(self) -> None:
        self._painting: Painting | None = None
        self._button, self._radius = Button.NONE, 0.0
        self._at: Point = (0.0, 0.0)
        self._segments: list[_Segment] = []
        self._painted = np.zeros(0, np.int64)
        self._released = False
        self.unanswered()

    @property
    def active(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin a stroke with a disc. Nothing happens while one is under way."""
        if self.active or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        if not self._look(context):
            return Answer(says=_("The image is not on screen yet."))
        self._painting = Painting(context, self.name, event.at, context.paint.class_of(event.button))
        self._button, self._radius = event.button, max(context.paint.radius, _SMALLEST_PX)
        self._at, self._segments = event.at, [(event.at, event.at)]
        # What was asked while hovering may have failed, and a stroke waits for its answer.
        self.unanswered()
        return self._go()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        if self._painting is None or self._released:
            return Answer()
        self._extend(event.at)
        return self._go()

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point of the stroke, which ends when all of it is painted."""
        if self._painting is None or event.button is not self._button:
            return Answer()
        self._extend(event.at)
        return self.interrupted(context)

    def interrupted(self, context: Context) -> Answer:
        """The stroke ends and is kept."""
        if self._painting is None:
            return Answer()
        self._released = True
        return self._go()

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show what a press would paint, or find out."""
        self._hovered = event
        return self._preview(event, context) if self._look(context) else Answer(overlay=())

    def leave(self, event: Pointer, context: Context) -> Answer:
        """Show nothing any more."""
        self._hovered = None
        if self.active:
            return Answer()
        self.unanswered()
        return Answer(overlay=())

    def unanswered(self) -> None:
        """Ask again for whatever is missing."""
        self._asked: frozenset[Place] = frozenset()

    def arrived(self, value: object, context: Context) -> Answer:
        """More superpixels are known."""
        self.unanswered()
        if self.active:
            return self._go()
        return Answer() if self._hovered is None else self.hover(self._hovered, context)

    def commit(self, context: Context) -> Edit | None:
        """End the stroke, with all of it painted; None where it changed nothing."""
        if self._painting is None:
            return None
        for segment in self._segments:
            self._paint(segment)
        self._segments = []
        edit = self._painting.commit()
        self._forget()
        return edit

    def abort(self) -> dict[int, Rect]:
        """End the stroke as if it had never begun; what has to be drawn again, by plane."""
        painting = self._painting
        self._forget()
        return {} if painting is None else painting.abort()

    def _look(self, context: Context) -> bool:
        """Turn to the image on screen; whether there is one."""
        image, step = context.seen.image, round(number(context, SNAP_SIZE))
        if image is None:
            return False
        if not self.active and (self._tiles is None or not self._tiles.is_for(image, step)):
            self._tiles = SuperpixelTiles(image, step)
            self.unanswered()
        return True

    def _extend(self, to: Point) -> None:
        """Go on to a point, in steps for each of which all superpixels can be kept."""
        (x0, y0), (x1, y1) = self._at, to
        pieces = ceil(hypot(x1 - x0, y1 - y0) / TILE)
        for n in range(1, pieces + 1):
            share = n / pieces
            at = to if n == pieces else (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
            self._segments.append((self._at, at))
            self._at = at

    def _go(self) -> Answer:
        """Paint as much of the stroke as is known; ask for the rest."""
        changed = NOWHERE
        while self._segments and not self._missing(self._segments[0]):
            changed = changed.united(self._paint(self._segments.pop(0)))
        if self._segments:
            return Answer(changed, overlay=(), asks=self._question(self._segments))
        return Answer(changed, overlay=(), ends=End.KEEP if self._released else End.NOT_YET)

    def _preview(self, event: Pointer, context: Context) -> Answer:
        self._radius = max(context.paint.radius, _SMALLEST_PX)
        if self._radius > WIDEST_PREVIEW_PX:
            return Answer(overlay=())
        segment = (event.at, event.at)
        if self._missing(segment):
            return Answer(overlay=(), asks=self._question([segment]))
        return Answer(overlay=self._shown(segment, context.paint.label_class.color))

    def _question(self, segments: list[_Segment]) -> Computation | None:
        """Ask for the tiles of the first segment, and of as many more as can be kept together.

        None where the worker is at the first already. Tiles that are there count as well: they are to stay.
        """
        assert self._tiles is not None
        if self._asked.issuperset(self._missing(segments[0])):
            return None
        places: dict[Place, None] = {}
        for segment in segments:
            needed = dict.fromkeys(self._needed(segment))
            if places and len(places.keys() | needed.keys()) > self._tiles.at_once:
                break
            places |= needed
        self._asked = frozenset(places)
        return Computation(partial(self._tiles.compute, list(places)))

    def _spans(self, segment: _Segment) -> Spans:
        assert self._tiles is not None
        return capsule_spans(*segment, self._radius, self._tiles.bounds)

    def _reach(self, spans: Spans) -> Rect:
        """Where the superpixels under spans may lie."""
        assert self._tiles is not None
        return spans.bounds.grown(2 * self._tiles.step).intersected(self._tiles.bounds)

    def _needed(self, segment: _Segment) -> list[Place]:
        """The tiles in which the superpixels under a segment may lie."""
        spans = self._spans(segment)
        return [] if spans.bounds.empty else list(tiles_of(self._reach(spans)))

    def _missing(self, segment: _Segment) -> list[Place]:
        assert self._tiles is not None
        return self._tiles.missing(self._needed(segment))

    def _under(self, spans: Spans) -> NDArray[np.int64]:
        """The numbers of the superpixels under spans."""
        assert self._tiles is not None
        found = [np.zeros(0, np.int64)]
        for place in tiles_of(spans.bounds):
            rect = tile_rect(*place).intersected(self._tiles.bounds)
            part = rect.intersected(spans.bounds)
            mask = np.zeros((rect.h, rect.w), np.bool_)
            mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x] = covered(spans, part)
            found.append(self._tiles.of(place).under(mask))
        return np.unique(np.concatenate(found))

    def _paint(self, segment: _Segment) -> Rect:
        assert self._tiles is not None
        assert self._painting is not None
        spans = self._spans(segment)
        new = np.setdiff1d(self._under(spans), self._painted, assume_unique=True)
        if not len(new):
            return NOWHERE
        self._painted = np.union1d(self._painted, new)
        masks = ((place, self._tiles.mask(place, new)) for place in tiles_of(self._reach(spans)))
        return self._painting.region(Region.of_tiles((place, mask) for place, mask in masks if mask is not None))

    def _shown(self, segment: _Segment, color: str) -> Overlay:
        assert self._tiles is not None
        spans = self._spans(segment)
        if spans.bounds.empty:
            return ()
        reach, under, tiles = self._reach(spans), self._under(spans), self._tiles
        masks = ((place, tiles.mask(place, under)) for place in tiles_of(reach))
        region = Region.of_tiles((place, mask) for place, mask in masks if mask is not None)
        rect = region.bounds
        return (Patch(rect, region.mask(rect), color),)


def _proposed_here(context: Context, event: Pointer) -> Limit | str:
    """The class that is proposed under the pointer."""
    proposal = context.seen.proposal
    if proposal is None:
        return _("There is no proposal for this image: ask for one first, or snap to edges in the image.")
    at = pixel_at(event.at, context.document.raster.bounds(context.paint.plane))
    class_id = 0 if at is None else int(proposal.class_ids(Rect(*at, 1, 1))[0, 0])
    if not class_id:
        return _("Nothing is proposed here.")
    return Limit(of_class(proposal, class_id))

"""Snap: a brush that follows edges, by whole superpixels or by the border of what is proposed."""

from __future__ import annotations

from functools import partial

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.areas import of_class, pixel_at
from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, Later, ToolHandler
from segstudio.app.editing.tools.fill_options import SNAP_SIZE, SNAP_TO, number
from segstudio.app.editing.tools.overlay import Patch
from segstudio.app.editing.tools.painting import Painting, PaintingTool
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.superpixel_stroke import Segment, SuperpixelStroke, pieces
from segstudio.app.editing.tools.superpixel_tiles import SuperpixelTiles
from segstudio.app.editing.tools.within import WIDEST_PREVIEW_PX, Limit, LimitedBrush
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.flood import Cancelled
from segstudio.labels.paint.region import Place
from segstudio.text import _

__all__ = ["SnapTool"]


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

    def unfinished(self, context: Context) -> Later | None:
        """What is not known yet."""
        return self._used.unfinished(context)

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


class SuperpixelBrush(PaintingTool[Painting]):
    """Paints every superpixel that its disc touches, as a whole.

    Superpixels are computed on the worker, for where the pointer hovers and for where a stroke goes; what is not known
    yet is painted when it is, so the hand need not wait.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tiles: SuperpixelTiles | None = None
        self._hovered: Pointer | None = None
        self.forget()

    def forget(self) -> None:
        """No stroke is under way."""
        self._painting: Painting | None = None
        self._stroke: SuperpixelStroke | None = None
        self._context: Context | None = None
        self._button = Button.NONE
        self._class: LabelClass | None = None
        self._way: list[Segment] = []
        self._next = 0
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
        tiles = self._look(context)
        if tiles is None:
            return Answer(says=_("The image is not on screen yet."))
        self._class, self._context, self._button = context.paint.class_of(event.button), context, event.button
        self._painting = Painting(context, self.name, event.at, self._class)
        self._stroke = SuperpixelStroke(tiles, context.paint.radius)
        self._way = [(event.at, event.at)]
        # What was asked while hovering may have failed, and a stroke waits for its answer.
        self.unanswered()
        return self._go()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        if self._painting is None or self._released:
            return Answer()
        self._way.extend(pieces(self._way[-1][1], event.at))
        return self._go()

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point of the stroke, which ends when all of it is painted."""
        if self._painting is None or event.button is not self._button:
            return Answer()
        self._way.extend(pieces(self._way[-1][1], event.at))
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
        tiles = self._look(context)
        return Answer(overlay=()) if tiles is None else self._preview(tiles, event, context)

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

    def unfinished(self, context: Context) -> Later | None:
        """All of the stroke, where some of it is not known yet."""
        if self._stroke is None or self._context is None or self._next == len(self._way):
            return None
        name, painted, way = self.name, self._class, tuple(self._way)
        tiles, radius = self._stroke.tiles, self._stroke.radius

        def made(context: Context, cancelled: Cancelled) -> Edit | None:
            painting, stroke = Painting(context, name, way[0][0], painted), SuperpixelStroke(tiles, radius)
            for segment in way:
                if cancelled():
                    break
                painting.region(stroke.take(segment))
            return painting.commit()

        return Later(self._context, made, painted)

    def _look(self, context: Context) -> SuperpixelTiles | None:
        """Turn to the image on screen; None where there is none."""
        image, step = context.seen.image, round(number(context, SNAP_SIZE))
        if image is None:
            return None
        if self._tiles is None or (not self.active and not self._tiles.is_for(image, step)):
            self._tiles = SuperpixelTiles(image, step)
            self.unanswered()
        return self._tiles

    def _go(self) -> Answer:
        """Paint as much of the stroke as is known; ask for the rest."""
        assert self._stroke is not None
        assert self._painting is not None
        changed = NOWHERE
        while self._next < len(self._way) and not self._stroke.missing(self._way[self._next]):
            changed = changed.united(self._painting.region(self._stroke.take(self._way[self._next])))
            self._next += 1
        if self._next < len(self._way):
            return Answer(changed, overlay=(), asks=self._question(self._stroke, self._way[self._next :]))
        return Answer(changed, overlay=(), ends=End.KEEP if self._released else End.NOT_YET)

    def _preview(self, tiles: SuperpixelTiles, event: Pointer, context: Context) -> Answer:
        stroke = SuperpixelStroke(tiles, context.paint.radius)
        if stroke.radius > WIDEST_PREVIEW_PX:
            return Answer(overlay=())
        segment = (event.at, event.at)
        if stroke.missing(segment):
            return Answer(overlay=(), asks=self._question(stroke, [segment]))
        region = stroke.shown(segment)
        rect = region.bounds
        patches = () if region.empty else (Patch(rect, region.mask(rect), context.paint.label_class.color),)
        return Answer(overlay=patches)

    def _question(self, stroke: SuperpixelStroke, segments: list[Segment]) -> Computation | None:
        """Ask for the tiles of the first segment, and of as many more as can be kept together.

        None where the worker is at the first already. Tiles that are there count as well: they are to stay.
        """
        if self._asked.issuperset(stroke.missing(segments[0])):
            return None
        places: dict[Place, None] = {}
        for segment in segments:
            needed = dict.fromkeys(stroke.needed(segment))
            if places and len(places.keys() | needed.keys()) > stroke.tiles.at_once:
                break
            places |= needed
        self._asked = frozenset(places)
        return Computation(partial(stroke.tiles.compute, list(places)))


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

"""Pick: a click selects the object under it, a drag those in a box; with Shift or Ctrl they come in addition."""

from functools import partial
from typing import TYPE_CHECKING

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import Answer, Context, End, ToolHandler
from segstudio.app.editing.tools.overlay import Polyline
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.objects.extent import ids_within
from segstudio.labels.paint.policy import object_at

if TYPE_CHECKING:
    from segstudio.labels.tiles.raster import Raster

__all__ = ["PickTool"]

_DRAG_PX = 4.0
"""Further than this, in pixels of the screen, a press and a release are a box."""


class PickTool(ToolHandler):
    """Changes no labels. Under way from the press to the release, or until the objects of a box are read."""

    def __init__(self) -> None:
        self._from: Pointer | None = None
        self._boxed = False

    @property
    def active(self) -> bool:
        """Whether a button is held, or a box is being read."""
        return self._from is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin at this corner. Nothing happens while a pick is under way."""
        if self.active or event.button is not Button.LEFT:
            return Answer()
        self._from, self._boxed = event, False
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Show the box once the pointer is away from where it went down."""
        if self._from is None:
            return Answer()
        self._boxed = self._boxed or _is_drag(self._from, event)
        return Answer(overlay=(_box(self._from, event),)) if self._boxed else Answer()

    def release(self, event: Pointer, context: Context) -> Answer:
        """Select what is under the click, or ask for what is in the box."""
        start = self._from
        if start is None or event.button is not Button.LEFT:
            return Answer()
        if not (self._boxed or _is_drag(start, event)):
            found = _object_at(context, event)
            return Answer(ends=End.KEEP, selects=_selected(context, {found} if found else set(), start, toggles=True))
        rect = Rect.of_edges(min(start.x, event.x), min(start.y, event.y), max(start.x, event.x), max(start.y, event.y))
        work = partial(_ids_within, context.document.raster.copy(), context.paint.plane, rect)
        return Answer(asks=Computation(lambda _cancelled: work()))

    def arrived(self, value: object, context: Context) -> Answer:
        """Select the objects of the box: those that are shown as labelled."""
        if self._from is None or not isinstance(value, set):
            return Answer(ends=End.KEEP)
        known = {ObjectId(id_) for id_ in value if _is_shown(context, id_)}
        return Answer(ends=End.KEEP, selects=_selected(context, known, self._from, toggles=False))

    def commit(self, context: Context) -> Edit | None:
        """Nothing is painted."""
        self._from = None
        return None

    def abort(self) -> dict[int, Rect]:
        """Nothing is painted."""
        self._from = None
        return {}


def _ids_within(raster: "Raster", plane: int, rect: Rect) -> set[int]:
    return ids_within(raster, plane, rect)


def _is_drag(start: Pointer, now: Pointer) -> bool:
    return max(abs(now.x - start.x), abs(now.y - start.y)) * now.scale > _DRAG_PX


def _box(a: Pointer, b: Pointer) -> Polyline:
    return Polyline(((a.x, a.y), (b.x, a.y), (b.x, b.y), (a.x, b.y)), closed=True, dashed=True)


def _is_shown(context: Context, object_id: int) -> bool:
    """Whether a person sees the object as labelled: its class is not removed."""
    class_id = context.document.objects.get(ObjectId(object_id))
    return class_id is not None and context.paint.classes.effective(class_id) is not None


def _object_at(context: Context, event: Pointer) -> ObjectId | None:
    found = object_at(context.document, event.x, event.y, context.paint.plane)
    return found if found and _is_shown(context, found) else None


def _selected(context: Context, found: set[ObjectId], start: Pointer, *, toggles: bool) -> frozenset[ObjectId]:
    """What is selected from now on: with Shift or Ctrl in addition, or no longer where it was clicked again."""
    before = context.seen.selected
    if not (start.shift or start.ctrl):
        return frozenset(found)
    return frozenset(before ^ found if toggles else before | found)

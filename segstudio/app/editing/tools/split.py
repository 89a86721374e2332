"""Split: a line across an object makes two of it. Dragged it is free; two clicks make it straight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, Later, ToolHandler
from segstudio.app.editing.tools.overlay import Handles, Overlay, Polyline
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ObjectId, Seq
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.objects.split import crossed, split
from segstudio.labels.paint.policy import is_locked
from segstudio.labels.paint.stroke import Point
from segstudio.labels.tiles.streamed import collected
from segstudio.text import _

__all__ = ["SplitTool"]

_DRAG_PX = 4.0
_STEP_PX = 1.0
"""Points of a free line are at least so far apart, in pixels of the screen."""


class SplitTool(ToolHandler):
    """Under way from the first point until what is cut has been computed."""

    def __init__(self) -> None:
        self._line: list[Point] = []
        self._down = self._free = False
        self._asked_of: Context | None = None
        self._made: tuple[Document, Edit] | None = None

    @property
    def active(self) -> bool:
        """Whether a line has been begun."""
        return bool(self._line)

    @property
    def _asked(self) -> bool:
        """Whether the line is finished, and what it cuts is being computed."""
        return self._asked_of is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """The first point, or the last one of a straight line."""
        if event.button is not Button.LEFT or self._asked or self._down:
            return Answer()
        self._line.append(event.at)
        self._down = True
        if len(self._line) == 1:
            return Answer(overlay=self._overlay())
        return self._ask(context)

    def move(self, event: Pointer, context: Context) -> Answer:
        """Draw on, once the pointer is away from where it went down."""
        if not self._down or self._asked or not self._line:
            return Answer()
        far = _STEP_PX if self._free else _DRAG_PX
        x, y = self._line[-1]
        if max(abs(event.x - x), abs(event.y - y)) * event.scale >= far:
            self._free = True
            self._line.append(event.at)
        return Answer(overlay=self._overlay())

    def release(self, event: Pointer, context: Context) -> Answer:
        """The end of a free line; a click without a drag waits for the second one."""
        if event.button is not Button.LEFT or not self._down:
            return Answer()
        self._down = False
        if not self._free or self._asked:
            return Answer()
        self._line.append(event.at)
        return self._ask(context)

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show where a straight line would go."""
        return Answer(overlay=self._overlay(event.at)) if self._line and not self._asked else Answer()

    def interrupted(self, context: Context) -> Answer:
        """A free line ends with the button that was lost; a straight one waits for its second click."""
        if self._free and not self._asked:
            self._down = False
            return self._ask(context)
        self._down = False
        return Answer()

    def arrived(self, value: object, context: Context) -> Answer:
        """What the line cuts has been computed: the objects are cut, and selected."""
        assert isinstance(value, _Cut)
        changed = self._make(value, context.document)
        return Answer(changed.get(context.paint.plane, NOWHERE), ends=End.KEEP, selects=value.selects)

    def unfinished(self, context: Context) -> Later | None:
        """What a finished line cuts, until the worker has answered."""
        if self._made is not None or self._asked_of is None:
            return None
        line = tuple(self._line)
        return Later(self._asked_of, lambda context, _cancelled: _cut(context, line).edit)

    def commit(self, context: Context) -> Edit | None:
        """Cut; a line that is not finished cuts nothing."""
        made, self._made = self._made, None
        self._forget()
        return None if made is None else made[1]

    def abort(self) -> dict[int, Rect]:
        """Forget the line, and what it has cut."""
        made, self._made = self._made, None
        self._forget()
        return {} if made is None else made[0].apply(made[1].inverted(Seq(0), Cause.UNDO))

    def _forget(self) -> None:
        self._line = []
        self._down = self._free = False
        self._asked_of = None

    def _make(self, cut: "_Cut", document: Document) -> dict[int, Rect]:
        changed = document.apply(cut.edit)
        self._made = document, cut.edit
        return changed

    def _ask(self, context: Context) -> Answer:
        line = tuple(self._line)
        self._asked_of = context
        on_copy = replace(context, document=context.document.copy())
        return Answer(overlay=self._overlay(), asks=Computation(lambda _cancelled: _cut(on_copy, line)))

    def _overlay(self, to: Point | None = None) -> Overlay:
        line = tuple(self._line)
        ends = Handles((line[0],)) if to is not None or len(line) == 1 else Handles(())
        if to is not None:
            return (Polyline((*line, to), dashed=True), ends)
        return (Polyline(line),) if len(line) > 1 else (ends,)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What a line cuts, and what is selected after it."""

    edit: Edit
    selects: frozenset[ObjectId]


def _cut(context: Context, line: Sequence[Point]) -> _Cut:
    """What the line cuts. Raises `UserError`, saying why, where that is nothing."""
    document, classes, plane = context.document, context.paint.classes, context.paint.plane
    selected = context.seen.selected
    header = Edit(document.image, Cause.OBJECTS, tool="split", author=context.paint.author)
    on_line = {ObjectId(id_) for id_ in crossed(document, plane, line)}
    meant = on_line & selected or on_line
    kinds = {id_: classes.effective(document.objects[id_]) for id_ in meant}
    several = {id_: c for id_, c in kinds.items() if c is not None and not c.one_object}
    free = [id_ for id_ in several if not is_locked(document, classes, id_)]
    report = Report()
    edit = collected(header, split(document, plane, free, line, report))
    if edit is not None:
        return _Cut(edit, frozenset(report.selects))
    safe = _("Nothing was split.")
    locked = next((c.name for c in several.values() if c.locked), None)
    one = next((c.name for c in kinds.values() if c is not None), None)
    if free:
        raise UserError(_("The line does not cross an object from side to side."), safe=safe)
    if locked is not None:
        raise UserError(_("The class '{name}' is locked.", name=locked), safe=safe)
    if several:
        raise UserError(_("Object {n} is locked.", n=min(several)), safe=safe)
    if one is not None:
        raise UserError(_("'{name}' is one area in each image, not separate objects.", name=one), safe=safe)
    raise UserError(_("There is no object on the line."), safe=safe)

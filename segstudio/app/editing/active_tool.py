"""The tool in use: hands it what pointer and keys do, and does what its answers say. The one place where gestures end.

A gesture is kept or dropped as a whole: any failure while it is under way undoes all of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from segstudio.app.editing.refusals import refusal_of
from segstudio.app.editing.tool_state import Question, ToolState
from segstudio.app.editing.tools.base import Answer, Context, Effect, End, Later, Tool, ToolHandler
from segstudio.app.editing.tools.pointer import Key, KeyEvent, Phase, Pointer
from segstudio.app.editing.tools.shape_options import erases
from segstudio.errors import UserError
from segstudio.geometry import Rect, tile_rect
from segstudio.labels.edit import Edit, Table
from segstudio.labels.model import ClassId, ObjectId
from segstudio.text import _

__all__ = ["ActiveTool", "Labels"]

_PRESSES = (Phase.PRESS, Phase.DOUBLE)


class Labels(Protocol):
    """What a gesture is made on: the labels of the image on screen."""

    def context(self) -> Context | None:
        """What an event is about now; None where no image is on screen."""
        ...

    def refusal(self) -> str:
        """Why no gesture that paints may begin; '' where one may."""
        ...

    def say(self, sentence: str) -> None:
        """Say why a gesture does less than it seems to."""
        ...

    def repaint(self, plane: int, rect: Rect) -> None:
        """Pixels changed that belong to no edit yet, or no longer."""
        ...

    def gesture_began(self) -> None:
        """A gesture is under way."""
        ...

    def keep(self, edit: Edit | None) -> None:
        """A gesture has ended; `edit` is None where it changed nothing."""
        ...

    def keep_later(self, name: str, later: Later, /) -> object:
        """A gesture, by the name of its tool, is kept whose pixels are computed from now on."""
        ...

    def read_again(self) -> None:
        """The document's state is unknown: the stored state counts."""
        ...

    def select(self, ids: frozenset[ObjectId]) -> None:
        """Select these objects."""
        ...

    def gesture_dropped(self) -> None:
        """A gesture was undone."""
        ...

    def go_on(self) -> None:
        """Do what waited for the end of a gesture."""
        ...


class ActiveTool:
    """The handler of the chosen tool. A gesture under way keeps its own tool until it ends."""

    def __init__(self, state: ToolState, labels: Labels) -> None:
        self._state, self._labels = state, labels
        self._row: Tool | None = None
        self._handler: ToolHandler | None = None
        self._ticket = 0

    @property
    def active(self) -> bool:
        """Whether a gesture is under way."""
        return self._handler is not None and self._handler.active

    def pointer(self, event: Pointer) -> None:
        """Hand on a pointer event; what it changed is repainted before this returns."""
        context = self._labels.context()
        if context is None:
            return
        row, handler = self._in_use()
        if event.phase in _PRESSES and row.effect is not Effect.NOTHING and self._refuses(row, event, context):
            return
        method = _method(handler, event.phase)
        self._handle(handler, context, lambda: method(event, context))

    def takes(self, key: Key) -> bool:
        """Whether this key goes to the tool before it goes to the window."""
        return self._handler is not None and self._handler.active and key in self._handler.keys

    def key(self, event: KeyEvent) -> bool:
        """Hand a key to the tool under way; whether it was for the tool."""
        handler, context = self._handler, self._labels.context()
        if handler is None or context is None or not self.takes(event.key):
            return False
        self._handle(handler, context, lambda: handler.key(event, context))
        return True

    def interrupt(self) -> None:
        """The pointer was taken away: lost focus, a hidden window, a release that was never seen."""
        handler, context = self._handler, self._labels.context()
        if handler is not None and context is not None and handler.active:
            self._handle(handler, context, lambda: handler.interrupted(context))

    def arrived(self, ticket: int, value: object) -> None:
        """Hand on the result of what the tool asked for under this ticket; nothing where that gesture has ended."""
        handler, context = self._handler, self._labels.context()
        if handler is not None and context is not None and ticket == self._ticket:
            self._handle(handler, context, lambda: handler.arrived(value, context))

    def waits_for(self, ticket: int) -> bool:
        """Whether the gesture that asked under this ticket is still under way."""
        return self.active and ticket == self._ticket

    def listens(self, ticket: int) -> bool:
        """Whether an answer under this ticket would be heard; from any thread."""
        return ticket == self._ticket

    def commit(self) -> None:
        """End a gesture that is under way, keeping it; what it changes only now is repainted.

        One that has much left to compute becomes an edit later. One that turns out to be impossible is dropped, and a
        sentence says so: whoever ends it for another image, another tool or closing goes on.
        """
        handler, context = self._handler, self._labels.context()
        if handler is not None and context is not None and handler.active:
            try:
                with self._whole_or_nothing():
                    later = handler.unfinished(context)
                if later is not None:
                    self._hand_over(handler, later)
                    return
                kept = self._keep(handler, context)
            except UserError as error:
                self._labels.say(error.line)
                return
            for plane, rect in _tiles_of(kept).items():
                self._labels.repaint(plane, rect)

    def abort(self) -> bool:
        """End a gesture that is under way as if it had never begun; whether there was one."""
        handler = self._handler
        if handler is None or not handler.active:
            return False
        self._drop(handler)
        return True

    def rest(self) -> None:
        """Show nothing, and wait for nothing."""
        self._ticket += 1
        if self._handler is not None:
            self._handler.unanswered()
        self._state.show(())

    def _keep(self, handler: ToolHandler, context: Context) -> Edit | None:
        try:
            with self._whole_or_nothing():
                edit = handler.commit(context)
            self.rest()
            if edit is not None and self._begins_object(edit, context):
                self._state.set_new_object(False)
            self._labels.keep(edit)
            return edit
        finally:
            self._labels.go_on()

    def _begins_object(self, edit: Edit, context: Context) -> bool:
        """Whether it is the stroke that was to begin an object: one of a class with separate objects was painted."""
        made = [row.after for row in edit.rows if row.table is Table.OBJECTS and row.before is None and row.after]
        kinds = [context.paint.classes.effective(ClassId(int(columns["class_id"] or 0))) for columns in made]
        paints = self._row is not None and self._row.effect is not Effect.OBJECTS
        return paints and any(found is not None and not found.one_object for found in kinds)

    def _hand_over(self, handler: ToolHandler, later: Later) -> None:
        """Take back what is painted so far: it comes as a whole once all of it is computed."""
        assert self._row is not None
        try:
            self._take_back(handler)
            self._labels.keep_later(_(self._row.title), later)
        finally:
            self._labels.go_on()

    def _drop(self, handler: ToolHandler) -> None:
        self._take_back(handler)
        self._labels.go_on()

    def _take_back(self, handler: ToolHandler) -> None:
        self.rest()
        try:
            rects = handler.abort()
        except BaseException:
            # Half undone, it is neither the former state nor the stored one.
            self._labels.read_again()
            raise
        for plane, rect in rects.items():
            self._labels.repaint(plane, rect)
        self._labels.gesture_dropped()

    def _in_use(self) -> tuple[Tool, ToolHandler]:
        row = self._row
        if row is None or self._handler is None or (row is not self._state.tool and not self._handler.active):
            row = self._row = self._state.tool
            self._handler = row.make(row)
            self.rest()
        return row, self._handler

    def _refuses(self, row: Tool, event: Pointer, context: Context) -> bool:
        """Whether a press is not handed on; says why, and what a gesture begun here would not change."""
        sentence, whole = self._labels.refusal(), True
        if not sentence and not self.active and row.effect is not Effect.OBJECTS:
            erasing = row.effect is Effect.UNKNOWN or erases(context.paint)
            refusal = refusal_of(context, event, erasing=erasing)
            sentence, whole = ("", False) if refusal is None else (refusal.sentence, refusal.whole)
        if sentence:
            self._labels.say(sentence)
        return bool(sentence) and whole

    def _handle(self, handler: ToolHandler, context: Context, call: Callable[[], Answer]) -> None:
        was_active = handler.active
        with self._whole_or_nothing():
            answer = call()
            if not answer.changed.empty:
                self._labels.repaint(context.paint.plane, answer.changed)
            if answer.overlay is not None:
                self._state.show(answer.overlay)
            if handler.active and not was_active:
                self._labels.gesture_began()
            if answer.selects is not None:
                self._labels.select(answer.selects)
            if answer.says:
                self._labels.say(answer.says)
            if answer.sets and self._row is not None:
                self._state.keep(self._row, answer.sets)
            if answer.view is not None:
                self._state.viewChosen.emit(answer.view)
            if answer.asks is not None:
                self._state.asked.emit(Question(self._ticket, answer.asks))
            if answer.ends is End.KEEP:
                self._keep(handler, context)
            elif answer.ends is End.DROP:
                self._drop(handler)

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """Whatever fails within, the gesture under way is undone as a whole: no pixel stays without its row."""
        try:
            yield
        except BaseException:
            self.abort()
            raise


def _tiles_of(edit: Edit | None) -> dict[int, Rect]:
    """The tiles that an edit changes, as one rectangle of each plane."""
    found: dict[int, Rect] = {}
    for plane, ty, tx in () if edit is None else edit.tiles:
        tile = tile_rect(ty, tx)
        found[plane] = found[plane].united(tile) if plane in found else tile
    return found


def _method(handler: ToolHandler, phase: Phase) -> Callable[[Pointer, Context], Answer]:
    match phase:
        case Phase.PRESS:
            return handler.press
        case Phase.MOVE:
            return handler.move
        case Phase.RELEASE:
            return handler.release
        case Phase.HOVER:
            return handler.hover
        case Phase.DOUBLE:
            return handler.double_click
        case Phase.LEAVE:
            return handler.leave

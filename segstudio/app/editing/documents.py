"""The owner of the labels in memory: open documents, history, the one door for edits. Gestures: `active_tool`."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.active_tool import ActiveTool
from segstudio.app.editing.background_writes import LongWrites, Write
from segstudio.app.editing.class_choice import ClassChoice, StoredClasses, classes_of
from segstudio.app.editing.door import Door
from segstudio.app.editing.open_document import OpenDocument
from segstudio.app.editing.open_documents import OpenDocuments
from segstudio.app.editing.save_state import Saving
from segstudio.app.editing.selection import Selection
from segstudio.app.editing.stored_state import StoredState, read_state
from segstudio.app.editing.taking_back import job_words, undo_ends
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.base import Context, Later, Paint, Seen
from segstudio.app.editing.tools.pointer import Pointer
from segstudio.app.editing.undoing import Undoing
from segstudio.app.editing.waiting import Waiting
from segstudio.app.ground import Ground
from segstudio.app.values import Changed, JobKind, SaveState
from segstudio.errors import ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ClassId, ClassTable, ImageId, LabelClass, Seq
from segstudio.labels.tiles.raster import TileBudget
from segstudio.labels.tiles.streamed import LARGEST_EDIT_BYTES
from segstudio.labels.user import user_name
from segstudio.store.project import Reach, SetAside

__all__ = ["Documents", "OpenDocument"]

_SETTLE_S = 30.0
_SOON_S = 0.05
"""How long an undo waits for its job before the job is shown."""


class Documents(QObject):
    """`current` is the document on screen; every change of labels goes through `commit`.

    `computing`, set by whoever computes edits on a worker, says of which documents: those are not let go. `keep_later`
    is set by whoever makes gestures that are kept early, `seen` by whoever knows what is on screen beside the labels.
    """

    changed = Signal(object)
    editCommitted = Signal(int)
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    classesChanged = Signal()
    classChosen = Signal()
    rewritten = Signal(object)
    setAside = Signal(object)

    def __init__(
        self,
        ground: Ground,
        parent: QObject | None = None,
        *,
        largest_edit_bytes: int = LARGEST_EDIT_BYTES,
        budget: TileBudget | None = None,
        classes: StoredClasses | None = None,
        last_seq: Seq | None = None,
        tools: ToolState | None = None,
    ) -> None:
        """`classes` and `last_seq` are the project's where they were read before; `tools` is the window's.

        Edits of more than `largest_edit_bytes` of dense tiles are streamed; `budget` is for the tiles in memory."""
        super().__init__(parent)
        self._project, self.main, self._notices = ground.project, ground.main, ground.notices
        self.largest_edit_bytes = largest_edit_bytes
        self.long = LongWrites(
            ground, lambda changed: partial(read_state, ground.project, self._open.images, changed), self
        )
        self._waiting = Waiting(self.long, self._may_call, partial(self._submit_stroke, held=True), self)
        self._waiting.released.connect(self.tell)
        self.long.written.connect(self._follow)
        self.computing: Callable[[], Sequence[OpenDocument]] = tuple
        self.keep_later: Callable[[str, Later], object] = lambda _name, later: self.commit(later.now())
        self.saving = Saving(ground, self._held, lambda: self.long.text, self, last_seq)
        self.saving.editCommitted.connect(self._committed)
        self.saving.changed.connect(self.saveStateChanged)
        self.saving.setAside.connect(self._set_aside)
        self._open = OpenDocuments(ground.project, self.saving, budget or TileBudget(), self._waiting.of, self)
        self._open.changed.connect(self.changed)
        self._door = Door(ground.project, self._open, self.saving, self)
        self._door.passed.connect(self.tell)
        self._door.changed.connect(self.changed)
        self.recent = self._door.recent
        self._undoing = Undoing(ground, self.recent, self, self._undo_told)
        self.current: OpenDocument | None = None
        self.plane = 0
        self.choice = ClassChoice(classes or classes_of(ground.project), self)
        self.choice.classesChanged.connect(self.classesChanged)
        self.choice.chosen.connect(self.classChosen)
        self.tools = tools or ToolState(parent=self)
        self.active_tool = ActiveTool(self.tools, self)
        self.selection = Selection(self)
        self.select = self.selection.select
        self.seen: Callable[[], Seen] = Seen
        self.author = user_name()

    def held(self, image: ImageId) -> OpenDocument | None:
        """The document of an image where it is in memory."""
        return self._open.get(image)

    def show(self, opened: OpenDocument, plane: int) -> None:
        """Put a document on screen; others are released, oldest first, once all their edits are durable."""
        self._open.show(opened)
        if opened is not self.current or plane != self.plane:
            self.active_tool.rest()
            self.selection.clear()
        self.current, self.plane = opened, plane
        self._open.release([*self._waiting.documents, *self._undoing.documents, *self.computing()])
        self.historyChanged.emit()

    @property
    def generation(self) -> int:
        """Counts the changes that others made in the store."""
        return self._open.generation

    # -- the class that paints ---------------------------------------------------------------------------------------

    @property
    def classes(self) -> ClassTable:
        """The classes of the project, edits that are not durable yet included."""
        return self.choice.classes

    @property
    def class_id(self) -> ClassId:
        """The class chosen to paint with; `classChosen` says that it is another."""
        return self.choice.id

    @class_id.setter
    def class_id(self, id_: ClassId) -> None:
        self.choice.id = id_

    def choose_class(self, name: str) -> None:
        """Choose the class to paint; a stroke under way is kept. Raises `UserError` where none has this name."""
        found = self.choice.named(name)
        self.commit_gesture()
        self.class_id = found

    @property
    def current_class(self) -> LabelClass:
        """The class that a stroke paints, as it counts today: what the window highlights is this one."""
        return self.choice.current

    # -- gestures: what `ActiveTool` builds on ---------------------------------------------------------------------

    @property
    def gesture_active(self) -> bool:
        """Whether a gesture is under way."""
        return self.active_tool.active

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event to the tool; `changed` comes before this returns."""
        self.active_tool.pointer(event)

    def commit_gesture(self) -> None:
        """End a gesture that is under way, keeping it."""
        self.active_tool.commit()

    def cancel_gesture(self) -> bool:
        """End a gesture that is under way as if it had never begun; whether there was one."""
        return self.active_tool.abort()

    def context(self) -> Context | None:
        """The document on screen and what is painted on it now."""
        if self.current is None:
            return None
        tools = self.tools
        held = tools.radius, tools.touch, self.plane, self.author, tools.values(), tools.new_object, tools.limits
        return Context(self.current.document, Paint(self.classes, self.current_class, *held), self.seen())

    def refusal(self) -> str:
        """Why nothing can be painted on the image on screen; '' where something can."""
        if self._project.writer is None:
            return self._project.why_read_only
        return self.busy if self.current is not None and self.long.changes(self.current.document.image) else ""

    def say(self, sentence: str) -> None:
        """Show a passing message."""
        self._notices.say(sentence)

    def repaint(self, plane: int, rect: Rect) -> None:
        """Tell of pixels of the image on screen that changed without an edit."""
        if self.current is not None:
            self.changed.emit(Changed(None, self.current.document.image, plane, rect))

    def gesture_began(self) -> None:
        """Undo undoes a gesture under way."""
        self.historyChanged.emit()

    gesture_dropped = gesture_began

    def keep(self, edit: Edit | None) -> None:
        """Hand the edit of a gesture to the writer, at once or once it can have its number."""
        if edit is None or self.current is None:
            self.historyChanged.emit()
            return
        self._undoing.forget(edit.image)
        if self.long.writing:
            self._waiting.hold(edit, self.current)
            self.tell()
        else:
            self._submit_stroke(edit, self.current)

    def _submit_stroke(self, edit: Edit, opened: OpenDocument, *, held: bool = False) -> None:
        self._door.hand_in(edit, opened, self.plane, held=held)

    def read_again(self) -> None:
        """Read what is stored of the image on screen, and what waits."""
        if self.current is not None:
            self._open.read_again(self.current)

    def commit(self, edit: Edit) -> Seq | None:
        """Apply an edit in memory and hand it to the writer; None where it changes nothing.

        Raises `EditConflict` where it was made on something else, `ReadOnly` where this window may not write.
        """
        if self._project.writer is None:
            raise ReadOnly(self._project.why_read_only)
        if edit.empty:
            return None
        self._waiting.must_be_free()
        self._undoing.forget(edit.image)
        return self._door.make(edit, self.plane)

    def commit_classes(self, edit: Edit) -> Seq | None:
        """Commit a project-wide edit of class rows."""
        seq = self.commit(edit)
        self.choice.follow(edit)
        return seq

    @property
    def held_edits(self) -> list[Edit]:
        """Strokes that wait for a change of many images to be written."""
        return self._waiting.edits

    def _committed(self, seq: int) -> None:
        self._open.saved(seq)
        self.editCommitted.emit(seq)

    @property
    def submitted(self) -> int:
        """Number of the newest edit, on disk or on its way there."""
        return self.saving.submitted

    def save_state(self) -> SaveState:
        """The words of the status bar."""
        return self.saving.state()

    # -- undo --------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether something on this image can be undone, a stroke under way and what is being computed included."""
        if self.gesture_active or self.current is None or self.busy:
            return self.gesture_active
        return self.current in self.computing() or self._undoing.left(self.current, redo=False)

    @property
    def can_redo(self) -> bool:
        """Whether something undone can be redone."""
        return self.current is not None and not self.busy and self._undoing.left(self.current, redo=True)

    @property
    def undo_ends(self) -> str:
        """Why an image that was painted has nothing to undo: its journal was compacted; else ''."""
        return "" if self.current is None else undo_ends(self.current.history)

    def undo(self) -> None:
        """Take the newest edit back, at once or when it has been read; a stroke under way is aborted instead."""
        if not self.cancel_gesture() and self.current is not None:
            self._waiting.must_be_free()
            self._undoing.want(self.current, redo=False)

    def redo(self) -> None:
        """Redo what was undone last; a stroke under way is kept, and then there is nothing to do again."""
        self.commit_gesture()
        if self.current is not None:
            self._waiting.must_be_free()
            self._undoing.want(self.current, redo=True)

    def make(self, edit: Edit) -> None:
        """Make the edit that undoes another one. Raises as `commit` does."""
        self._waiting.must_be_free()
        self._door.make(edit, self.plane)
        if edit.image is None:
            self.choice.follow(edit)

    def write_back(self, seq: Seq, reach: Reach, *, redone: bool) -> None:
        """Undo, or redo, as a job what is too large for one edit in memory, or belongs to a batch."""
        images = frozenset(reach.images)
        kind, text = job_words(redone, len(images))
        self._waiting.must_be_free()
        self.long.start(kind, text, lambda ticker: self._project.take_back(seq, self.author, ticker), images)
        self.tell()
        self.long.finish_if_soon(_SOON_S)

    # -- what has to wait --------------------------------------------------------------------------------------------

    def after(self, call: Callable[[], object]) -> None:
        """Run `call` once every edit made so far is in the project or with its writer: at once where it is.

        It waits for what is computed or written as a job, for the strokes held meanwhile, and for one under way.
        """
        self._waiting.call(call)

    def go_on(self) -> None:
        """Run what waits, in its order, where nothing is left to wait for."""
        self._undoing.go_on()
        self._waiting.go_on()

    def _may_call(self) -> bool:
        return not (self.computing() or self.gesture_active or self._undoing.owed)

    def _undo_told(self) -> None:
        self.tell()
        self._waiting.go_on()

    def _held(self) -> int:
        """How many edits the writer has not got yet."""
        return len(self._waiting.edits) + self._undoing.owed + len(self.computing())

    @property
    def owes(self) -> bool:
        """Whether something that was asked for waits."""
        return self._waiting.owes or bool(self._undoing.owed)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what waits, but for what is being read `wait_s` at most; waiting strokes are in `held_edits`."""
        self._undoing.close(wait_s)
        self.long.close(wait_s)
        self._waiting.close()
        self.active_tool.rest()

    def write_long(
        self,
        kind: JobKind,
        text: str,
        write: Write,
        images: frozenset[ImageId] | None,
        then: Callable[[int], None] = lambda _: None,
        otherwise: Callable[[UserError], None] | None = None,
    ) -> None:
        """Write a change of many images, or one too large for memory, as a job; open documents follow it.

        `images` may be changed (None = any). A stroke under way is kept first. Raises `UserError` during such a job.
        """
        self.commit_gesture()
        self._waiting.must_be_free()
        self._undoing.forget(None)
        self.long.start(kind, text, write, images, then, otherwise)
        self.tell()

    def settle(self, timeout_s: float = _SETTLE_S) -> None:
        """Keep a stroke under way, wait for a job that writes (after the time it is cancelled) and for what it held."""
        self.commit_gesture()
        self._undoing.finish(timeout_s)
        self.long.finish(timeout_s)
        if self._waiting.edits and self._project.writer is not None:
            self._project.writer.flush(timeout_s)
            self._waiting.release()

    @property
    def busy(self) -> str:
        """Why nothing but strokes on other images can be changed now; '' where all can."""
        return self._waiting.busy

    def _follow(self, images: frozenset[ImageId] | None, stored: StoredState) -> None:
        """The store was changed, and holds this now."""
        self._open.follow(stored, images)
        everywhere = stored.classes.table.all != self.classes.all
        self.choice.take(stored.classes)
        self.rewritten.emit(None if everywhere else images)
        self.tell()

    def _set_aside(self, aside: SetAside) -> None:
        """Edits were refused by the journal: what is in memory becomes again what is saved, with what still waits."""
        images = frozenset(edit.image for _, edit in aside.edits)
        for seq, _ in aside.edits:
            self.recent.drop(seq)
        if self.current is not None and (None in images or self.current.document.image in images):
            self.cancel_gesture()
        self._notices.tell_bug(aside.sentence, aside.details)
        self.setAside.emit(aside)
        self._open.give_up(images)
        if None in images:
            self.choice.take(classes_of(self._project))
        self.rewritten.emit(None if None in images else images)
        self.tell()

    def tell(self) -> None:
        """What can be undone, what is being computed, or how far saving is, may be another."""
        self.historyChanged.emit()
        self.saving.announce()

"""The owner of the labels in memory: open documents, history, the one door for edits. Gestures: `active_tool`."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.active_tool import ActiveTool
from segstudio.app.editing.background_writes import LongWrites, Write
from segstudio.app.editing.edit_cache import RecentEdits
from segstudio.app.editing.open_document import OpenDocument, taken_out
from segstudio.app.editing.save_state import Saving
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.base import Context, Paint
from segstudio.app.editing.tools.pointer import Pointer
from segstudio.app.ground import Ground
from segstudio.app.values import Changed, JobKind, SaveState
from segstudio.errors import EditConflict, ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.edit import Edit, Table
from segstudio.labels.model import ClassId, ClassTable, ImageId, LabelClass, Seq
from segstudio.labels.tiles.raster import TileBudget
from segstudio.labels.tiles.streamed import LARGEST_EDIT_BYTES
from segstudio.labels.user import user_name
from segstudio.store.project import Reach, SetAside
from segstudio.text import _, count

__all__ = ["Documents", "OpenDocument"]

_KEPT_DOCUMENTS = 4
_HELD_POLL_MS = 50
_SETTLE_S = 30.0
_SOON_S = 0.05
"""How long an undo waits for its job before the job is shown."""


class Documents(QObject):
    """`current` is the document on screen; every change of labels goes through `commit`.

    `computing`, set by whoever computes edits on a worker, says of which documents: those are not let go.
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
        classes: ClassTable | None = None,
        last_seq: Seq | None = None,
        tools: ToolState | None = None,
    ) -> None:
        """`classes` and `last_seq` are the project's where they were read before; `tools` is the window's.

        Edits of more than `largest_edit_bytes` of dense tiles are streamed; `budget` is for the tiles in memory."""
        super().__init__(parent)
        self._project, self.main, self._notices = ground.project, ground.main, ground.notices
        self.largest_edit_bytes = largest_edit_bytes
        self.budget = budget or TileBudget()
        self.generation = 0
        self.long = LongWrites(ground, self)
        self.long.written.connect(self._follow)
        self.long.ended.connect(self._release)
        self._held: list[tuple[Edit, OpenDocument]] = []
        self.computing: Callable[[], Sequence[OpenDocument]] = tuple
        self._after: list[Callable[[], object]] = []
        self._poll = QTimer(self)
        self._poll.setSingleShot(True)
        self._poll.setInterval(_HELD_POLL_MS)
        self._poll.timeout.connect(self._release)
        self._recent = RecentEdits()
        self._open: dict[ImageId, OpenDocument] = {}
        self.saving = Saving(ground, lambda: len(self._held), lambda: self.long.text, self, last_seq)
        self.saving.editCommitted.connect(self._committed)
        self.saving.changed.connect(self.saveStateChanged)
        self.saving.setAside.connect(self._set_aside)
        self.current: OpenDocument | None = None
        self.plane = 0
        self.classes: ClassTable = classes or ground.project.classes()
        self.tools = tools or ToolState(parent=self)
        self.active_tool = ActiveTool(self.tools, self)
        self._class_id = next((c.id for c in self.classes.foreground), self.classes.background.id)
        self.author = user_name()

    # -- opening -----------------------------------------------------------------------------------------------------

    def held(self, image: ImageId) -> OpenDocument | None:
        """The document of an image where it is in memory."""
        return self._open.get(image)

    def show(self, opened: OpenDocument, plane: int) -> None:
        """Put a document on screen; others are released, oldest first, once all their edits are durable."""
        image = opened.document.image
        self._open.pop(image, None)
        self._open[image] = opened
        opened.document.raster.share(self.budget)
        opened.document.raster.saved(self.saving.acknowledged)
        if opened.generation != self.generation:
            self._read_anew(opened)
        if opened is not self.current or plane != self.plane:
            self.active_tool.rest()
        self.current, self.plane = opened, plane
        awaited = [*(held for _, held in self._held), *self.computing()]
        for old in list(self._open)[:-_KEPT_DOCUMENTS]:
            if self._open[old].last <= self.saving.acknowledged and not any(o is self._open[old] for o in awaited):
                self._open.pop(old).document.raster.leave()
        self.historyChanged.emit()

    # -- the class that paints ---------------------------------------------------------------------------------------

    @property
    def class_id(self) -> ClassId:
        """The class chosen to paint with; `classChosen` says that it is another."""
        return self._class_id

    @class_id.setter
    def class_id(self, id_: ClassId) -> None:
        if id_ != self._class_id:
            self._class_id = id_
            self.classChosen.emit()

    def choose_class(self, name: str) -> None:
        """Choose the class to paint; a stroke under way is kept. Raises `UserError` where none has this name."""
        found = self.classes.named(name)
        if found is None:
            raise UserError(_("There is no class '{name}' in this project.", name=name))
        self.commit_gesture()
        self.class_id = found.id

    @property
    def current_class(self) -> LabelClass:
        """The class that a stroke paints, as it counts today: what the window highlights is this one."""
        return self.classes.effective(self._class_id) or self.classes.background

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
        paint = Paint(self.classes, self.current_class, tools.radius, tools.touch, self.plane, self.author)
        return Context(self.current.document, paint)

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
        elif self._writing_long:
            # It waits in memory, with its tiles.
            self._held.append((edit, self.current))
            self._release_later()
            self.historyChanged.emit()
            self.saving.announce()
        else:
            self._submit_stroke(edit, self.current)

    def _submit_stroke(self, edit: Edit, opened: OpenDocument) -> None:
        seq = self._submit_or_take_out(edit, opened)
        tables = frozenset(row.table for row in edit.rows)
        self.changed.emit(Changed(seq, edit.image, self.plane, Rect(0, 0, 0, 0), tables, edit.cause))

    def read_again(self) -> None:
        """Read what is stored of the image on screen, and what waits."""
        if self.current is not None:
            self._read_again(self.current)

    # -- the one door ------------------------------------------------------------------------------------------------

    def commit(self, edit: Edit) -> Seq | None:
        """Apply an edit in memory and hand it to the writer; None where it changes nothing.

        Raises `EditConflict` where it was made on something else, `ReadOnly` where this window may not write.
        """
        if self._project.writer is None:
            raise ReadOnly(self._project.why_read_only)
        if edit.empty:
            return None
        self._must_be_free()
        opened = self._open.get(edit.image) if edit.image is not None else None
        if edit.image is not None and opened is None:
            raise EditConflict("the image is not open")
        rects = opened.document.apply(edit) if opened is not None else {}
        seq = self._submit_or_take_out(edit, opened)
        image = edit.image
        tables = frozenset(row.table for row in edit.rows)
        for plane, rect in rects.items():
            self.changed.emit(Changed(seq, image, plane, rect, tables, edit.cause))
        if not rects:
            self.changed.emit(Changed(seq, image, self.plane, Rect(0, 0, 0, 0), tables, edit.cause))
        return seq

    def commit_classes(self, edit: Edit) -> Seq | None:
        """Commit a project-wide edit of class rows."""
        seq = self.commit(edit)
        self._reload_classes(edit)
        return seq

    def _reload_classes(self, edit: Edit) -> None:
        classes = self.classes
        for row in edit.rows:
            classes = apply_class_row(classes, row)
        self._take_classes(classes)

    def _take_classes(self, classes: ClassTable) -> None:
        if classes.all != self.classes.all:
            self.classes = classes
            lost = classes.effective(self._class_id) is None
            if lost:
                # A removal, undo or redo took the current class away: a class that counts as nothing must not paint.
                self._class_id = next((c.id for c in classes.foreground), classes.background.id)
            self.classesChanged.emit()
            if lost:
                self.classChosen.emit()

    def _submit_or_take_out(self, edit: Edit, opened: OpenDocument | None) -> Seq:
        """Hand an edit that is made in memory to the writer; one that the writer refuses is undone there too."""
        assert self._project.writer is not None
        try:
            seq = self._project.writer.submit(edit)
        except BaseException:
            if opened is not None:
                self._take_out(edit, opened)
            raise
        self._submitted(seq, edit, opened)
        return seq

    def _take_out(self, edit: Edit, opened: OpenDocument) -> None:
        try:
            rects = taken_out(opened, edit)
        except EditConflict:
            self._read_again(opened)
            return
        opened.document.raster.saved(self.saving.acknowledged)
        for plane, rect in rects.items():
            self.changed.emit(Changed(None, opened.document.image, plane, rect))

    def _submitted(self, seq: Seq, edit: Edit, opened: OpenDocument | None) -> None:
        self.saving.submitted = seq
        holders = [opened] if opened is not None else list(self._open.values())
        for holder in holders:
            holder.history.record(seq, edit)
            holder.last = seq
        if opened is not None:
            opened.document.raster.written(edit.tiles, seq)
        self._recent.add(seq, edit)
        self.historyChanged.emit()
        self.saving.announce()

    @property
    def held_edits(self) -> list[Edit]:
        """Strokes that wait for a change of many images to be written."""
        return [edit for edit, _ in self._held]

    def _committed(self, seq: int) -> None:
        for opened in self._open.values():
            opened.document.raster.saved(seq)
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
        """Whether something on this image can be undone, a stroke under way included."""
        if self.gesture_active or self.current is None or self._writing_long or self._held:
            return self.gesture_active
        return self.current.history.next_undo() is not None

    @property
    def can_redo(self) -> bool:
        """Whether something undone can be redone."""
        if self.current is None or self._writing_long or self._held:
            return False
        return self.current.history.next_redo() is not None

    @property
    def undo_ends(self) -> str:
        """Why an image that was painted has nothing to undo: its journal was compacted; else ''."""
        if self.current is None or not self.current.history.floor or self.current.history.next_undo() is not None:
            return ""
        return _(
            "Undo ends here: 'segstudio compact' dropped the history of this image up to edit {edit}.",
            edit=self.current.history.floor,
        )

    def undo(self) -> None:
        """Take the newest edit back; a stroke under way is aborted instead."""
        if not self.cancel_gesture() and self.current is not None:
            self._must_be_free()
            history = self.current.history
            if len(history.undoable) == 1 and history.more:
                # The newest thousand are nearly used up: read on while there is one to read from.
                history.extend(self._project.history(history.image, before=history.undoable[0]))
            if self.undo_ends:
                raise UserError(self.undo_ends, safe=_("Named snapshots from before are kept."))
            self._take_back(history.next_undo())

    def redo(self) -> None:
        """Redo what was undone last; a stroke under way is kept, and then there is nothing to do again."""
        self.commit_gesture()
        if self.current is not None:
            self._must_be_free()
            self._take_back(self.current.history.next_redo())

    def _take_back(self, seq: Seq | None) -> None:
        """Take an edit back, or redo what an undo edit undid: in memory where it is small, else as a job."""
        opened = self.current
        if seq is None or opened is None or self._project.writer is None:
            return
        found = self._project.reversal(
            seq,
            self.author,
            opened.document.raster.tile,
            known=self._recent.get(seq),
            largest_bytes=self.largest_edit_bytes,
        )
        if isinstance(found, Reach):
            self._take_back_long(seq, opened.history.next_redo() == seq, frozenset(found.images))
        elif found.image is None:
            self.commit_classes(found)
        else:
            self.commit(found)

    def _take_back_long(self, seq: Seq, again: bool, images: frozenset[ImageId]) -> None:
        if again:
            kind, text = JobKind.REDO, _("Redo")
            text_of_many = count(len(images), "Redo in {n} image", "Redo in {n} images")
        else:
            kind, text = JobKind.UNDO, _("Undo")
            text_of_many = count(len(images), "Undo in {n} image", "Undo in {n} images")
        text = text if len(images) < 2 else text_of_many
        self.write_long(kind, text, lambda ticker: self._project.take_back(seq, self.author, ticker), images)
        self.long.finish_if_soon(_SOON_S)

    # -- what has to wait --------------------------------------------------------------------------------------------

    def after(self, call: Callable[[], object]) -> None:
        """Run `call` once every edit made so far is in the project or with its writer: at once where it is.

        It waits for what is computed or written as a job, for the strokes held meanwhile, and for one under way.
        """
        self._after.append(call)
        self.go_on()
        if self._writing_long:
            self._release_later()

    def go_on(self) -> None:
        """Run what waits, in its order, where nothing is left to wait for."""
        while self._after and not (self.busy or self.computing() or self.gesture_active):
            self._after.pop(0)()

    @property
    def owes(self) -> bool:
        """Whether something that was asked for waits."""
        return bool(self._after)

    def close(self) -> None:
        """Drop what waits; waiting strokes are in `held_edits`."""
        self._after.clear()
        self._poll.stop()
        self.active_tool.rest()

    # -- what is written as one job --------------------------------------------------------------------------------

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

        `images` are those that it may change (None = any). A stroke under way is kept first. Raises `UserError` where
        such a job is under way already.
        """
        self.commit_gesture()
        self._must_be_free()
        self.long.start(kind, text, write, images, then, otherwise)
        self.historyChanged.emit()
        self.saving.announce()

    def settle(self, timeout_s: float = _SETTLE_S) -> None:
        """Keep a stroke under way, wait for a job that writes (after the time it is cancelled) and for what it held."""
        self.commit_gesture()
        self.long.finish(timeout_s)
        if self._held and self._project.writer is not None:
            self._project.writer.flush(timeout_s)
            self._release()

    @property
    def _writing_long(self) -> bool:
        writer = self._project.writer
        return self.long.running or (writer is not None and writer.writing_all)

    @property
    def busy(self) -> str:
        """Why nothing but strokes on other images can be changed now; '' where all can."""
        if not self._writing_long and not self._held:
            return ""
        what = self.long.text or _("A large change is being written")
        return _("{what}: nothing else can be changed here until it is done.", what=what)

    def _must_be_free(self) -> None:
        if self.busy:
            raise ReadOnly(self.busy)

    def _follow(self, images: frozenset[ImageId] | None) -> None:
        """The store was changed: what is open is read again."""
        self.generation += 1
        self.saving.catch_up()
        classes = self._project.classes()
        everywhere = classes.all != self.classes.all
        for image, opened in self._open.items():
            if images is None or image in images:
                self._read_anew(opened)
                continue
            # Its pixels stay: strokes may be on them that the store has not got yet. An edit of the whole project, of
            # classes or of images that come back, stands in every image's history.
            opened.history = self._project.history(image)
            opened.generation = self.generation
        self._take_classes(classes)
        self.rewritten.emit(None if everywhere else images)
        self.historyChanged.emit()
        self.saving.announce()

    def _set_aside(self, aside: SetAside) -> None:
        """Edits were refused by the journal: what is in memory becomes again what is saved, with what still waits."""
        images = frozenset(edit.image for _, edit in aside.edits)
        for seq, _unused in aside.edits:
            self._recent.drop(seq)
        if self.current is not None and (None in images or self.current.document.image in images):
            self.cancel_gesture()
        self._notices.tell_bug(aside.sentence, aside.details)
        self.setAside.emit(aside)
        for image, opened in self._open.items():
            if image in images:
                self._read_again(opened)
            elif None in images:
                opened.history = self._project.history(image)
        if None in images:
            self._take_classes(self._project.classes())
        self.rewritten.emit(None if None in images else images)
        self.historyChanged.emit()
        self.saving.announce()

    def _read_again(self, opened: OpenDocument) -> None:
        """Read the stored and the waiting edits; where that fails too, the image is read before it is shown again."""
        opened.generation = -1
        self._read_anew(opened)
        for edit, owner in self._held:
            if owner is opened:
                # The writer sets aside one that depends on a lost edit, and reports it.
                with suppress(EditConflict):
                    opened.document.apply(edit)

    def _read_anew(self, opened: OpenDocument) -> None:
        document = opened.document
        document.become(self._project.document(document.image))
        opened.history = self._project.history(document.image)
        opened.last, opened.generation = self.saving.submitted, self.generation
        for plane in range(len(document.raster.sizes)):
            where = document.raster.bounds(plane)
            tables = frozenset({Table.OBJECTS, Table.IMAGES})
            self.changed.emit(Changed(Seq(self.saving.submitted), document.image, plane, where, tables))

    def _release(self) -> None:
        """Pass on the waiting strokes in their order; later where something is still being written."""
        if self._writing_long:
            self._release_later()
            return
        self._poll.stop()
        held, self._held = self._held, []
        for edit, opened in held:
            self._submit_stroke(edit, opened)
        self.historyChanged.emit()
        self.saving.announce()
        self.go_on()

    def _release_later(self) -> None:
        # The end of `long` is reported; that of another writer is not.
        if self._held or self._after:
            self._poll.start()

"""The owner of the labels in memory: open documents, the tool's gesture, history, the one door for edits."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.jobs import MainThread
from segstudio.app.long_writes import LongWrites, Write
from segstudio.app.recent import RecentEdits
from segstudio.app.tools import Paint, Phase, Pointer, StrokeTool
from segstudio.app.values import Changed, SaveState
from segstudio.errors import EditConflict, ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.author import user_name
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, Table
from segstudio.labels.model import Cause, ClassTable, ImageId, Seq
from segstudio.labels.policy import Touch
from segstudio.labels.raster import TileBudget
from segstudio.labels.streamed import LARGEST_EDIT_BYTES
from segstudio.store.filling import Filling, filled
from segstudio.store.history import History
from segstudio.store.project import Project
from segstudio.store.ticker import Ticker

__all__ = ["Documents", "OpenDocument"]

_KEPT_DOCUMENTS = 4
_HELD_POLL_MS = 50
_SETTLE_S = 30.0


@dataclass(slots=True)
class OpenDocument:
    """A document with its history and the number of the last edit that belongs to it.

    `generation` is that of `Documents` when it was read: where it is another by now, it is read anew first.
    """

    document: Document
    history: History
    last: int = 0
    generation: int = 0


class Documents(QObject):
    """`current` is the document on screen; every change of labels goes through `commit`."""

    changed = Signal(object)
    editCommitted = Signal(int)
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    classesChanged = Signal()
    refused = Signal(str)
    said = Signal(str)
    rewritten = Signal(object)

    def __init__(
        self,
        project: Project,
        main: MainThread,
        parent: QObject | None = None,
        *,
        largest_edit_bytes: int = LARGEST_EDIT_BYTES,
        budget: TileBudget | None = None,
    ) -> None:
        """Edits of more than `largest_edit_bytes` of dense tiles are streamed; `budget` is for the tiles in memory."""
        super().__init__(parent)
        self._project = project
        self.largest_edit_bytes = largest_edit_bytes
        self.budget = budget or TileBudget()
        self.generation = 0
        self.long = LongWrites(main, self)
        self.long.written.connect(self._follow)
        self.long.ended.connect(self._release)
        self._held: list[tuple[Edit, OpenDocument]] = []
        self._poll = QTimer(self)
        self._poll.setSingleShot(True)
        self._poll.setInterval(_HELD_POLL_MS)
        self._poll.timeout.connect(self._release)
        self._recent = RecentEdits()
        self._open: dict[ImageId, OpenDocument] = {}
        self._acknowledged = self._submitted = project.last_seq()
        self.current: OpenDocument | None = None
        self.plane = 0
        self.classes: ClassTable = project.classes()
        self.tools = {name: StrokeTool(name, self._target) for name in ("brush", "eraser")}
        self.tool: StrokeTool | None = self.tools["brush"]
        self.radius = 12.0
        self.touch = Touch.ALL
        self.class_id = next((c.id for c in self.classes.foreground), self.classes.background.id)
        self.author = user_name()
        self._sentence = ""
        if project.writer is not None:
            writer = project.writer
            writer.on_saved = lambda seq: main.post(lambda: self._saved(seq))
            writer.on_refused = lambda sentence: main.post(lambda: self._refused(sentence))
            writer.on_recovered = lambda: main.post(self._recovered)

    # -- opening -----------------------------------------------------------------------------------------------------

    def held(self, image: ImageId) -> OpenDocument | None:
        """The document of an image where it is in memory."""
        return self._open.get(image)

    def show(self, opened: OpenDocument, plane: int) -> None:
        """Make a document the one on screen; the rest is let go, oldest first, where all its edits are durable."""
        image = opened.document.image
        self._open.pop(image, None)
        self._open[image] = opened
        opened.document.raster.share(self.budget)
        opened.document.raster.saved(self._acknowledged)
        if opened.generation != self.generation:
            self._read_anew(opened)
        self.current, self.plane = opened, plane
        for old in list(self._open)[:-_KEPT_DOCUMENTS]:
            if self._open[old].last <= self._acknowledged and not any(o is self._open[old] for _, o in self._held):
                self._open.pop(old).document.raster.leave()
        self.historyChanged.emit()

    # -- painting ----------------------------------------------------------------------------------------------------

    @property
    def gesture_active(self) -> bool:
        """Whether a stroke is under way."""
        return self.tool is not None and self.tool.active

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event to the tool; `changed` comes before this returns."""
        tool = self.tool
        if tool is None or self.current is None:
            return
        if event.phase is Phase.PRESS and self.long.changes(self.current.document.image):
            self.said.emit(self._busy())
        elif event.phase is Phase.PRESS:
            began = not tool.active
            self._repaint(tool.press(event))
            if began and tool.active:
                self.historyChanged.emit()
        elif event.phase is Phase.MOVE:
            self._repaint(tool.move(event))
        elif event.phase is Phase.RELEASE:
            rect, ends = tool.release(event)
            self._repaint(rect)
            if ends:
                self.commit_gesture()

    def commit_gesture(self) -> None:
        """End a stroke that is under way, keeping it."""
        if not self.gesture_active or self.tool is None or self.current is None:
            return
        edit = self.tool.commit()
        if edit is None:
            self.historyChanged.emit()
        elif self._writing_long:
            # It cannot have its number yet; it waits in memory, and its tiles with it.
            self._held.append((edit, self.current))
            self._release_later()
            self.historyChanged.emit()
            self._announce()
        else:
            self._submit_stroke(edit, self.current)

    def _submit_stroke(self, edit: Edit, opened: OpenDocument) -> None:
        seq = self._submit(edit, opened)
        tables = frozenset(row.table for row in edit.rows)
        self.changed.emit(Changed(seq, edit.image, self.plane, Rect(0, 0, 0, 0), tables, edit.cause))

    def cancel_gesture(self) -> bool:
        """End a stroke that is under way as if it had never begun; whether there was one."""
        if not self.gesture_active or self.tool is None or self.current is None:
            return False
        for plane, rect in self.tool.abort().items():
            self.changed.emit(Changed(None, self.current.document.image, plane, rect))
        self.historyChanged.emit()
        return True

    def _target(self) -> tuple[Document, Paint] | None:
        if self.current is None or self._project.writer is None:
            return None
        found = self.classes.get(self.class_id) or self.classes.background
        return self.current.document, Paint(self.classes, found, self.radius, self.touch, self.plane, self.author)

    def _repaint(self, rect: Rect) -> None:
        if not rect.empty and self.current is not None:
            self.changed.emit(Changed(None, self.current.document.image, self.plane, rect))

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
        seq = self._submit(edit, opened)
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
        if any(row.table is Table.CLASSES for row in edit.rows):
            classes = self.classes
            for row in edit.rows:
                classes = apply_class_row(classes, row)
            self._take_classes(classes)

    def _take_classes(self, classes: ClassTable) -> None:
        self.classes = classes
        if classes.effective(self.class_id) is None:
            # An undo, redo or restore took the current class away: nobody must paint with what counts as nothing.
            self.class_id = next((c.id for c in classes.foreground), classes.background.id)
        self.classesChanged.emit()

    def _submit(self, edit: Edit, opened: OpenDocument | None) -> Seq:
        assert self._project.writer is not None
        seq = self._submitted = self._project.writer.submit(edit)
        holders = [opened] if opened is not None else list(self._open.values())
        for holder in holders:
            holder.history.record(seq, edit)
            holder.last = seq
        if opened is not None:
            opened.document.raster.written(edit.tiles, seq)
        self._recent.add(seq, edit)
        self.historyChanged.emit()
        self._announce()
        return seq

    @property
    def submitted(self) -> int:
        """Number of the newest edit, on disk or on its way there."""
        return self._submitted

    # -- undo --------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether something on this image can be taken back, a stroke under way included."""
        if self.gesture_active or self.current is None or self._writing_long or self._held:
            return self.gesture_active
        return self.current.history.next_undo() is not None

    @property
    def can_redo(self) -> bool:
        """Whether something taken back can be done again."""
        if self.current is None or self._writing_long or self._held:
            return False
        return self.current.history.next_redo() is not None

    @property
    def undo_ends(self) -> str:
        """Why an image that was painted has nothing to take back: its journal was compacted; else ''."""
        if self.current is None or not self.current.history.floor or self.current.history.next_undo() is not None:
            return ""
        return (
            f"Undo ends here: how this image was painted up to edit {self.current.history.floor} was dropped by "
            "'segstudio compact'."
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
                raise UserError(self.undo_ends, safe="Named snapshots of that time are kept.")
            self._revert(history.next_undo(), Cause.UNDO)

    def redo(self) -> None:
        """Do again what was taken back last; a stroke under way is kept, and then there is nothing to do again."""
        self.commit_gesture()
        if self.current is not None:
            self._must_be_free()
            self._revert(self.current.history.next_redo(), Cause.REDO)

    def _revert(self, seq: Seq | None, cause: Cause) -> None:
        opened, writer = self.current, self._project.writer
        if seq is None or opened is None or writer is None:
            return
        refusal = self._project.undo_refusal(seq)
        if refusal:
            raise UserError(refusal)
        edit = self._recent.get(seq) or writer.pending_edit(seq)
        if edit is None:
            reach = self._project.reach(seq)
            if reach.batch or reach.bytes > self.largest_edit_bytes:
                self._revert_long(seq, cause, len(reach.images), frozenset(reach.images))
                return
            edit = self._project.load_edit(seq, opened.document.raster.tile)
        inverted = replace(edit.inverted(seq, cause), author=self.author)
        if inverted.image is None:
            self.commit_classes(inverted)
        else:
            self.commit(inverted)

    def _revert_long(self, seq: Seq, cause: Cause, count: int, images: frozenset[ImageId]) -> None:
        verb = self.tr("Undo") if cause is Cause.UNDO else self.tr("Redo")
        text = verb if count < 2 else self.tr("{0} in {1} images").format(verb, f"{count:,}")
        self.write_long(cause.value, text, lambda ticker: self._project.take_back(seq, self.author, ticker), images)

    # -- what is written as one job --------------------------------------------------------------------------------

    def write_long(
        self,
        job: str,
        text: str,
        write: Write,
        images: frozenset[ImageId] | None,
        then: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Write a change of many images, or one too large for memory, as a job; open documents follow it.

        `images` are those that it may change (None = any). A stroke under way is kept first. Raises `UserError` where
        such a job is under way already.
        """
        self.commit_gesture()
        self.long.start(job, text, write, images, then)
        self.historyChanged.emit()
        self._announce()

    def settle(self, timeout_s: float = _SETTLE_S) -> None:
        """Keep a stroke under way, wait for a job that writes (after the time it is cancelled) and for what it held."""
        self.commit_gesture()
        self.long.finish(timeout_s)
        if self._held and self._project.writer is not None:
            self._project.writer.flush(timeout_s)
            self._release()

    def fill_long(self, text: str, header: Edit, work: Filling, then: Callable[[int], None]) -> None:
        """Fill an image as one job: tile by tile from what is stored, with progress and cancel."""
        writer = self._project.writer
        assert writer is not None
        assert header.image is not None

        def write(ticker: Ticker) -> "Future[int]":
            return writer.write_all(lambda db: [filled(db, header, work, ticker)])

        self.write_long(header.cause.value, text, write, frozenset({header.image}), then)

    @property
    def _writing_long(self) -> bool:
        writer = self._project.writer
        return self.long.running or (writer is not None and writer.writing_all)

    @property
    def busy(self) -> str:
        """Why nothing but strokes on other images can be changed now; '' where all can."""
        return self._busy() if self._writing_long or self._held else ""

    def _busy(self) -> str:
        what = self.long.text or self.tr("A large change is being written")
        return self.tr("{0}: nothing else can be changed here until it is done.").format(what)

    def _must_be_free(self) -> None:
        if self.busy:
            raise ReadOnly(self.busy)

    def _follow(self, images: frozenset[ImageId] | None) -> None:
        """The store was changed: what is open is read anew."""
        self.generation += 1
        self._submitted = max(self._submitted, self._project.last_seq())
        if self._project.classes().all != self.classes.all:
            images = None  # an edit of the classes stands in every image's history
            self._take_classes(self._project.classes())
        for image, opened in self._open.items():
            if images is None or image in images:
                self._read_anew(opened)
            else:
                opened.generation = self.generation
        self.rewritten.emit(images)
        self.historyChanged.emit()
        self._announce()

    def _read_anew(self, opened: OpenDocument) -> None:
        document = opened.document
        document.become(self._project.document(document.image))
        opened.history = self._project.history(document.image)
        opened.last, opened.generation = self._submitted, self.generation
        for plane in range(len(document.raster.sizes)):
            where = document.raster.bounds(plane)
            tables = frozenset({Table.OBJECTS, Table.IMAGES})
            self.changed.emit(Changed(Seq(self._submitted), document.image, plane, where, tables))

    def _release(self) -> None:
        """Hand over the strokes that waited, in their order; later where something is still being written."""
        if self._writing_long:
            self._release_later()
            return
        self._poll.stop()
        held, self._held = self._held, []
        for edit, opened in held:
            self._submit_stroke(edit, opened)
        self.historyChanged.emit()
        self._announce()

    def _release_later(self) -> None:
        # An end of `long` is told; one of whoever else writes is not.
        if self._held:
            self._poll.start()

    # -- saving ------------------------------------------------------------------------------------------------------

    def _saved(self, seq: Seq) -> None:
        for number in range(self._acknowledged + 1, seq + 1):
            self._acknowledged = Seq(number)
            self.editCommitted.emit(number)
        for opened in self._open.values():
            opened.document.raster.saved(seq)
        self._announce()

    def acknowledge_rest(self) -> None:
        """Say of every edit that became durable while the project closed that it did."""
        self._saved(self._project.last_seq())

    def _refused(self, sentence: str) -> None:
        self._sentence = sentence
        self.refused.emit(sentence)
        self._announce()

    def _recovered(self) -> None:
        self._sentence = ""
        self._announce()

    def save_state(self) -> SaveState:
        """What the status bar says."""
        writer = self._project.writer
        if writer is None:
            return SaveState(True, "", self._project.why_read_only)
        state = writer.state
        # Not `pending`: it counts jobs beside the edits (working times), whose end nobody tells of.
        all_durable = self._submitted <= self._acknowledged and not self._held and not self.long.running
        return SaveState(all_durable and not state.refused, _clock(state.last_saved_utc), state.refused)

    def _announce(self) -> None:
        self.saveStateChanged.emit(self.save_state())


def _clock(utc: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(utc).astimezone().strftime("%H:%M:%S") if utc else ""

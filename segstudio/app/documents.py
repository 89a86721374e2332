"""The owner of the labels in memory: open documents, the tool's gesture, history, the one door for edits."""

from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import MainThread
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
from segstudio.store.history import History
from segstudio.store.project import Project

__all__ = ["Documents", "OpenDocument"]

_KEPT_DOCUMENTS = 4
_KEPT_EDITS = 64


@dataclass(slots=True)
class OpenDocument:
    """A document with its history and the number of the last edit that belongs to it."""

    document: Document
    history: History
    last: int = 0
    recent: dict[Seq, Edit] = field(default_factory=dict)


class Documents(QObject):
    """`current` is the document on screen; every change of labels goes through `commit`."""

    changed = Signal(object)
    editCommitted = Signal(int)
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    classesChanged = Signal()
    refused = Signal(str)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._open: dict[ImageId, OpenDocument] = {}
        self._acknowledged = self._submitted = project.last_seq()
        self._class_edits: dict[Seq, Edit] = {}
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
        self.current, self.plane = opened, plane
        for old in list(self._open)[:-_KEPT_DOCUMENTS]:
            if self._open[old].last <= self._acknowledged:
                del self._open[old]
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
        if event.phase is Phase.PRESS:
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
        else:
            seq = self._submit(edit, self.current)
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
        for row in edit.rows:
            if row.table is Table.CLASSES:
                self.classes = apply_class_row(self.classes, row)
        if any(row.table is Table.CLASSES for row in edit.rows):
            if self.classes.effective(self.class_id) is None:
                # An undo or redo took the current class away: nobody must paint with what counts as nothing.
                self.class_id = next((c.id for c in self.classes.foreground), self.classes.background.id)
            self.classesChanged.emit()

    def _submit(self, edit: Edit, opened: OpenDocument | None) -> Seq:
        assert self._project.writer is not None
        seq = self._submitted = self._project.writer.submit(edit)
        holders = [opened] if opened is not None else list(self._open.values())
        for holder in holders:
            holder.history.record(seq, edit)
            holder.last = seq
            holder.recent[seq] = edit
            if len(holder.recent) > _KEPT_EDITS:
                del holder.recent[next(iter(holder.recent))]
        if opened is None:
            self._class_edits[seq] = edit
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
        return self.gesture_active or (self.current is not None and self.current.history.next_undo() is not None)

    @property
    def can_redo(self) -> bool:
        """Whether something taken back can be done again."""
        return self.current is not None and self.current.history.next_redo() is not None

    def undo(self) -> None:
        """Take the newest edit back; a stroke under way is aborted instead."""
        if not self.cancel_gesture() and self.current is not None:
            history = self.current.history
            if len(history.undoable) == 1 and history.more:
                # The newest thousand are nearly used up: read on while there is one to read from.
                history.extend(self._project.history(history.image, before=history.undoable[0]))
            self._revert(history.next_undo(), Cause.UNDO)

    def redo(self) -> None:
        """Do again what was taken back last; a stroke under way is kept, and then there is nothing to do again."""
        self.commit_gesture()
        if self.current is not None:
            self._revert(self.current.history.next_redo(), Cause.REDO)

    def _revert(self, seq: Seq | None, cause: Cause) -> None:
        opened = self.current
        if seq is None or opened is None or self._project.writer is None:
            return
        refusal = self._project.undo_refusal(seq)
        if refusal:
            raise UserError(refusal)
        edit = opened.recent.get(seq) or self._class_edits.get(seq)
        if edit is None:
            edit = self._project.load_edit(seq, opened.document.raster.tile)
        inverted = replace(edit.inverted(seq, cause), author=self.author)
        if inverted.image is None:
            self.commit_classes(inverted)
        else:
            self.commit(inverted)

    # -- saving ------------------------------------------------------------------------------------------------------

    def _saved(self, seq: Seq) -> None:
        for number in range(self._acknowledged + 1, seq + 1):
            self._acknowledged = Seq(number)
            self.editCommitted.emit(number)
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
        all_durable = self._submitted <= self._acknowledged
        return SaveState(all_durable and not state.refused, _clock(state.last_saved_utc), state.refused)

    def _announce(self) -> None:
        self.saveStateChanged.emit(self.save_state())


def _clock(utc: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(utc).astimezone().strftime("%H:%M:%S") if utc else ""

"""The one door for edits: made in memory, handed to the writer, known to the histories; or unmade where that fails."""

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.edit_cache import RecentEdits
from segstudio.app.editing.open_document import OpenDocument
from segstudio.app.editing.open_documents import OpenDocuments
from segstudio.app.editing.save_state import Saving
from segstudio.app.values import Changed
from segstudio.errors import EditConflict, ReadOnly
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq
from segstudio.store.project import Project

__all__ = ["Door"]


class Door(QObject):
    """`passed`: an edit has its number; `changed` follows, a `Changed` for every plane to draw, or one with no pixels.

    `recent` are the newest edits, which an undo need not read.
    """

    passed = Signal()
    changed = Signal(object)

    def __init__(self, project: Project, documents: OpenDocuments, saving: Saving, parent: QObject) -> None:
        super().__init__(parent)
        self._project, self._documents, self._saving = project, documents, saving
        self.recent = RecentEdits()

    def make(self, edit: Edit, plane: int) -> Seq:
        """Make an edit in memory and hand it to the writer; `plane` is named where no pixel changes.

        Raises `EditConflict` where it was made on something else, `ReadOnly` where this window may not write.
        """
        opened = self._documents.get(edit.image) if edit.image is not None else None
        if edit.image is not None and opened is None:
            raise EditConflict("the image is not open")
        rects = opened.document.apply(edit) if opened is not None else {}
        return self._pass(edit, opened, rects or {plane: Rect(0, 0, 0, 0)})

    def hand_in(self, edit: Edit, opened: OpenDocument, plane: int, *, held: bool = False) -> Seq:
        """Hand an edit to the writer that a gesture made, and drew, on a document. Raises what the writer raises.

        One that was `held` stays made where the writer does not take it now (`ReadOnly`).
        """
        return self._pass(edit, opened, {plane: Rect(0, 0, 0, 0)}, held=held)

    def _pass(self, edit: Edit, opened: OpenDocument | None, rects: dict[int, Rect], *, held: bool = False) -> Seq:
        try:
            if self._project.writer is None:
                raise ReadOnly(self._project.why_read_only)
            seq = self._project.writer.submit(edit)
        except BaseException as error:
            if opened is not None and not (held and isinstance(error, ReadOnly)):
                self._documents.take_out(edit, opened)
            raise
        self._saving.submitted = seq
        self._documents.record(seq, edit, opened)
        self.recent.add(seq, edit)
        self.passed.emit()
        tables = frozenset(row.table for row in edit.rows)
        for plane, rect in rects.items():
            parts = () if rect.empty else edit.repainted(plane)
            self.changed.emit(Changed(seq, edit.image, plane, rect, tables, edit.cause, parts))
        return seq

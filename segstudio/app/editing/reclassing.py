"""The owner of changes to whole objects by the table: another class, or none. One edit each, computed on a worker.

It is computed over a frozen copy and applied where its tiles are still the same, else computed again, as whole-image
fills are; one that is too large for memory is written as a job.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.background_fill import frozen_copy
from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import JobKind
from segstudio.errors import EditConflict, ReadOnly, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, TileChange, TileKey
from segstudio.labels.model import Cause, ClassId, ObjectId
from segstudio.labels.paint.reclass import Reclass, reclass_of, reclass_parts
from segstudio.labels.tiles.streamed import StreamedEdit, tile_bytes
from segstudio.store.label_fill import stored_document
from segstudio.store.progress_token import Ticker
from segstudio.text import _, count

__all__ = ["Reclassing"]

_POLL_MS = 50


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """What was asked for, of which document; `class_id` None = unknown."""

    opened: OpenDocument
    ids: tuple[ObjectId, ...]
    class_id: ClassId | None

    @property
    def header(self) -> Edit:
        """The edit without its tiles."""
        cause = Cause.ERASE if self.class_id is None else Cause.PAINT
        return Edit(self.opened.document.image, cause, tool="delete" if self.class_id is None else "reclass")


class Reclassing(QObject):
    """Both raise `UserError` where nothing can be changed: a locked class, a project that others write, a job."""

    def __init__(self, ground: Ground, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._notices, self._documents = ground.project, ground.notices, documents
        self._worker = Worker("reclass", ground.main)
        self._wishes: list[_Wish] = []
        before = documents.computing
        documents.computing = lambda: [*before(), *(wish.opened for wish in self._wishes)]

    def reclass(self, ids: Iterable[int], class_id: ClassId) -> None:
        """Give these objects of the image on screen another class, as one edit."""
        self._ask(ids, class_id)

    def delete(self, ids: Iterable[int]) -> None:
        """Make the pixels of these objects of the image on screen unknown, as one edit."""
        self._ask(ids, None)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what is not applied yet, and end the worker."""
        self._wishes.clear()
        self._worker.close(wait_s)

    def _ask(self, ids: Iterable[int], class_id: ClassId | None) -> None:
        current = self._documents.current
        if self._project.writer is None:
            raise ReadOnly(self._project.why_read_only)
        if self._documents.busy:
            raise UserError(self._documents.busy)
        if current is None:
            return
        self._documents.commit_gesture()
        wish = _Wish(current, tuple(ObjectId(int(id_)) for id_ in ids), class_id)
        work = self._work(wish)
        if work.empty:
            return
        if work.moved:
            self._wishes.append(wish)
            self._compute(wish, work)
        else:
            self._apply(wish, work, replace(wish.header, rows=work.rows, author=self._documents.author))

    def _work(self, wish: _Wish) -> Reclass:
        return reclass_of(wish.opened.document, self._documents.classes, wish.ids, wish.class_id)

    def _compute(self, wish: _Wish, work: Reclass) -> None:
        copy, most = frozen_copy(wish.opened.document), self._documents.largest_edit_bytes
        header = replace(wish.header, author=self._documents.author)
        self._worker.submit(lambda: _collected(copy, header, work, most), lambda f: self._computed(wish, work, f))

    def _computed(self, wish: _Wish, work: Reclass, future: "Future[Edit | None]") -> None:
        if wish not in self._wishes:
            return
        if self._documents.gesture_active or self._documents.busy:
            QTimer.singleShot(_POLL_MS, self, lambda: self._computed(wish, work, future))
            return
        self._wishes.remove(wish)
        try:
            edit = future.result()
            if edit is None:
                self._stream(wish, work)
            else:
                self._apply(wish, work, edit)
        except EditConflict:
            self._again(wish)  # painted meanwhile on the same tiles
        except UserError as error:
            self._notices.say(error.line)
        finally:
            self._documents.go_on()

    def _again(self, wish: _Wish) -> None:
        work = self._work(wish)
        if not work.empty:
            self._wishes.append(wish)
            self._compute(wish, work)

    def _apply(self, wish: _Wish, work: Reclass, edit: Edit) -> None:
        self._documents.commit(edit)
        self._tell(wish, work)

    def _stream(self, wish: _Wish, work: Reclass) -> None:
        """Write what is too large for memory from what is stored, once all edits made so far are there."""
        image = wish.opened.document.image
        header = replace(wish.header, author=self._documents.author)

        def write(ticker: Ticker) -> "Future[int]":
            return self._project.writing().write_all(
                lambda db: [
                    StreamedEdit(header, reclass_parts(stored_document(db, image), work, lambda: ticker.step(1)))
                ]
            )

        def begin() -> None:
            text = _("Deleting objects") if wish.class_id is None else _("Changing the class of objects")
            self._notices.attempt(
                lambda: self._documents.write_long(
                    JobKind.CLASSES, text, write, frozenset({image}), lambda _edits: self._tell(wish, work)
                )
            )

        self._documents.after(begin)

    def _tell(self, wish: _Wish, work: Reclass) -> None:
        """Say what was done; objects that are gone are selected no longer, and what took their pixels is."""
        if self._documents.current is wish.opened:
            selection = self._documents.selection
            joined = {work.into} if work.into and work.moved & selection.ids else set[ObjectId]()
            selection.select((selection.ids - work.moved) | joined)
        objects = len(set(wish.ids))
        if wish.class_id is None:
            self._notices.say(count(objects, "1 object was deleted", "{n} objects were deleted"))
        else:
            name = self._documents.classes[wish.class_id].name
            self._notices.say(count(objects, "1 object is '{name}' now", "{n} objects are '{name}' now", name=name))


def _collected(document: Document, header: Edit, work: Reclass, most_bytes: int) -> Edit | None:
    """For the worker: the edit; None where it would hold more than this."""
    tiles: dict[TileKey, TileChange] = {}
    rows: list[RowChange] = []
    held = 0
    for part in reclass_parts(document, work):
        if isinstance(part, RowChange):
            rows.append(part)
            continue
        key, change = part
        tiles[key] = change
        held += tile_bytes(change.before) + tile_bytes(change.after)
        if held > most_bytes:
            return None
    return replace(header, tiles=tiles, rows=tuple(rows))

"""The rows of the image list: as the store has them and as the list shows them, followed as edits become durable."""

import operator
from collections.abc import Collection
from pathlib import PurePath
from typing import SupportsIndex

from msgspec import structs
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import Changed, ImageItem
from segstudio.app.viewing.rows import ImageList, RowReader, item_of
from segstudio.errors import UserError
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Table
from segstudio.labels.model import ImageId, Seq
from segstudio.store.file_check import Content, Look, note
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["ImageRows"]


class ImageRows(QObject):
    """`rows` and `items` stand in one order. `changed` has the places of rows that are others now; `changes` counts the
    edits by which images came or went.

    Where images were added or taken out the whole list is read, and `listRead` carries it to whoever knows which one
    is on screen, for `take`.
    """

    changed = Signal(object)
    listRead = Signal(object)

    def __init__(self, ground: Ground, documents: Documents, listed: ImageList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._documents, self._project = documents, ground.project
        self._problems: dict[ImageId, str] = {}
        self._stale: dict[ImageId, int] = {}
        self._list_changed_by: int | None = None
        self.changes = 0
        self._complete = documents.saving.acknowledged
        self.reader = RowReader(ground.project, ground.main, self)
        self.reader.rowsRead.connect(self._rows_read)
        self.reader.listRead.connect(self.listRead)
        documents.editCommitted.connect(self._committed)
        documents.changed.connect(self._changed)
        documents.rewritten.connect(self._rewritten)
        self.take(listed)

    def take(self, listed: ImageList) -> None:
        """Take another list; what is known to be wrong with its images stays. Nothing is reported."""
        self.rows, self.items = listed.rows, listed.items
        self._place_of = listed.index_of
        for image in self._problems:
            if (i := self.place(image)) is not None:
                self.items[i] = self._item(i, self.rows[i])

    def place(self, image: ImageId) -> int | None:
        """The place of an image; None where it is in the list no more."""
        return self._place_of.get(image)

    def row(self, image: ImageId) -> ImageRow:
        """The row of an image in the list, as it is known now."""
        return self.rows[self._place_of[image]]

    def find(self, index_or_path: SupportsIndex | str | PurePath) -> int:
        """Place of an image. Raises `UserError` where there is none."""
        if not isinstance(index_or_path, str | PurePath):
            place = operator.index(index_or_path)
            if 0 <= place < len(self.rows):
                return place
            raise UserError(_("There is no image {place}: the project has {n}.", place=place, n=len(self.rows)))
        path = index_or_path.as_posix() if isinstance(index_or_path, PurePath) else index_or_path
        for place, row in enumerate(self.rows):
            if row.path == path:
                return place
        place = self.place(self._project.find_image(path).id)  # spelled otherwise, or none
        assert place is not None
        return place

    def replace(self, row: ImageRow) -> None:
        """Show another row of an image in the list."""
        i = self._place_of[row.id]
        self.rows[i] = row
        self.items[i] = self._item(i, row)
        self.changed.emit((i,))

    def mark_done(self, image: ImageId, planes: Collection[int]) -> None:
        """Planes of an image count as done from now on; its row is read again once the edit is on disk."""
        i = self._place_of[image]
        self._mark(i, self.items[i].marks.with_done(planes, self.items[i].planes))

    def _mark(self, index: int, marks: Marks) -> None:
        self.items[index] = self.items[index]._replace(status=marks.status, done_planes=marks.some)

    def flag(self, image: ImageId, problem: str) -> None:
        """Say why an image cannot be shown, once its row is shown again."""
        self._problems[image] = problem

    def failed(self, image: ImageId, look: Look, problem: str) -> None:
        """An image cannot be shown: keep what was found in the place of its file, and say why."""
        row = self.row(image)
        if look.content is Content.CHANGED:
            note(self._project, row, look)
            row = structs.replace(row, changed=look.digest)
        self.flag(image, problem)
        self.replace(row)

    def looked(self, image: ImageId, look: Look) -> tuple[ImageRow, ImageRow]:
        """An image can be shown: keep what was found in the place of its file. Its row before that, and now."""
        row = self.row(image)  # as it is now: it may have been written while its pixels were decoded
        note(self._project, row, look)
        known = structs.replace(row, changed=look.digest if look.content is Content.CHANGED else "")
        if look.content is Content.TOUCHED:
            known = known.with_states(look.files)
        if self._problems.pop(image, "") or known != row:
            self.replace(known)
        return row, known

    def unflag_all(self) -> None:
        """Files were found again: whether they can be shown is seen when they are."""
        self._problems.clear()

    def content(self, index: int) -> str:
        """A mark of what an image holds as far as it is known: with another content comes another mark."""
        row = self.rows[index]
        return f"{row.changed or row.digest} {self.items[index].problem}"

    def _item(self, index: int, row: ImageRow) -> ImageItem:
        item = item_of(index, row)
        found = self._problems.get(row.id)
        return item._replace(problem=found) if found else item

    def _changed(self, change: Changed) -> None:
        if change.seq is not None and change.image is not None:
            if change.seq > self._documents.saving.acknowledged:  # else it is on disk already: `rewritten` says so
                self._stale[change.image] = change.seq
        elif change.seq is not None and Table.IMAGES in change.tables:
            self._list_changed_by = change.seq
            self.changes += 1

    def _committed(self, seq: int) -> None:
        # A row is read again when its own last edit is durable: at an older one's end the store does not know it yet.
        durable = {image: last for image, last in self._stale.items() if last <= seq}
        for image in durable:
            del self._stale[image]
        if self._list_changed_by is not None and self._list_changed_by <= seq:
            self._list_changed_by = None
            self.reader.ask_all()
        changed: list[int] = []
        for image, last in durable.items():
            i, opened = self.place(image), self._documents.held(image)
            if i is not None:
                # What is known is true at once: whether an image is labelled decides what a changed file means.
                self.rows[i] = structs.replace(self.rows[i], last_edit=Seq(last))
                if opened is not None:
                    self._mark(i, opened.document.marks)
                changed.append(i)
        self.reader.ask(durable)
        if changed:
            self.changed.emit(tuple(sorted(changed)))

    def _rewritten(self, images: frozenset[ImageId] | None) -> None:
        """Read the rows of images that were changed in the store."""
        since, self._complete = self._complete, self._documents.saving.acknowledged
        if images is None:
            self.reader.ask_changed(since)
        else:
            self.reader.ask(images)

    def _rows_read(self, rows: list[ImageRow]) -> None:
        """Show what was read, but for what an edit has changed since: that is read again once it is durable."""
        changed: list[int] = []
        for row in rows:
            i = self.place(row.id)
            if (i is None) != row.removed:
                self.reader.ask_all()  # taken out of the list, or back in it
                return
            if i is None or row.id in self._stale:
                continue
            known = self.rows[i]
            # What its file holds is followed here as it is looked at, and may be on its way to the disk.
            self.rows[i] = structs.replace(
                row,
                changed=known.changed,
                size=known.size,
                mtime_ns=known.mtime_ns,
                quick_hash=known.quick_hash,
                more_states=known.more_states,
                content_hash=row.content_hash or known.content_hash,
            )
            item = self._item(i, self.rows[i])
            if item != self.items[i]:
                self.items[i] = item
                changed.append(i)
        if changed:
            self.changed.emit(tuple(changed))

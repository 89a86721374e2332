"""The owner of navigation: the list of images, the one on screen, and its pixels, decoded on a worker."""

import operator
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import PurePath
from time import monotonic
from typing import SupportsIndex

from msgspec import structs
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import Changed, ImageItem, ImageTrouble, JobKind
from segstudio.app.viewing.display import DisplayImage, OtherSize
from segstudio.app.viewing.displaying import Displaying
from segstudio.app.viewing.rows import ImageList, RowReader, item_of, list_of
from segstudio.errors import ImageMissing, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Table
from segstudio.labels.model import ImageId, Seq, Status
from segstudio.labels.tiles.streamed import tile_bytes
from segstudio.store.file_check import (
    Content,
    ContentChanged,
    Look,
    adopt,
    changed_sentence,
    look_at,
    note,
    remember_hash,
)
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["Navigation"]

NO_TROUBLE = ImageTrouble()
_PAUSE_S = 30.0
_PRIMED_BYTES = 128 << 20
"""Labels read at opening; the rest when it is looked at."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What was found in the place of a file, and its pixels or why there are none."""

    look: Look
    display: DisplayImage | None = None
    opened: OpenDocument | None = None
    error: UserError | None = None


class Navigation(QObject):
    """`index` is the image asked for; `shown` the one whose pixels are on screen.

    `contentReplaced` says that labels belong to another content from now on. Why an image is not shown, or another
    content was not taken, a notice says as well.
    """

    imageLoading = Signal(str)
    imageShown = Signal()
    imageFailed = Signal(str, str)
    imagesChanged = Signal(object)
    troubleChanged = Signal()
    contentReplaced = Signal(int)

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        parent: QObject | None = None,
        listed: ImageList | None = None,
    ) -> None:
        """`listed` is the list where it was read before, as the documents were."""
        super().__init__(parent)
        project, main = ground.project, ground.main
        self._project, self._notices = project, ground.notices
        self._documents = documents
        self._worker, self._hasher = Worker("decode", main), Worker("hash", main)
        self._closing = threading.Event()
        self._request = 0
        self._decoding: Future[_Loaded] | None = None
        self._look = Look(Content.SAME)
        self._problems: dict[ImageId, str] = {}
        self._loading = False
        self.index = -1
        self.plane = 0
        self.displaying = Displaying(project, self)
        self.shown: ImageId | None = None
        listed = listed or list_of(project)
        self.rows, self._index_of, self.items = listed.rows, listed.index_of, listed.items
        self._complete = documents.saving.acknowledged
        self._reader = RowReader(project, main, self)
        self._reader.rowsRead.connect(self._rows_read)
        self._reader.listRead.connect(self._list_read)
        self.trouble = ImageTrouble()
        self._kept: set[tuple[ImageId, str]] = set()
        self._since = monotonic()
        self._active_s = 0.0
        documents.editCommitted.connect(self._committed)
        documents.changed.connect(self._changed)
        documents.rewritten.connect(self._rewritten)
        self._stale: dict[ImageId, int] = {}
        self._list_changed_by: int | None = None
        self._locating = False

    def split_of(self, image: ImageId) -> str | None:
        """What an image is used for, as far as it was read; None also where it is in the list no more."""
        place = self._index_of.get(image)
        return None if place is None else self.items[place].split

    def name_of(self, image: ImageId) -> str:
        """The name of an image in the list."""
        return self.items[self._index_of[image]].name

    def find(self, index_or_path: SupportsIndex | str | PurePath) -> int:
        """Place of an image. Raises `UserError` where there is none."""
        if not isinstance(index_or_path, str | PurePath):
            place = operator.index(index_or_path)
            if 0 <= place < len(self.rows):
                return place
            raise UserError(_("There is no image {place}: the project has {n}.", place=place, n=len(self.rows)))
        path = index_or_path.as_posix() if isinstance(index_or_path, PurePath) else index_or_path
        return self._index_of[self._project.find_image(path).id]

    @property
    def path(self) -> str | None:
        """Path of the image asked for, as `info` has it."""
        return self.items[self.index].name if self.index >= 0 else None

    def content(self, index: int) -> str:
        """A mark of what an image holds as far as it is known: with another content comes another mark."""
        row = self.rows[index]
        return f"{row.changed or row.quick_hash} {self.items[index].problem}"

    @property
    def loading(self) -> bool:
        """Whether the image asked for has not arrived yet, nor failed to."""
        return self._loading

    @property
    def failed(self) -> bool:
        """Whether the image asked for cannot be shown."""
        return self.index >= 0 and self.shown is None and not self._loading

    def open(self, index: int, plane: int = 0) -> None:
        """Show an image; `imageShown` or `imageFailed` follows from the event loop. Raises `UserError` for a plane."""
        row = self.rows[index]
        if not 0 <= plane < len(row.planes):
            raise UserError(
                _("There is no plane {plane}: '{path}' has {n}.", plane=plane, path=row.path, n=len(row.planes))
            )
        self._documents.commit_gesture()
        self._note_time()
        self._request += 1
        request = self._request
        self.index, self.plane, self.shown = index, plane, None
        self._loading = True
        self._set_trouble(NO_TROUBLE)
        self.imageLoading.emit(row.path)
        held = self._documents.held(row.id)
        project, displaying, generation = self._project, self.displaying, self._documents.generation

        def load() -> _Loaded:
            look = Look(Content.SAME)
            try:
                look = look_at(_labelled_now(project, row))
                if look.content is Content.MISSING:
                    raise ImageMissing(
                        _("The file of '{path}' is not at {file}.", path=row.path, file=row.file),
                        safe=_("Its labels are safe."),
                    )
                display = displaying.load(row, plane, look)
                if held is not None:
                    return _Loaded(look, display)
                opened = OpenDocument(_document(project, row), project.history(row.id), 0, generation)
                return _Loaded(look, display, opened)
            except UserError as error:
                return _Loaded(look, error=error)

        if self._decoding is not None:
            self._decoding.cancel()  # nobody looks at it any more
        self._decoding = self._worker.submit(load, lambda future: self._arrived(request, row.id, held, future))

    @property
    def display(self) -> DisplayImage | None:
        """Pixels of the image on screen, in their view."""
        return self.displaying.display

    def next_unfinished(self) -> int | None:
        """The next image, after the one on screen and round the end, that is not done; None where all are."""
        n = len(self.items)
        order = ((self.index + step) % n for step in range(1, n + 1)) if n else iter(())
        return next((i for i in order if self.items[i].status != Status.DONE.value), None)

    def step(self, by: int) -> None:
        """Show the next (+1) or previous (-1) image, where there is one."""
        if 0 <= self.index + by < len(self.rows):
            self.open(self.index + by)

    def mark_done(self, image: ImageId) -> None:
        """An image counts as done from now on; its row is read again once the edit is on disk."""
        i = self._index_of[image]
        self.items[i] = self.items[i]._replace(status=Status.DONE.value)

    def reload(self) -> None:
        """Read the list again, now: for scripts. The window waits for none: `reload_later`."""
        self._take_list(list_of(self._project))

    def reload_later(self) -> None:
        """Read the list again: another part of the program changed it. It is followed from the event loop."""
        self._reader.ask_all()

    def follow_run(self) -> None:
        """A run has ended: the rows of the images that it learned from, or held out, are read again."""
        self._reader.ask_splits(self.rows)

    def _list_read(self, listed: ImageList) -> None:
        self._take_list(listed)
        if self._locating:
            self._locating = False
            if self.index >= 0 and self.shown is None:
                self.open(self.index, self.plane)

    def _take_list(self, listed: ImageList) -> None:
        """The image asked for stays, where it still is."""
        asked = self.rows[self.index].id if self.index >= 0 else None
        rows, places = listed.rows, listed.index_of
        was_empty, after = not self.rows, None
        if asked is not None and asked not in places:
            self._note_time()
            after = next((places[row.id] for row in self.rows[self.index :] if row.id in places), len(rows) - 1)
        self.rows, self._index_of, self.items = rows, places, listed.items
        for image in self._problems:
            if (i := places.get(image)) is not None:
                self.items[i] = self._item(i, rows[i])
        self.index = -1 if asked is None else places.get(asked, -1)
        if not rows:
            self._show_none()
        self.imagesChanged.emit(())
        if after is not None and rows:
            self.open(after)
        elif was_empty and rows:
            self.open(0)

    def _show_none(self) -> None:
        """The last image was taken out of the project: from elsewhere, for instance by undoing a snapshot."""
        self._documents.commit_gesture()
        self._request += 1
        self._loading = False
        self.plane, self.shown = 0, None
        self.displaying.show(None, None)
        self._set_trouble(NO_TROUBLE)

    def located(self) -> None:
        """Images were found again: read the list again, and show the one asked for where it could not be shown."""
        self._problems.clear()
        self._locating = True
        self.reload_later()

    def close(self) -> None:
        """End the workers; late answers are dropped, and a file is hashed no further."""
        self._request += 1
        self._note_time()
        self._closing.set()
        self._worker.close()
        self._hasher.close()
        self._reader.close()

    def _arrived(self, request: int, image: ImageId, held: OpenDocument | None, future: "Future[_Loaded]") -> None:
        if request != self._request:
            return
        self._loading = False
        loaded = future.result()
        if loaded.error is not None:
            self._not_shown(self.rows[self._index_of[image]], loaded.look, loaded.error)
            return
        self.displaying.show(image, loaded.display)
        self.shown, self._look = image, loaded.look
        opened = held or self._documents.held(image) or loaded.opened
        assert opened is not None
        self._documents.show(opened, self.plane)
        self._since = monotonic()
        self._took(image, loaded.look)
        self.imageShown.emit()

    def _not_shown(self, row: ImageRow, look: Look, error: UserError) -> None:
        """Flag what cannot be shown, and say what to do about it."""
        self.displaying.show(None, None)
        if look.content is Content.CHANGED:
            note(self._project, row, look)
            row = structs.replace(row, changed=look.quick_hash)
        self._problems[row.id] = error.line
        self._replace(row)
        if isinstance(error, ImageMissing):
            self._set_trouble(ImageTrouble("missing", error.line))
        elif look.content is Content.CHANGED or isinstance(error, OtherSize):
            self._set_trouble(ImageTrouble("changed", error.line))
        self.imageFailed.emit(row.path, error.line)
        self._notices.fail(JobKind.IMAGE, error)

    def _took(self, image: ImageId, look: Look) -> None:
        """Keep what was found in the place of the file that is shown now, and say it."""
        row = self.rows[self._index_of[image]]  # as it is now: it may have been written while its pixels were decoded
        note(self._project, row, look)
        changed = look.quick_hash if look.content is Content.CHANGED else ""
        known = structs.replace(row, changed=changed)
        if look.content is Content.TOUCHED:
            known = structs.replace(known, size=look.size, mtime_ns=look.mtime_ns, quick_hash=look.quick_hash)
        had_problem = self._problems.pop(image, "")
        if known != row or had_problem:
            self._replace(known)
        if changed and (image, changed) not in self._kept:
            todo = _("Learning and proposals leave it out until you decide.")
            self._set_trouble(ImageTrouble("changed", f"{changed_sentence(row)} {todo}", usable=True))
        if known.quick_hash != row.quick_hash:
            self.contentReplaced.emit(image)
        if not known.content_hash and self._project.writer is not None and not changed:
            self._hasher.submit(lambda: remember_hash(self._project, known, self._closing.is_set))

    @property
    def flagged(self) -> str:
        """Why nothing is proposed for the image on screen: its file is not what was labelled; '' where it is."""
        row = self.rows[self.index] if self.index >= 0 else None
        if row is None or row.id != self.shown or not row.changed:
            return ""
        return " ".join((changed_sentence(row), _("Nothing is proposed for it.")))

    def _item(self, index: int, row: ImageRow) -> ImageItem:
        item = item_of(index, row)
        found = self._problems.get(row.id)
        return item._replace(problem=found) if found else item

    def _replace(self, row: ImageRow) -> None:
        i = self._index_of[row.id]
        self.rows[i] = row
        self.items[i] = self._item(i, row)
        self.imagesChanged.emit((i,))

    def _set_trouble(self, trouble: ImageTrouble) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.troubleChanged.emit()

    def keep_content(self) -> None:
        """Leave the changed image flagged, and do not mention this content again while the project is open."""
        if self.trouble.kind == "changed":
            row = self.rows[self.index]
            self._kept.add((row.id, row.changed))
            self._set_trouble(NO_TROUBLE)

    def use_new_content(self) -> None:
        """Let the labels belong to the content that is shown; `troubleChanged` follows once that is on disk.

        Where another one lies there by now, a notice says so, and that one is shown.
        """
        if not self.trouble.usable or self._project.writer is None:
            return
        row, project, seen, request = self.rows[self.index], self._project, self._look, self._request

        def adopted(future: "Future[ImageRow]") -> None:
            error = future.exception()
            if isinstance(error, UserError):
                self._notices.fail(JobKind.CONTENT, error)
                if isinstance(error, ContentChanged) and request == self._request:
                    self.open(self.index, self.plane)
                return
            known = future.result()
            if known.id not in self._index_of:
                return
            self._replace(known)
            if self.shown == known.id:
                self._set_trouble(NO_TROUBLE)
            self.contentReplaced.emit(known.id)

        def adopt_it() -> ImageRow:
            adopt(project, row, seen, self._closing.is_set).result()
            return project.image(row.id)

        self._worker.submit(adopt_it, adopted)

    def _changed(self, change: Changed) -> None:
        now = monotonic()
        self._active_s += min(now - self._since, _PAUSE_S)
        self._since = now
        if change.seq is not None and change.image is not None:
            self._stale[change.image] = change.seq
        elif change.seq is not None and Table.IMAGES in change.tables:
            self._list_changed_by = change.seq

    def _committed(self, seq: int) -> None:
        # A row is read again when its own last edit is durable: at an older one's end the store does not know it yet.
        durable = {image: last for image, last in self._stale.items() if last <= seq}
        for image in durable:
            del self._stale[image]
        if self._list_changed_by is not None and self._list_changed_by <= seq:
            self._list_changed_by = None
            self.reload_later()
        changed: list[int] = []
        for image, last in durable.items():
            i, opened = self._index_of.get(image), self._documents.held(image)
            if i is not None:
                # What is known is true at once: whether an image is labelled decides what a changed file means.
                self.rows[i] = structs.replace(self.rows[i], last_edit=Seq(last))
                if opened is not None:
                    self.items[i] = self.items[i]._replace(status=opened.document.status.value)
                changed.append(i)
        self._reader.ask(durable)
        if changed:
            self.imagesChanged.emit(tuple(sorted(changed)))

    def read_decided(self, since: Seq) -> None:
        """Read the rows of images whose role was decided, or moved, at this edit or later."""
        self._reader.ask_decided(since)

    def _rewritten(self, images: frozenset[ImageId] | None) -> None:
        """Read the rows of images that were changed in the store."""
        since, self._complete = self._complete, self._documents.saving.acknowledged
        if images is None:
            self._reader.ask_changed(since)
        else:
            self._reader.ask(images)

    def _rows_read(self, rows: list[ImageRow]) -> None:
        """Show what was read, but for what an edit has changed since: that is read again once it is durable."""
        changed: list[int] = []
        for row in rows:
            i = self._index_of.get(row.id)
            if (i is None) != row.removed:
                self.reload_later()  # taken out of the list, or back in it
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
                content_hash=row.content_hash or known.content_hash,
            )
            item = self._item(i, self.rows[i])
            if item != self.items[i]:
                self.items[i] = item
                changed.append(i)
        if changed:
            self.imagesChanged.emit(tuple(changed))

    def _note_time(self) -> None:
        """Keep the seconds a person has worked on the image (pauses over 30 s count as 30 s)."""
        seconds, self._active_s = self._active_s, 0.0
        if seconds > 0 and self.index >= 0 and self._project.writer is not None:
            image, author = self.rows[self.index].id, self._documents.author
            self._project.add_time(image, seconds, author)


def _labelled_now(project: Project, row: ImageRow) -> ImageRow:
    """The row, with its last edit as it is by now: a restore may have labelled the image since the list was read."""
    last = max((found.last_edit for found in project.some_images((row.id,))), default=row.last_edit)
    return structs.replace(row, last_edit=max(row.last_edit, last))


def _document(project: Project, row: ImageRow) -> Document:
    """The labels with as many tiles in memory as fit, so that painting seldom waits for one. For a worker thread."""
    document = project.document(row.id)
    left = _PRIMED_BYTES
    for plane in range(len(row.planes)):
        tiles = project.tiles(row.id, plane, left) if left > 0 else {}
        document.raster.prime({(plane, *key): tile for key, tile in tiles.items()})
        left -= sum(tile_bytes(tile) for tile in tiles.values())
    return document

"""The owner of what is on screen: the list of images, which one is shown, and its pixels, decoded on a worker."""

import operator
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import PurePath
from time import monotonic
from typing import SupportsIndex

from msgspec import structs
from PySide6.QtCore import QObject, Signal

from segstudio.app.display_image import DisplayImage, OtherSize, load_display_image
from segstudio.app.documents import Documents, OpenDocument
from segstudio.app.jobs import MainThread, Worker
from segstudio.app.values import Changed, ImageItem, ImageTrouble
from segstudio.errors import ImageMissing, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Table
from segstudio.labels.model import ImageId, Status
from segstudio.labels.streamed import tile_bytes
from segstudio.store.contents import (
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

__all__ = ["Navigation", "item_of"]

NO_TROUBLE = ImageTrouble()
_PAUSE_S = 30.0
_READ_ONE_BY_ONE = 100
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

    `contentReplaced` says that labels belong to another content from now on; `refused` why one was not taken.
    """

    imageLoading = Signal(str)
    imageShown = Signal()
    imageFailed = Signal(str, str)
    imagesChanged = Signal(object)
    troubleChanged = Signal()
    contentReplaced = Signal(int)
    refused = Signal(str)

    def __init__(self, project: Project, documents: Documents, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
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
        self.display: DisplayImage | None = None
        self.shown: ImageId | None = None
        self.rows: list[ImageRow] = project.images()
        self._index_of = {row.id: i for i, row in enumerate(self.rows)}
        self.items = [self._item(i, row) for i, row in enumerate(self.rows)]
        self.trouble = ImageTrouble()
        self._kept: set[tuple[ImageId, str]] = set()
        self._since = monotonic()
        self._active_s = 0.0
        documents.editCommitted.connect(self._committed)
        documents.changed.connect(self._changed)
        documents.rewritten.connect(self._rewritten)
        self._stale: dict[ImageId, int] = {}
        self._list_changed_by: int | None = None

    def find(self, index_or_path: SupportsIndex | str | PurePath) -> int:
        """Place of an image. Raises `UserError` where there is none."""
        if not isinstance(index_or_path, str | PurePath):
            place = operator.index(index_or_path)
            if 0 <= place < len(self.rows):
                return place
            raise UserError(f"There is no image number {place}: the project has {len(self.rows)}.")
        path = index_or_path.as_posix() if isinstance(index_or_path, PurePath) else index_or_path
        return self._index_of[self._project.find_image(path).id]

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
            raise UserError(f"There is no plane number {plane}: '{row.path}' has {len(row.planes)}.")
        self._documents.commit_gesture()
        self._note_time()
        self._request += 1
        request = self._request
        self.index, self.plane, self.shown = index, plane, None
        self._loading = True
        self._set_trouble(NO_TROUBLE)
        self.imageLoading.emit(row.path)
        held = self._documents.held(row.id)
        project, generation = self._project, self._documents.generation

        def load() -> _Loaded:
            look = look_at(row)
            try:
                if look.content is Content.MISSING:
                    raise ImageMissing(f"The file of '{row.path}' is not at {row.file}.", safe="Its labels are safe.")
                display = load_display_image(row.file, plane, row.planes[plane])
                if held is not None:
                    return _Loaded(look, display)
                opened = OpenDocument(_document(project, row), project.history(row.id), 0, generation)
                return _Loaded(look, display, opened)
            except UserError as error:
                return _Loaded(look, error=error)

        if self._decoding is not None:
            self._decoding.cancel()  # nobody looks at it any more
        self._decoding = self._worker.submit(load, lambda future: self._arrived(request, row.id, held, future))

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
        """An image counts as done from now on; its row is read anew once the edit is on disk."""
        i = self._index_of[image]
        self.items[i] = self.items[i]._replace(status=Status.DONE.value)

    def reload(self) -> None:
        """Read the list anew: another part of the program changed it. The image asked for stays, where it still is."""
        asked = self.rows[self.index].id if self.index >= 0 else None
        rows = self._project.images()
        places = {row.id: i for i, row in enumerate(rows)}
        was_empty, after = not self.rows, None
        if asked is not None and asked not in places:
            self._note_time()
            after = next((places[row.id] for row in self.rows[self.index :] if row.id in places), len(rows) - 1)
        self.rows, self._index_of = rows, places
        self.items = [self._item(i, row) for i, row in enumerate(rows)]
        self.index = -1 if asked is None else places.get(asked, -1)
        if not rows:
            self._show_none()
        self.imagesChanged.emit(())
        if after is not None and rows:
            self.open(after)
        elif was_empty and rows:
            self.open(0)

    def _show_none(self) -> None:
        """The last image was taken out of the project: from elsewhere, for instance by taking back a snapshot."""
        self._documents.commit_gesture()
        self._request += 1
        self._loading = False
        self.plane, self.shown, self.display = 0, None, None
        self._set_trouble(NO_TROUBLE)

    def located(self) -> None:
        """Images were found again: read the list anew, and show the one asked for where it could not be shown."""
        self._problems.clear()
        self.reload()
        if self.index >= 0 and self.shown is None:
            self.open(self.index, self.plane)

    def close(self) -> None:
        """End the workers; late answers are dropped, and a file is hashed no further."""
        self._request += 1
        self._note_time()
        self._closing.set()
        self._worker.close()
        self._hasher.close()

    def _arrived(self, request: int, image: ImageId, held: OpenDocument | None, future: "Future[_Loaded]") -> None:
        if request != self._request:
            return
        self._loading = False
        loaded = future.result()
        if loaded.error is not None:
            self._not_shown(self.rows[self._index_of[image]], loaded.look, loaded.error)
            return
        self.display, self.shown, self._look = loaded.display, image, loaded.look
        opened = held or self._documents.held(image) or loaded.opened
        assert opened is not None
        self._documents.show(opened, self.plane)
        self._since = monotonic()
        self._took(image, loaded.look)
        self.imageShown.emit()

    def _not_shown(self, row: ImageRow, look: Look, error: UserError) -> None:
        """Flag what cannot be shown, and say what to do about it."""
        self.display = None
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
            todo = "Learning and proposals leave it out until you decide."
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
        return f"{changed_sentence(row)} Nothing is proposed for it."

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
        """Leave the changed image flagged, and say no more about this content while the project is open."""
        if self.trouble.kind == "changed":
            row = self.rows[self.index]
            self._kept.add((row.id, row.changed))
            self._set_trouble(NO_TROUBLE)

    def use_new_content(self) -> None:
        """Let the labels belong to the content that is shown; `troubleChanged` follows once that is on disk.

        Where another one lies there by now, `refused` follows, and that one is shown.
        """
        if not self.trouble.usable or self._project.writer is None:
            return
        row, project, seen, request = self.rows[self.index], self._project, self._look, self._request

        def adopted(future: "Future[ImageRow]") -> None:
            error = future.exception()
            if isinstance(error, UserError):
                self.refused.emit(error.line)
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
        # A row is read anew when its own last edit is durable: at an older one's end the store does not know it yet.
        durable = [image for image, last in self._stale.items() if last <= seq]
        for image in durable:
            del self._stale[image]
        if self._list_changed_by is not None and self._list_changed_by <= seq:
            self._list_changed_by = None
            self.reload()
        elif durable:
            self._reread(durable)

    def _reread(self, images: Iterable[ImageId]) -> None:
        """Read some rows anew; the whole list where one of them was taken out, or came back."""
        changed: list[int] = []
        for image in images:
            row, i = self._project.image(image), self._index_of.get(image)
            if (i is None) != row.removed:
                self.reload()
                return
            if i is not None:
                self.rows[i] = row
                self.items[i] = self._item(i, row)
                changed.append(i)
        if changed:
            self.imagesChanged.emit(tuple(sorted(changed)))

    def reread(self, images: frozenset[ImageId]) -> None:
        """Read the rows of images that another part of the program changed in the store."""
        self._rewritten(images)

    def _rewritten(self, images: frozenset[ImageId] | None) -> None:
        """Read the rows of images that were changed in the store."""
        if images is None or len(images) > _READ_ONE_BY_ONE:
            self.reload()
        elif images:
            self._reread(images)

    def _note_time(self) -> None:
        """Keep the seconds a person has worked on the image (pauses over 30 s count as 30 s)."""
        seconds, self._active_s = self._active_s, 0.0
        if seconds > 0 and self.index >= 0 and self._project.writer is not None:
            image, author = self.rows[self.index].id, self._documents.author
            self._project.add_time(image, seconds, author)


def _document(project: Project, row: ImageRow) -> Document:
    """The labels with as many tiles in memory as fit, so that the hand seldom waits for one. For a worker thread."""
    document = project.document(row.id)
    left = _PRIMED_BYTES
    for plane in range(len(row.planes)):
        tiles = project.tiles(row.id, plane, left) if left > 0 else {}
        document.raster.prime({(plane, *key): tile for key, tile in tiles.items()})
        left -= sum(tile_bytes(tile) for tile in tiles.values())
    return document


def item_of(index: int, row: ImageRow) -> ImageItem:
    """The list's row of an image."""
    w, h = row.planes[0]
    return ImageItem(
        index,
        row.id,
        row.path,
        row.status.value,
        row.split,
        row.labelled_pixels,
        row.objects,
        row.problem or (changed_sentence(row) if row.changed else ""),
        w,
        h,
        len(row.planes),
    )

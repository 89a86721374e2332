"""The owner of navigation: the list of images, the one on screen, and its pixels, decoded on a worker."""

import itertools
import operator
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import PurePath
from typing import SupportsIndex

from msgspec import structs
from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import ImageItem, ImageTrouble, JobKind, TroubleKind
from segstudio.app.viewing.ahead import Ahead
from segstudio.app.viewing.display import DisplayImage, OtherSize
from segstudio.app.viewing.displaying import Displaying
from segstudio.app.viewing.image_rows import ImageRows
from segstudio.app.viewing.loading import Loaded, load
from segstudio.app.viewing.rows import ImageList, list_of
from segstudio.app.viewing.working_time import WorkingTime
from segstudio.errors import ImageMissing, UserError
from segstudio.labels.model import ImageId, Seq, Status
from segstudio.store.file_check import (
    Content,
    ContentChanged,
    Look,
    adopt,
    changed_sentence,
    note,
    remember_hash,
)
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["Navigation"]

NO_TROUBLE = ImageTrouble()

_AHEAD_MS = 150
"""How long an image is on screen before its neighbours are loaded: who leafs through them waits for none of it."""


class Navigation(QObject):
    """`index` is the image asked for; `shown` the one whose pixels are on screen. `sequence` are the places that are
    stepped through, in their order; None for all. `ranked` brings some of them into the order in which Done goes
    through them; None leaves that of the list.

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
        self._decoding: Future[Loaded] | None = None
        self._look = Look(Content.SAME)
        self._loading = False
        self.index = -1
        self.plane = 0
        self.sequence: Sequence[int] | None = None
        self.ranked: Callable[[Sequence[int]], Sequence[int]] | None = None
        self.displaying = Displaying(project, main, self)
        self.displaying.samplesFailed.connect(self._damaged)
        self._ahead, self._ahead_soon = Ahead(self.displaying, main), QTimer(self)
        self._ahead_soon.setSingleShot(True)
        self._ahead_soon.setInterval(_AHEAD_MS)
        self._ahead_soon.timeout.connect(self._load_ahead)
        self.shown: ImageId | None = None
        self._list = ImageRows(ground, documents, listed or list_of(project), self)
        self._list.changed.connect(self.imagesChanged)
        self._list.listRead.connect(self._list_read)
        self.trouble = ImageTrouble()
        self._kept: set[tuple[ImageId, str]] = set()
        self._time = WorkingTime(project)
        documents.changed.connect(lambda _change: self._time.worked())
        self._locating = False

    @property
    def rows(self) -> list[ImageRow]:
        """The images in the order of `info`, as the store has them."""
        return self._list.rows

    @property
    def items(self) -> list[ImageItem]:
        """The images in the order of `info`, as the window's list shows them."""
        return self._list.items

    @property
    def list_changes(self) -> int:
        """Counts the edits by which images came or went."""
        return self._list.changes

    def split_of(self, image: ImageId) -> str | None:
        """What an image is used for, as far as it was read; None also where it is in the list no more."""
        place = self._list.place(image)
        return None if place is None else self.items[place].split

    def name_of(self, image: ImageId) -> str:
        """The name of an image; of one that was taken out of the list meanwhile, a word for it."""
        place = self._list.place(image)
        return _("The image") if place is None else self.items[place].name

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
        place = self._list.place(self._project.find_image(path).id)  # spelled otherwise, or none
        assert place is not None
        return place

    @property
    def path(self) -> str | None:
        """Path of the image asked for, as `info` has it."""
        return self.items[self.index].name if self.index >= 0 else None

    def content(self, index: int) -> str:
        """A mark of what an image holds as far as it is known: with another content comes another mark."""
        return self._list.content(index)

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
        held, documents = self._documents.held(row.id), self._documents
        generation = documents.generation if held is None else None
        work = partial(load, self._project, self.displaying, row, plane, generation)
        if self._decoding is not None:
            self._decoding.cancel()  # nobody looks at it any more
        self._decoding = self._worker.submit(work, lambda future: self._arrived(request, row.id, held, future))

    @property
    def display(self) -> DisplayImage | None:
        """Pixels of the image on screen, in their view."""
        return self.displaying.display

    def next_unfinished(self) -> int | None:
        """The next image of the sequence, after the one on screen and round the end, that is not done; None where all
        are."""
        return next((i for i in self.upcoming() if self.items[i].status is not Status.DONE), None)

    def upcoming(self) -> Iterator[int]:
        """The places of the sequence, what comes next first, the image on screen last: those after it and round the
        end, or as `ranked` has them.
        """
        others = self.listed_next()
        here = [self.index] if self.index >= 0 and len(others) < len(self._steps()[0]) else []
        return itertools.chain(others if self.ranked is None else self.ranked(others), here)

    def listed_next(self) -> list[int]:
        """The places of the sequence after the image on screen and round the end, without it."""
        order, here = self._steps()
        return [place for place in (*order[here + 1 :], *order[: here + 1]) if place != self.index]

    def step(self, by: int) -> None:
        """Show the next (+1) or previous (-1) image of the sequence, where there is one."""
        place = self._beside(by)
        if place is not None:
            self.open(place)

    def _steps(self) -> tuple[Sequence[int], int]:
        """The sequence, and where in it the image on screen is; of one that is not in it, the place before the next."""
        order = range(len(self.rows)) if self.sequence is None else self.sequence
        if self.index in order:
            return order, order.index(self.index)
        return order, next((n for n, place in enumerate(order) if place > self.index), len(order)) - 1

    def _beside(self, by: int) -> int | None:
        order, here = self._steps()
        missing = by < 0 and here >= 0 and order[here] != self.index  # the one before the gap is the previous one
        there = here + by + int(missing)
        return order[there] if 0 <= there < len(order) else None

    def mark_done(self, image: ImageId, planes: Collection[int]) -> None:
        """Planes of an image count as done from now on; its row is read again once the edit is on disk."""
        self._list.mark_done(image, planes)

    def reload(self) -> None:
        """Read the list again, now: for scripts. The window waits for none: `reload_later`."""
        self._take_list(list_of(self._project))

    def reload_later(self, then: Callable[[], object] = lambda: None) -> None:
        """Read the list again: another part of the program changed it. It is followed from the event loop; `then` is
        called once it is."""
        self._list.reader.ask_all(then)

    def follow_run(self) -> None:
        """A run has ended: the rows of the images that it learned from, or held out, are read again."""
        self._list.reader.ask_splits(self.rows)

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
        self._list.take(listed)
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
        self._list.unflag_all()
        self._locating = True
        self.reload_later()

    def close(self, wait_s: float | None = None) -> None:
        """End the workers; late answers are dropped, and a file is hashed no further."""
        self._request += 1
        self._note_time()
        self._closing.set()
        self._ahead_soon.stop()
        for worker in (self._ahead, self._worker, self._hasher, self._list.reader):
            worker.close(wait_s)

    def _arrived(self, request: int, image: ImageId, held: OpenDocument | None, future: "Future[Loaded]") -> None:
        if request != self._request:
            return
        self._loading = False
        loaded = future.result()
        if loaded.error is not None:
            self._not_shown(self._list.row(image), loaded.look, loaded.error)
            return
        self.displaying.show(image, loaded.display)
        self.shown, self._look = image, loaded.look
        opened = held or self._documents.held(image) or loaded.opened
        assert opened is not None
        self._documents.show(opened, self.plane)
        self._time.begin()
        self._took(image, loaded.look)
        self.imageShown.emit()
        self._ahead_soon.start()

    def _load_ahead(self) -> None:
        """Load what is likely to be shown next: what Done goes to, and the neighbours in the list."""
        if self.shown is not None:
            places = (self.next_unfinished(), self._beside(1), self._beside(-1))
            wanted = dict.fromkeys(place for place in places if place is not None and place != self.index)
            self._ahead.want((self.rows[place], self.items[place].open_plane() or 0) for place in wanted)

    def _not_shown(self, row: ImageRow, look: Look, error: UserError) -> None:
        """Flag what cannot be shown, and say what to do about it."""
        self.displaying.show(None, None)
        if look.content is Content.CHANGED:
            note(self._project, row, look)
            row = structs.replace(row, changed=look.digest)
        self._list.flag(row.id, error.line)
        self._list.replace(row)
        if isinstance(error, ImageMissing):
            self._set_trouble(ImageTrouble(TroubleKind.MISSING, error.line))
        elif look.content is Content.CHANGED or isinstance(error, OtherSize):
            self._set_trouble(ImageTrouble(TroubleKind.CHANGED, error.line))
        self.imageFailed.emit(row.path, error.line)
        self._notices.fail(JobKind.IMAGE, error)

    def _damaged(self, error: UserError) -> None:
        """What was on screen is not all there."""
        self._documents.commit_gesture()
        self.shown = None
        self._not_shown(self.rows[self.index], self._look, error)

    def _took(self, image: ImageId, look: Look) -> None:
        """Keep what was found in the place of the file that is shown now, and say it."""
        row = self._list.row(image)  # as it is now: it may have been written while its pixels were decoded
        note(self._project, row, look)
        changed = look.digest if look.content is Content.CHANGED else ""
        known = structs.replace(row, changed=changed)
        if look.content is Content.TOUCHED:
            known = known.with_states(look.files)
        had_problem = self._list.unflag(image)
        if known != row or had_problem:
            self._list.replace(known)
        if changed and (image, changed) not in self._kept:
            todo = _("Learning and proposals leave it out until you decide.")
            self._set_trouble(ImageTrouble(TroubleKind.CHANGED, f"{changed_sentence(row)} {todo}", usable=True))
        if known.digest != row.digest:
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

    def _set_trouble(self, trouble: ImageTrouble) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.troubleChanged.emit()

    def keep_content(self) -> None:
        """Leave the changed image flagged, and do not mention this content again while the project is open."""
        if self.trouble.kind is TroubleKind.CHANGED:
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
            if self._list.place(known.id) is None:
                return
            self._list.replace(known)
            if self.shown == known.id:
                self._set_trouble(NO_TROUBLE)
            self.contentReplaced.emit(known.id)

        def adopt_it() -> ImageRow:
            adopt(project, row, seen, self._closing.is_set).result()
            return project.image(row.id)

        self._worker.submit(adopt_it, adopted)

    def read_decided(self, since: Seq) -> None:
        """Read the rows of images whose role was decided, or moved, at this edit or later."""
        self._list.reader.ask_decided(since)

    def _note_time(self) -> None:
        image = self.rows[self.index].id if self.index >= 0 else None
        self._time.note(image, self._documents.author)

"""The owner of navigation: the list of images, the one on screen, and its pixels, decoded on a worker."""

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import PurePath
from typing import SupportsIndex

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
from segstudio.app.viewing.stepping import beside, rest_of
from segstudio.app.viewing.turning import Turning
from segstudio.app.viewing.working_time import WorkingTime
from segstudio.errors import ImageMissing, UserError
from segstudio.labels.model import ImageId, Seq, Status
from segstudio.store.file_check import Content, ContentChanged, Look, adopt, changed_sentence, remember_hash
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
        self._turning = Turning()
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
        return self._list.find(index_or_path)

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

    def open(self, index: int, plane: int | None = None) -> None:
        """Show an image, by default the plane of it that was on screen last; `imageShown` or `imageFailed` follows from
        the event loop. Raises `UserError` for a plane.
        """
        row = self.rows[index]
        plane = self._turning.plane_of(row, plane)
        self._documents.commit_gesture()
        self._note_time()
        self._request += 1
        request = self._request
        self.index, self.plane, self.shown = index, plane, None
        self._loading = True
        self._turning.next = None
        self._set_trouble(NO_TROUBLE)
        self.imageLoading.emit(row.path)
        held, documents = self._documents.held(row.id), self._documents
        generation = documents.generation if held is None else None
        work = partial(load, self._project, self.displaying, row, plane, generation)
        if self._decoding is not None:
            self._decoding.cancel()  # nobody looks at it any more
        self._decoding = self._worker.submit(work, lambda future: self._arrived(request, row.id, held, future))

    def turn(self, plane: int) -> None:
        """Show another plane of the image asked for, at once where it is in memory; after one that is being decoded
        comes the newest that was asked for. Raises `UserError` for a plane that is not there."""
        row = self.rows[self.index]
        plane = self._turning.plane_of(row, plane)
        if self._loading:
            self._turning.next = plane
            return
        kept = self.in_memory(plane)
        if kept is None or self._documents.current is None:
            self.open(self.index, plane)
            return
        self._documents.commit_gesture()
        self.plane = plane
        self.imageLoading.emit(row.path)
        self._put(row, kept, self._documents.current)

    def in_memory(self, plane: int) -> DisplayImage | None:
        """The pixels of a plane of the image on screen, where they are in memory."""
        return None if self.shown is None else self.displaying.kept(self.shown, plane, self._look.stamp)

    @property
    def asked_plane(self) -> int:
        """The plane asked for last, which may come after the one that is being decoded."""
        return self.plane if self._turning.next is None else self._turning.next

    @property
    def display(self) -> DisplayImage | None:
        """Pixels of the image on screen, in their view."""
        return self.displaying.display

    def next_unfinished(self) -> int | None:
        """The next image of the sequence, round its end, that is not done; None where all are."""
        return next((i for i in self.upcoming() if self.items[i].status is not Status.DONE), None)

    def upcoming(self) -> Iterator[int]:
        """The places of the sequence, what comes next first, the one on screen last: round the end, or as `ranked`."""
        others = self.listed_next()
        here = [self.index] if self.index >= 0 and len(others) < len(self._order) else []
        return itertools.chain(others if self.ranked is None else self.ranked(others), here)

    def listed_next(self) -> list[int]:
        """The places of the sequence after the image on screen and round the end, without it."""
        return rest_of(self._order, self.index)

    def step(self, by: int) -> None:
        """Show the next (+1) or previous (-1) image of the sequence, where there is one."""
        place = beside(self._order, self.index, by)
        if place is not None:
            self.open(place)

    @property
    def _order(self) -> Sequence[int]:
        return range(len(self.rows)) if self.sequence is None else self.sequence

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
        loaded, row, wanted = future.result(), self._list.row(image), self._turning.taken()
        opened = held or self._documents.held(image) or loaded.opened
        if loaded.error is not None:
            self._not_shown(row, loaded.look, loaded.error)
        elif loaded.display is not None and opened is not None:
            self._look = loaded.look
            self._time.begin()
            self._put(row, loaded.display, opened)
        if wanted is not None and request == self._request:
            self.turn(wanted)

    def _put(self, row: ImageRow, display: DisplayImage, opened: OpenDocument) -> None:
        """Put what was asked for on screen, and what is likely to be asked for next on its way."""
        again = self.shown == row.id
        self.displaying.show(row.id, display)
        self.shown = row.id
        self._documents.show(opened, self.plane)
        if not again:
            self._took(row.id, self._look)
        self.imageShown.emit()
        self._turning.shown(row.id, self.plane)
        self._ahead.want(self._turning.ahead(row), row.id, self._look)
        self._ahead_soon.start()

    def _load_ahead(self) -> None:
        """Load what is likely to be shown next: what Done goes to, and the neighbours in the list."""
        if self.shown is not None:
            places = (self.next_unfinished(), *(beside(self._order, self.index, by) for by in (1, -1)))
            wanted = dict.fromkeys(place for place in places if place is not None)
            turning, rows = self._turning, self.rows
            others = ((rows[n], turning.plane_of(rows[n])) for n in wanted if n != self.index)
            self._ahead.want(itertools.chain(turning.ahead(rows[self.index]), others), self.shown, self._look)

    def _not_shown(self, row: ImageRow, look: Look, error: UserError) -> None:
        """Flag what cannot be shown, and say what to do about it."""
        self.displaying.show(None, None)
        self._list.failed(row.id, look, error.line)
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
        row, known = self._list.looked(image, look)
        changed = known.changed
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
            if isinstance(error := future.exception(), UserError):
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

"""Undo and redo: at once where the edit is in memory; from the journal when a worker has read it there."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Protocol

from segstudio.app.editing.edit_cache import RecentEdits
from segstudio.app.editing.open_document import OpenDocument
from segstudio.app.editing.taking_back import undo_ends
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.errors import UserError
from segstudio.labels.edit import Edit, TileKey
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.tile import Tile
from segstudio.store.project import History, Project, Reach, inverse_of
from segstudio.text import _

__all__ = ["Labels", "Undoing"]

_AT_ONCE_S = 0.04
"""How long the window waits for the journal; a slow disk answers later."""


class Labels(Protocol):
    """What is undone upon. `make` and `write_back` raise `UserError` where something has to be waited for."""

    author: str
    largest_edit_bytes: int

    @property
    def submitted(self) -> int:
        """Number of the newest edit."""
        ...

    @property
    def gesture_active(self) -> bool:
        """Whether a gesture is under way: nothing is undone meanwhile."""
        ...

    def make(self, edit: Edit) -> None:
        """Apply the edit that undoes another one, and hand it to the writer."""
        ...

    def write_back(self, seq: Seq, reach: Reach, *, redone: bool) -> None:
        """Undo as a job what is too large for one edit, or belongs to a batch."""
        ...


@dataclass(frozen=True, slots=True)
class _Read:
    """What a worker read: the edit or how far it reaches, and the older part of the history where that is needed."""

    back: Edit | Reach
    older: History | None


@dataclass(slots=True, eq=False)
class _Wish:
    """An undo or redo that was asked for; `future` once it is being read, `seq` the edit, `newest` as of then."""

    opened: OpenDocument
    redo: bool
    seq: Seq = Seq(0)  # noqa: RUF009 - a number
    newest: int = 0
    future: "Future[_Read] | None" = None

    @property
    def next(self) -> Seq | None:
        """The edit that it takes back as the history stands. Raises `UserError` where the history was cut off."""
        history = self.opened.history
        if self.redo:
            return history.next_redo()
        if why := undo_ends(history):
            raise UserError(why, safe=_("Named snapshots from before are kept."))
        return history.next_undo()

    @property
    def needs_older(self) -> bool:
        """Whether older edits are to be read: now, while there is one to read from."""
        history = self.opened.history
        return not self.redo and len(history.undoable) == 1 and history.more


class Undoing:
    """What is asked for while something is being read waits its turn; an edit made meanwhile goes before all of it."""

    def __init__(self, ground: Ground, recent: RecentEdits, labels: Labels, told: Callable[[], object]) -> None:
        """`told` is called when something begins or ends to be owed."""
        self._project, self._notices = ground.project, ground.notices
        self._recent, self._labels, self._told = recent, labels, told
        self._worker = Worker("undo", ground.main)
        self._wishes: list[_Wish] = []

    @property
    def owed(self) -> int:
        """How many were asked for and are still to be done."""
        return len(self._wishes)

    @property
    def documents(self) -> list[OpenDocument]:
        """The documents that they are for."""
        return [wish.opened for wish in self._wishes]

    def left(self, opened: OpenDocument, *, redo: bool) -> bool:
        """Whether a document has one more to undo or to redo than was asked for."""
        asked = sum(wish.opened is opened and wish.redo is redo for wish in self._wishes)
        return len(opened.history.redoable if redo else opened.history.undoable) > asked

    def want(self, opened: OpenDocument, *, redo: bool) -> None:
        """Take the newest edit of a document back, or make again what was taken back last: now, or when it is read.

        Raises `UserError` where that is known at once to be impossible; later, a notice says so.
        """
        if self._project.writer is None:
            return
        wish = _Wish(opened, redo)
        self._wishes.append(wish)
        if len(self._wishes) > 1:
            return
        self._begin(wish)
        if wish.future is not None and wait([wish.future], _AT_ONCE_S).done:
            self._take(wish)
        if self._wishes:
            self._told()

    def go_on(self) -> None:
        """Take back what was read, then what was asked for meanwhile; not while a gesture is under way."""
        before = len(self._wishes)
        while self._wishes and not self._labels.gesture_active:
            wish = self._wishes[0]
            if wish.future is not None and not wish.future.done():
                break
            self._notices.attempt(partial(self._begin if wish.future is None else self._take, wish))
        if len(self._wishes) != before:
            self._told()

    def forget(self, image: ImageId | None) -> None:
        """An edit of an image, or with None of the whole project, was made: what it was asked for before is history."""
        self._wishes = [wish for wish in self._wishes if image not in (None, wish.opened.document.image)]

    def finish(self, timeout_s: float) -> None:
        """Wait so long for what is being read, and do it; the rest is dropped."""
        end = monotonic() + timeout_s
        while self._wishes and (future := self._wishes[0].future) is not None:
            if not wait([future], max(0.0, end - monotonic())).done:
                break
            self.go_on()
        self._wishes.clear()

    def close(self, wait_s: float | None = None) -> None:
        """Drop what is asked for; what is being read is waited for no longer than that."""
        self._wishes.clear()
        self._worker.close(wait_s)

    def _begin(self, wish: _Wish) -> None:
        """Do it, where its edit is in memory; else let it be read."""
        wish.future = None
        try:
            seq = wish.next
        except UserError:
            self._wishes.remove(wish)
            raise
        known = None if seq is None else self._known(seq)
        if seq is None or (known is not None and known.image is not None and not wish.needs_older):
            self._wishes.remove(wish)
            if seq is not None and known is not None:
                self._labels.make(inverse_of(known, seq, self._labels.author))
            return
        wish.seq, wish.newest = seq, self._labels.submitted
        # Tiles are frozen values: those in memory, unwritten ones among them, are handed over. The others are stored.
        tiles, image = dict(wish.opened.document.raster.in_memory()), wish.opened.document.image
        before = wish.opened.history.undoable[0] if wish.needs_older else None
        read = partial(self._read, seq, known, image, tiles, before)
        wish.future = self._worker.submit(read, lambda _: self._arrived(wish))

    def _known(self, seq: Seq) -> Edit | None:
        writer = self._project.writer
        return self._recent.get(seq) or (None if writer is None else writer.pending_edit(seq))

    def _read(
        self, seq: Seq, known: Edit | None, image: ImageId, tiles: Mapping[TileKey, Tile], before: Seq | None
    ) -> _Read:
        """On the worker: the disk may take its time."""
        project: Project = self._project

        def lookup(key: TileKey) -> Tile:
            found = tiles.get(key)
            return project.tile(image, key) if found is None else found

        older = None if before is None else project.history(image, before=before)
        author, most = self._labels.author, self._labels.largest_edit_bytes
        return _Read(project.reversal(seq, author, lookup, known=known, largest_bytes=most), older)

    def _arrived(self, wish: _Wish) -> None:
        if wish in self._wishes:
            self.go_on()
        else:
            self._told()  # an edit went before it: nothing is owed for it any more

    def _take(self, wish: _Wish) -> None:
        """Do what was read, where the history still has that edit next."""
        history = wish.opened.history
        assert wish.future is not None
        if (history.next_redo() if wish.redo else history.next_undo()) != wish.seq:
            self._wishes.remove(wish)
            return
        if self._outdated(wish):
            self._begin(wish)
            return
        self._wishes.remove(wish)
        found = wish.future.result()
        if found.older is not None:
            history.extend(found.older)
        if isinstance(found.back, Reach):
            self._labels.write_back(wish.seq, found.back, redone=wish.redo)
        else:
            self._labels.make(found.back)

    def _outdated(self, wish: _Wish) -> bool:
        """Whether it undoes something of the whole project on which what was made since may depend."""
        future = wish.future
        if future is None or future.exception() is not None or self._labels.submitted == wish.newest:
            return False
        back = future.result().back
        return isinstance(back, Edit) and back.image is None

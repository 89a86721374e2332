"""A project on disk: opened by one writer or any number of readers. What is read here is committed state."""

import atexit
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Lock

import msgspec

from segstudio.errors import DiskRefused, NotAProject, ProjectLocked, ProjectNewer, ReadOnly, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, TileKey
from segstudio.labels.model import Cause, ClassId, ImageId, Seq
from segstudio.labels.tiles.streamed import LARGEST_EDIT_BYTES
from segstudio.labels.tiles.tile import Tile
from segstudio.store import filesystems
from segstudio.store.catalog import versions as versions_
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.connections import Readers, translated
from segstudio.store.database.create import DATABASE, build_project
from segstudio.store.database.lock import LOCK, ProjectLock
from segstudio.store.database.migrations import migrate
from segstudio.store.database.schema import READABLE_FROM, check_version
from segstudio.store.history.revert import Reach, batch_for, reach, reversed_edit, reversed_edits
from segstudio.store.history.undo_checks import undo_refusal
from segstudio.store.history.undo_list import History, load_history
from segstudio.store.progress_token import Ticker
from segstudio.store.proposals import Proposals
from segstudio.store.queries import Committed, read_setting
from segstudio.store.values import FrozenLabels, ImageRow, NewClass, NewImage, VersionRow
from segstudio.store.writing import pending, waiting_edits
from segstudio.store.writing.journal import last_seq, load_edit
from segstudio.store.writing.outbox import Outbox
from segstudio.store.writing.waiting_edits import Unsaved
from segstudio.store.writing.write_queue import SetAside
from segstudio.store.writing.writer import Writer
from segstudio.text import _

__all__ = [
    "DATABASE",
    "FrozenLabels",
    "History",
    "ImageRow",
    "NewClass",
    "NewImage",
    "Project",
    "Reach",
    "SetAside",
    "VersionRow",
    "Writer",
    "inverse_of",
]


class Project(Committed):
    """Made by `create` or `open`, ended by `close` (or a `with` block). Any thread may read; writes go to `writer`.

    `writer` is None where the project is read only; `why_read_only` then says why, if writing was asked for. `notice`
    reports what else opening it did (updated it, saved waiting edits); also that it is on a network drive.
    `ended_badly`: its last writer was killed, or the power failed.
    """

    def __init__(self, path: Path, readers: Readers) -> None:
        super().__init__(path, readers)
        self.why_read_only = ""
        self.notice = ""
        self.ended_badly = False
        self.writer: Writer | None = None
        self._closed = False
        self._last_seq = Seq(0)
        self._lock = ProjectLock(path / LOCK)
        self._place = Path(os.path.realpath(path))  # now: links may lead elsewhere when it is closed
        with readers.transaction() as db:
            self.uuid = str(read_setting(db, "uuid"))
        self._outbox = Outbox(self.uuid, self._place)
        self._making = Lock()
        self._proposals: Proposals | None = None
        self._compared: Proposals | None = None
        atexit.register(self.close)

    # --- making, opening, closing

    @staticmethod
    def create(
        path: Path, images: Iterable[NewImage], classes: Sequence[NewClass] = (), *, copy_files: bool = False
    ) -> "Project":
        """Make a project and open it for writing; completely or not at all. The path must be free.

        No class gives background and 'object'. `copy_files` takes the image files into the project. Raises
        `UserError` where something stands at the path, `UsageError` for a class that cannot be, `DiskRefused`.
        """
        path = Path(path).absolute()
        build_project(path, images, classes, copy_files=copy_files)
        return Project.open(path)

    @staticmethod
    def open(
        path: Path,
        *,
        write: bool = True,
        read_only_ok: bool = False,
        connection_type: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> "Project":
        """Open a project, with `read_only_ok` for reading where it cannot be written.

        Raises `NotAProject`, `ProjectNewer`, `ProjectLocked` (who writes it), `ReadOnly`, `ProjectDamaged`,
        `DiskRefused` (edits wait for a disk that still refuses). `connection_type` is of the writer's connection.
        """
        path = Path(path).absolute()
        if not (path / DATABASE).is_file():
            raise NotAProject(_("'{name}' is not a SegStudio project.", name=path.name))
        readers = Readers(path / DATABASE)
        try:
            with readers.transaction() as db:
                check_version(db, path.name, write=write and not read_only_ok)
            project = Project(path, readers)
        except (UserError, sqlite3.Error):
            readers.close()
            raise
        if write:
            project._begin_writing(connection_type, read_only_ok=read_only_ok)
        if not project.writable:
            project.notice = project.unsaved.sentence
        return project

    def _begin_writing(self, connection_type: type[sqlite3.Connection], *, read_only_ok: bool) -> None:
        try:
            with self._readers.transaction() as db:
                check_version(db, self.path.name, write=True)
            self._lock.acquire(self.path.name)
            self.ended_badly = self._lock.left_behind
            if not os.access(self.path / DATABASE, os.W_OK):
                raise ReadOnly(
                    _(
                        "The file {database} of the project '{name}' cannot be written.",
                        database=DATABASE,
                        name=self.path.name,
                    )
                )
            with translated(self.path.name):
                self.notice = self._prepare()
                self.writer = Writer(self.path / DATABASE, connection_type, self._outbox)
        except (DiskRefused, ProjectLocked, ProjectNewer, ReadOnly) as error:
            self._lock.release()
            if not read_only_ok:
                self.close()
                raise
            self.why_read_only = error.line
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> str:
        """Update the project and write the edits waiting for it; sentences about both."""
        self._readers.release()
        db = connect(self.path / DATABASE, Access.WRITE)
        try:
            updated = migrate(db, self.path, readable_from=READABLE_FROM)
            said = [updated, waiting_edits.replay(db, self.uuid, self._place)]
        finally:
            db.close()
        self._readers.renew()
        system = filesystems.file_system(self.path)
        if filesystems.is_network(system):
            said.append(filesystems.network_sentence(self.path.name, system))
        return " ".join(filter(None, said))

    @property
    def writable(self) -> bool:
        """Whether this process may write."""
        return self.writer is not None

    @property
    def unsaved(self) -> Unsaved:
        """Edits that wait for this project in the user's state folder and are not in its journal, in a sentence too."""
        with self._readers.transaction() as db:
            return waiting_edits.unsaved(db, self.uuid, self._place)

    def close(self, wait_s: float = 30.0) -> None:
        """Wait for the writer, fold the log, free the lock. Edits that the disk refuses are kept for the next opening.

        A disk that hangs may hold the writer for longer: then the lock is freed when its thread ends, or the process.
        Raises `DiskRefused` where they cannot be kept either. A second call does nothing.
        """
        atexit.unregister(self.close)
        if self._closed:
            return
        self._closed = True
        writer, self.writer = self.writer, None
        try:
            if writer is not None:
                writer.flush(wait_s)
            self._readers.close()
            for kept in (self._proposals, self._compared):
                if kept is not None:
                    kept.close()
            if writer is not None:
                rest = writer.stop(wait_s)
                self._last_seq = writer.durable
                if rest:
                    self._outbox.keep(rest)
        finally:
            if writer is None:
                self._lock.release()
            else:
                writer.when_ended(self._lock.release)

    def secure(self, wait_s: float = 30.0, held: Sequence[Edit] = ()) -> None:
        """Make sure that a close now loses nothing: wait for the writer, else keep what waits in the state folder.

        `held` are edits that could not be handed to the writer yet. Raises `DiskRefused` where that is refused too; the
        project is open then, as it was.
        """
        if self.writer is not None and (not self.writer.flush(wait_s) or held):
            # Numbers serve to name what an undo undoes: those of edits without one need only be their own.
            rest = self.writer.pending_edits() + [(Seq(-n), edit) for n, edit in enumerate(held, 1)]
            if rest:
                self._outbox.keep(rest)

    def __enter__(self) -> "Project":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pending(self) -> list[tuple[Seq, Edit]]:
        """Edits that are not durable yet: to be looked at before the store, so that none is missed between the two."""
        return [] if self.writer is None else self.writer.pending_edits()

    # --- images and classes

    def next_class(self) -> tuple[ClassId, int]:
        """Id and stable value of the next class to be made; never given twice, also after an undo."""
        waiting = self._pending()
        with self._readers.transaction() as db:
            return pending.next_class(db, waiting)

    def taken_out(self) -> set[ImageId]:
        """The images that are out of the project once all that was submitted is written."""
        waiting = self._pending()
        with self._readers.transaction() as db:
            return pending.taken_out(db, waiting)

    # --- labels

    def document(self, image: ImageId) -> Document:
        """The live labels of an image, edits that are not durable yet included; tiles are read at their first use.

        Left out are waiting edits that do not follow the saved ones: the writer will set it aside and report it.
        """
        waiting = self._pending()
        with self._readers.transaction() as db:
            return pending.document(db, image, waiting, lambda key: self.tile(image, key))

    # --- edits

    def last_seq(self) -> Seq:
        """Number of the last committed edit; still known after `close`."""
        if not self._closed:
            with self._readers.transaction() as db:
                self._last_seq = last_seq(db)
        return self._last_seq

    def load_edit(self, seq: Seq, lookup: Callable[[TileKey], Tile]) -> Edit:
        """An edit as it was submitted (of an undo: its effect); `lookup` gives the current tiles.

        Raises `EditConflict` where one of its tiles has changed since, `ProjectDamaged`.
        """
        waiting = None if self.writer is None else self.writer.pending_edit(seq)
        if waiting is not None:
            return waiting
        with self._readers.transaction() as db:
            return load_edit(db, seq, lookup)

    def history(self, image: ImageId, *, before: Seq | None = None) -> History:
        """What can be undone and redone from an image, the newest thousand; `before` reads older ones."""
        waiting = self._pending()
        with self._readers.transaction() as db:
            done = last_seq(db)
            history = load_history(db, image, before=before)
        if before is None:
            for seq, edit in waiting:
                if seq > done:
                    history.record(seq, edit)
        return history

    def undo_refusal(self, seq: Seq) -> str:
        """Why an edit cannot be undone (a project-wide one that later edits depend on); '' where it can."""
        waiting = [edit for _, edit in self._pending()]
        with self._readers.transaction() as db:
            return undo_refusal(db, seq, waiting, self.load_edit)

    def reach(self, seq: Seq) -> Reach:
        """What undoing a durable edit, or redoing what it undid, changes: the whole of its batch."""
        with self._readers.transaction() as db:
            return reach(db, seq)

    def reversal(
        self,
        seq: Seq,
        author: str,
        lookup: Callable[[TileKey], Tile],
        *,
        known: Edit | None = None,
        largest_bytes: int = LARGEST_EDIT_BYTES,
    ) -> Edit | Reach:
        """The edit that undoes this one (or redoes, for an undo edit), to be committed in memory.

        Its `Reach` instead where it belongs to a batch, or its tiles hold more than `largest_bytes`: `take_back` is
        for that. `known` is the edit where it is in memory: for one of an image nothing is read then. `lookup` gives
        the current tiles. Raises `UserError` where something depends on it or its deltas are not kept, `EditConflict`,
        `ProjectDamaged`.
        """
        if known is None and self.writer is not None:
            known = self.writer.pending_edit(seq)
        if (known is None or known.image is None) and (refusal := self.undo_refusal(seq)):
            raise UserError(refusal)
        if known is not None:
            return inverse_of(known, seq, author)
        with self._readers.transaction() as db:
            reaches = reach(db, seq)
            if reaches.batch or reaches.bytes > largest_bytes:
                return reaches
            return reversed_edit(db, seq, author, lookup)

    def take_back(self, seq: Seq, author: str, ticker: Ticker | None = None) -> "Future[int]":
        """Undo an edit with all of its batch (of an undo edit: redo), in one transaction; the future says how many.

        Streamed tile by tile, whatever their size. The future raises `UserError` where an image has changed since, and
        `Cancelled`; then nothing is changed. Open documents do not follow automatically. Raises `ReadOnly`.
        """
        return self.writing().write_all(
            lambda db: reversed_edits(db, seq, author, ticker or Ticker()), lambda db: batch_for(db, seq, author)
        )

    # --- versions, runs, settings, proposals

    def set_setting(self, key: str, value: object) -> "Future[None]":
        """Write a setting. Raises `ReadOnly` where the project is not open for writing."""
        text = msgspec.json.encode(value).decode()
        return self.writing().call(
            lambda db: _execute(db, "INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, text))
        )

    def add_time(self, image: ImageId, seconds: float, author: str = "") -> "Future[None]":
        """Add seconds that a person spent on an image. Raises `ReadOnly`."""
        return self.writing().call(lambda db: versions_.add_seconds(db, image, seconds, author))

    def set_problem(self, image: ImageId, sentence: str) -> "Future[None]":
        """Flag an image whose file cannot be read, or has changed; '' removes the flag. Raises `ReadOnly`."""
        update = "UPDATE images SET problem = ? WHERE id = ?"
        return self.writing().call(lambda db: _execute(db, update, (sentence, image)))

    def set_effort(self, image: ImageId, corrected: int, proposed: int) -> "Future[None]":
        """Keep how many of the pixels proposed first a person had to change. Raises `ReadOnly`."""
        update = "UPDATE images SET corrected_pixels = ?, proposed_pixels = ? WHERE id = ?"
        return self.writing().call(lambda db: _execute(db, update, (corrected, proposed, image)))

    def set_content_hash(self, image: ImageId, content_hash: str) -> "Future[None]":
        """Keep the full hash of an image's file, taken when it was first decoded. Raises `ReadOnly`."""
        update = "UPDATE files SET content_hash = ? WHERE image = ? AND position = 0"
        return self.writing().call(lambda db: _execute(db, update, (content_hash, image)))

    def writing(self) -> Writer:
        """The writer. Raises `ReadOnly`, with the reason, where this process may not write."""
        if self.writer is None:
            raise ReadOnly(
                self.why_read_only or _("The project '{name}' is open for reading only.", name=self.path.name)
            )
        return self.writer

    @property
    def proposals(self) -> Proposals:
        """The proposals in the project's cache; any thread may ask."""
        with self._making:
            if self._proposals is None:
                self._proposals = Proposals(self.path / "cache" / "proposals.db", write=self.writable)
            return self._proposals

    @property
    def compared(self) -> Proposals:
        """What other versions propose, for comparison only: nothing of it is ever accepted. Any thread may ask."""
        with self._making:
            if self._compared is None:
                self._compared = Proposals(self.path / "cache" / "compared.db", write=self.writable)
            return self._compared


def inverse_of(known: Edit, seq: Seq, author: str) -> Edit:
    """The edit that undoes one that is in memory, or redoes what that one undid. For one of an image it can be made
    without asking the project; `Project.undo_refusal` says whether one of the whole project may be."""
    return replace(known.inverted(seq, Cause.UNDO if known.undoes is None else Cause.REDO), author=author)


def _execute(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    db.execute(statement, values)

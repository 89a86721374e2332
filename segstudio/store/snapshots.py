"""Snapshots of a project: keep, list, rename, delete, and restore the project, or some of its images.

Restoring makes edits of one batch, so it can be undone; all or none of them are written.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from segstudio.labels.edit import Batch, Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Seq
from segstudio.labels.tiles.streamed import Part, StreamedEdit
from segstudio.labels.user import user_name
from segstudio.store.history.historic_states import changed_images
from segstudio.store.history.restore import classes_edit, image_edit, taken_out_edit
from segstudio.store.history.snapshots import (
    Snapshot,
    SnapshotKind,
    delete_snapshot,
    find_snapshot,
    keep_snapshot,
    read_snapshots,
    rename_snapshot,
)
from segstudio.store.history.undo_horizon import must_be_kept
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project

__all__ = [
    "RestoreReport",
    "Restoring",
    "Snapshot",
    "SnapshotKind",
    "delete",
    "keep",
    "listed",
    "named",
    "rename",
]


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored: the number it goes back to, images that changed, whether the classes did.

    `batch` and its `last` edit, which an undo names, are None where nothing differed. `unused` names classes out
    of use that restored objects have: their pixels count as nothing. `paths` are those of `images`.
    """

    seq: Seq
    images: tuple[ImageId, ...]
    classes: bool
    batch: int | None
    last: Seq | None
    unused: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def listed(project: Project) -> list[Snapshot]:
    """All snapshots, newest first."""
    with project.reading() as db:
        return read_snapshots(db)


def named(project: Project, name: str) -> Snapshot:
    """The snapshot of a name. Raises `UserError` where there is none."""
    with project.reading() as db:
        return find_snapshot(db, name)


def keep(project: Project, name: str = "") -> "Future[Snapshot]":
    """Give the labels, everything submitted so far included, a name; '' is the local date and time.

    Raises `ReadOnly`; the future raises `UserError` for a name that is taken, `DiskRefused`.
    """
    author = user_name()
    return project.writing().call(lambda db: keep_snapshot(db, name, author))


def rename(project: Project, id_: int, name: str) -> "Future[Snapshot]":
    """Give a snapshot another name; a daily one is a person's from then on. Raises as `keep` does."""
    return project.writing().call(lambda db: rename_snapshot(db, id_, name))


def delete(project: Project, id_: int) -> "Future[Snapshot]":
    """Take a snapshot's name away; no label changes. Raises as `keep` does."""
    return project.writing().call(lambda db: delete_snapshot(db, id_))


class Restoring:
    """One restore: `start` hands it to the writer, `report` says, once that is done, what it did.

    Raises `UserError` where the state after edit `seq` is no longer kept.
    """

    def __init__(self, project: Project, seq: Seq, images: Sequence[ImageId] | None = None) -> None:
        self._project, self._seq = project, seq
        self._wanted = None if images is None else set(images)
        self._batch = Batch(Cause.RESTORE, user_name())
        self._restored: dict[ImageId, str] = {}
        self._classes = False
        self._classes_used: set[ClassId] = set()
        with project.reading() as db:
            must_be_kept(db, seq)

    def start(self, ticker: Ticker) -> "Future[int]":
        """Write it, all or nothing, after everything that waits; the future says how many edits. Raises `ReadOnly`."""
        return self._project.writing().write_all(lambda db: self._edits(db, ticker), self._batch)

    def report(self) -> RestoreReport:
        """What it did."""
        table = self._project.classes()
        unused = tuple(table[id_].name for id_ in sorted(self._classes_used) if table.effective(id_) is None)
        images = tuple(self._restored)
        if not images and not self._classes:
            return RestoreReport(self._seq, images, False, None, None, unused)
        with self._project.reading() as db:
            last = db.execute("SELECT max(seq) FROM edits WHERE batch = ?", (self._batch.id,)).fetchone()[0]
        paths = tuple(self._restored.values())
        return RestoreReport(self._seq, images, self._classes, self._batch.id, Seq(last), unused, paths)

    def _edits(self, db: sqlite3.Connection, ticker: Ticker) -> Iterator[Edit | StreamedEdit]:
        """The classes first: restored objects may have one that was undone since."""
        author = self._batch.author
        changed = [image for image in changed_images(db, self._seq) if self._wanted is None or image in self._wanted]
        ticker.total = len(changed)
        if self._wanted is None:
            edit = classes_edit(db, self._seq, author)
            if edit is not None:
                self._classes = True
                yield edit
            edit = taken_out_edit(db, self._seq, author)
            if edit is not None:
                for row in edit.rows:
                    self._note(db, ImageId(row.key))
                yield edit
        for image in changed:
            found = image_edit(db, image, self._seq, author, ticker)
            if found is not None:
                self._note(db, image)
                yield StreamedEdit(found.header, self._noting(found.parts))
            ticker.step()
        ticker.step(0)

    def _note(self, db: sqlite3.Connection, image: ImageId) -> None:
        # Here, on the writer's thread: a caller that wants the report waits for it.
        self._restored[image] = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]

    def _noting(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts; the classes that objects come back with are noted."""
        for part in parts:
            if isinstance(part, RowChange) and part.table is Table.OBJECTS and part.after and "class_id" in part.after:
                self._classes_used.add(ClassId(int(part.after["class_id"] or 0)))
            yield part

"""Snapshots as whole jobs: keep, list, rename, delete, and restore a project, or some of its images.

Restoring makes edits of one batch, so it can be taken back; all or none of them are written.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

from segstudio.errors import DiskRefused, ReadOnly, UserError
from segstudio.labels.author import user_name
from segstudio.labels.edit import Batch, Edit, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Seq
from segstudio.store.past import changed_images, must_be_kept
from segstudio.store.project import Project
from segstudio.store.restore import classes_edit, image_edit
from segstudio.store.snapshots import (
    Snapshot,
    delete_snapshot,
    find_snapshot,
    keep_snapshot,
    read_snapshots,
    rename_snapshot,
)
from segstudio.store.writer import Writer
from segstudio.tasks.progress import Progress

__all__ = [
    "RestoreReport",
    "delete",
    "keep",
    "listed",
    "named",
    "rename",
    "restore",
]

_DRAIN_S = 60.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored: the number it goes back to, images that changed, whether the classes did, the batch.

    `unused` names classes out of use that restored objects have: their pixels count as nothing. `batch` is None where
    nothing differed.
    """

    seq: Seq
    images: tuple[ImageId, ...]
    classes: bool
    batch: int | None
    unused: tuple[str, ...] = ()


def listed(project: Project) -> list[Snapshot]:
    """All snapshots, newest first."""
    with project.reading() as db:
        return read_snapshots(db)


def named(project: Project, name: str) -> Snapshot:
    """The snapshot of a name. Raises `UserError` where there is none."""
    with project.reading() as db:
        return find_snapshot(db, name)


def keep(project: Project, name: str = "") -> Snapshot:
    """Give the labels, everything submitted so far included, a name. Raises `UserError`, `DiskRefused`, `ReadOnly`."""
    author = user_name()
    return _writer(project).call(lambda db: keep_snapshot(db, name, author)).result()


def rename(project: Project, id_: int, name: str) -> Snapshot:
    """Give a snapshot another name. Raises `UserError`, `DiskRefused`, `ReadOnly`."""
    return _writer(project).call(lambda db: rename_snapshot(db, id_, name)).result()


def delete(project: Project, id_: int) -> Snapshot:
    """Take a snapshot's name away; no label changes. Raises `UserError`, `DiskRefused`, `ReadOnly`."""
    return _writer(project).call(lambda db: delete_snapshot(db, id_)).result()


def _writer(project: Project) -> Writer:
    if project.writer is None:
        raise ReadOnly(project.why_read_only or f"The project '{project.path.name}' is open for reading only.")
    return project.writer


def restore(
    project: Project, seq: Seq, images: Sequence[ImageId] | None = None
) -> Generator[Progress, None, RestoreReport]:
    """Make the labels again what they were after edit `seq`: of the whole project with its classes, or of some images.

    While it runs nothing else may be written. Raises `UserError` where that state is no longer kept, `ProjectDamaged`,
    `DiskRefused`, `ReadOnly`; then, and when it is closed, nothing has changed.
    """
    writer = _writer(project)
    if not writer.flush(_DRAIN_S):
        raise DiskRefused(writer.state.refused or "Edits are still being saved.", safe="Nothing was restored.")
    with project.reading() as db:
        must_be_kept(db, seq)
        changed = changed_images(db, seq)
    if images is not None:
        wanted = set(images)
        changed = [image for image in changed if image in wanted]
    job = _Restoring(project, seq, changed, with_classes=images is None)
    yield from _all_or_none(writer, job)
    return RestoreReport(
        seq, tuple(job.restored), job.classes, job.batch.id if job.restored or job.classes else None, job.unused()
    )


class _Restoring:
    """The edits of one restore, made on the writer's thread, and what is known of them."""

    def __init__(self, project: Project, seq: Seq, images: Sequence[ImageId], *, with_classes: bool) -> None:
        self.batch = Batch(Cause.RESTORE, user_name())
        self.images = images
        self.dropped = threading.Event()
        self.taken = 0
        self.restored: list[ImageId] = []
        self.classes = False
        self._project, self._seq, self._with_classes = project, seq, with_classes
        self._classes_used: set[ClassId] = set()

    def edits(self) -> Iterator[Edit]:
        """The classes first: restored objects may have one that was taken back since."""
        if self._with_classes:
            with self._project.reading() as db:
                edit = classes_edit(db, self._seq, self.batch.author)
            if edit is not None:
                self.classes = True
                yield edit
        for image in self.images:
            self._go_on()
            found = image_edit(self._project.reading, image, self._seq, self.batch.author, self._go_on)
            if found is not None:
                self.restored.append(image)
                self._note_classes(found)
                yield found
            self.taken += 1

    def _go_on(self) -> None:
        if self.dropped.is_set():
            raise UserError("Restoring was stopped; nothing was restored.")

    def _note_classes(self, edit: Edit) -> None:
        for row in edit.rows:
            if row.table is Table.OBJECTS and row.after is not None and "class_id" in row.after:
                self._classes_used.add(ClassId(int(row.after["class_id"] or 0)))

    def unused(self) -> tuple[str, ...]:
        """Classes out of use that objects came back with."""
        table = self._project.classes()
        return tuple(table[id_].name for id_ in sorted(self._classes_used) if table.effective(id_) is None)


def _all_or_none(writer: Writer, job: _Restoring) -> Iterator[Progress]:
    future = writer.write_all(job.edits(), job.batch)
    total = len(job.images)
    try:
        while not future.done():
            yield Progress(min(job.taken, total), total, "restoring")
            wait([future], _LOOK_S)
    finally:
        job.dropped.set()
    try:
        future.result()
    except DiskRefused as error:
        raise DiskRefused(error.sentence, safe="Nothing was restored.", todo=error.todo) from error

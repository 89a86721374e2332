"""The owner of snapshots: keeps, renames and deletes them, and restores as one long write that can be undone."""

from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal

from segstudio.app.documents import Documents
from segstudio.app.jobs import MainThread
from segstudio.app.values import SnapshotItem
from segstudio.errors import UserError
from segstudio.labels.model import ImageId, Seq
from segstudio.store.project import Project
from segstudio.store.snapshots import Snapshot, SnapshotKind
from segstudio.tasks import snapshots as tasks

__all__ = ["Snapshots"]


class Snapshots(QObject):
    """`snapshotsChanged`: the list is another. `restored`: what a restore did. `failed`: {job, sentence, details}."""

    snapshotsChanged = Signal()
    restored = Signal(object)
    said = Signal(str)
    failed = Signal(object)

    def __init__(self, project: Project, documents: Documents, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._documents, self._main = project, documents, main
        self._undoable: tuple[Seq, frozenset[ImageId]] | None = None

    @property
    def items(self) -> list[SnapshotItem]:
        """All snapshots, newest first."""
        return [_item(snapshot) for snapshot in tasks.listed(self._project)]

    def keep(self, name: str) -> None:
        """Give the labels as they stand a name, a stroke under way included; '' is the date and time."""
        self._documents.commit_gesture()
        said = self.tr("Snapshot '{0}' is kept")
        self._documents.after(
            lambda: self._later(tasks.keep(self._project, name), lambda made: self.said.emit(said.format(made.name)))
        )

    def rename(self, id_: int, name: str) -> None:
        """Give a snapshot another name."""
        self._later(tasks.rename(self._project, id_, name))

    def delete(self, id_: int) -> None:
        """Take a name away."""
        said = self.tr("Snapshot '{0}' is deleted; no label was changed")
        self._later(tasks.delete(self._project, id_), lambda gone: self.said.emit(said.format(gone.name)))

    def _later(self, future: "Future[Snapshot]", then: Callable[[Snapshot], None] = lambda _: None) -> None:
        def done() -> None:
            error = future.exception()
            if isinstance(error, UserError):
                self.failed.emit({"job": "snapshot", "sentence": error.line, "details": ""})
            elif error is not None:
                raise error
            else:
                then(future.result())
            self.snapshotsChanged.emit()

        future.add_done_callback(lambda _: self._main.post(done))

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, id_: int, image: ImageId | None) -> None:
        """Restore the project, or one image; `restored` or `failed` follows. Raises `UserError` where it cannot begin.

        A stroke under way is kept first, so that undo leads back to it.
        """
        snapshot = next((found for found in tasks.listed(self._project) if found.id == id_), None)
        if snapshot is None:
            raise UserError("This snapshot is no longer in the project.")
        images = None if image is None else [image]
        restoring = tasks.Restoring(self._project, snapshot.seq, images)

        def told(_edits: int) -> None:
            report = restoring.report()
            self._undoable = None if report.last is None else (report.last, frozenset(report.images))
            self.restored.emit(
                {
                    "name": snapshot.name,
                    "images": [self._project.image(found).path for found in report.images],
                    "classes": report.classes,
                    "unused_classes": list(report.unused),
                }
            )

        text = self.tr("Restoring '{0}'").format(snapshot.name)
        self._documents.write_long(
            "restore", text, restoring.start, None if images is None else frozenset(images), told
        )

    def undo_restore(self) -> None:
        """Take the last restore back, whatever image is on screen. Raises `UserError` where it cannot begin."""
        if self._undoable is None:
            raise UserError("There is no restored snapshot to take back.")
        (seq, images), self._undoable = self._undoable, None

        def told(_edits: int) -> None:
            self.said.emit(self.tr("The restored snapshot was taken back"))

        project, author = self._project, self._documents.author
        text = self.tr("Taking the restored snapshot back")
        self._documents.write_long("undo", text, lambda ticker: project.take_back(seq, author, ticker), images, told)


def _item(snapshot: Snapshot) -> SnapshotItem:
    return SnapshotItem(
        id=snapshot.id,
        name=snapshot.name,
        time=snapshot.time,
        edits=snapshot.edits,
        author=snapshot.author,
        daily=snapshot.kind is SnapshotKind.DAILY,
        kept=snapshot.kept,
    )

"""The owner of snapshots: keeps, renames and deletes them, and restores as one long write that can be undone."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.background_writes import Write
from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import JobKind, Restored, SnapshotItem
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.store import snapshots as stored
from segstudio.store.snapshots import Snapshot, SnapshotKind
from segstudio.text import _

__all__ = ["Snapshots"]

_AT_ONCE_S = 0.008
"""How long the window waits for the list; a slow disk answers later."""


@dataclass(frozen=True, slots=True)
class _Restored:
    """A restore that can be undone."""

    name: str
    report: stored.RestoreReport


class Snapshots(QObject):
    """`snapshotsChanged`: the list is another, or stayed as it was after a failure. `restored` carries a `Restored`."""

    snapshotsChanged = Signal()
    restored = Signal(object)

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project, self._main, self._notices = ground.project, ground.main, ground.notices
        self._documents, self._navigation = documents, navigation
        self._undoable: _Restored | None = None
        self._worker = Worker("snapshots", ground.main)
        self._readings = 0

    @property
    def items(self) -> list[SnapshotItem]:
        """All snapshots, newest first, read now: for scripts. The window waits for no disk: `read`."""
        return [_item(snapshot) for snapshot in stored.listed(self._project)]

    def read(self, then: Callable[[list[SnapshotItem]], object]) -> bool:
        """Read them on a worker: `then` gets all of them, newest first, at once or when a slow disk has answered.

        Whether that was at once. Where several are asked for, the last is answered.
        """
        self._readings += 1
        reading = self._readings

        def answer(future: "Future[list[SnapshotItem]]") -> None:
            if reading == self._readings:
                self._readings += 1
                then(future.result())

        asked = self._worker.submit(lambda: self.items, answer)
        if not wait([asked], _AT_ONCE_S).done:
            return False
        answer(asked)
        return True

    def close(self, wait_s: float | None = None) -> None:
        """Read no more; a reading under way is waited for no longer than that."""
        self._worker.close(wait_s)

    def keep(self, name: str) -> None:
        """Give the labels as they stand a name, a stroke under way included; '' is the date and time."""
        self._documents.commit_gesture()
        self._documents.after(lambda: self._later(stored.keep(self._project, name), self._kept))

    def _kept(self, made: Snapshot) -> None:
        self._notices.say(_("Snapshot '{name}' saved", name=made.name))

    def rename(self, id_: int, name: str) -> None:
        """Give a snapshot another name."""
        self._later(stored.rename(self._project, id_, name))

    def delete(self, id_: int) -> None:
        """Take a name away."""

        def deleted(gone: Snapshot) -> None:
            self._notices.say(_("Snapshot '{name}' deleted; no label was changed", name=gone.name))

        self._later(stored.delete(self._project, id_), deleted)

    def _later(self, future: "Future[Snapshot]", then: Callable[[Snapshot], None] = lambda _: None) -> None:
        def done() -> None:
            error = future.exception()
            if isinstance(error, UserError):
                self._notices.fail(JobKind.SNAPSHOT, error)
            elif error is not None:
                raise error
            else:
                then(future.result())
            self.snapshotsChanged.emit()

        future.add_done_callback(lambda _: self._main.post(done))

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore_image(self, id_: int) -> None:
        """Restore the image on screen; `restored` or a notice follows."""
        image = self._navigation.shown
        if image is not None:
            self._attempt(lambda: self.restore(id_, image))
        else:
            loading = self._navigation.loading
            why = _("The image is still loading.") if loading else _("No image is shown.")
            self._notices.fail(JobKind.RESTORE, why)

    def restore_project(self, id_: int) -> None:
        """Restore the whole project; `restored` or a notice follows."""
        self._attempt(lambda: self.restore(id_, None))

    def _attempt(self, call: Callable[[], None]) -> None:
        if self._project.writer is None:
            self._notices.fail(JobKind.RESTORE, self._project.why_read_only)
        else:
            self._notices.attempt(call, JobKind.RESTORE)

    def restore(self, id_: int, image: ImageId | None) -> None:
        """Restore the project, or one image; `restored` or a notice follows.

        A stroke under way is kept first, so that undo leads back to it.
        """
        self._documents.commit_gesture()
        project, images = self._project, None if image is None else [image]

        def looked_up() -> tuple[str, stored.Restoring]:
            snapshot = next((found for found in stored.listed(project) if found.id == id_), None)
            if snapshot is None:
                raise UserError(_("This snapshot is no longer in the project."))
            return snapshot.name, stored.Restoring(project, snapshot.seq, images)

        def begin(future: "Future[tuple[str, stored.Restoring]]") -> None:
            if (error := refusal(future)) is not None:
                self._not_restored(error)
                return
            self._documents.after(lambda: self._restore(*future.result(), image))

        self._worker.submit(looked_up, begin)

    def _restore(self, name: str, restoring: stored.Restoring, image: ImageId | None) -> None:
        def reported(future: "Future[stored.RestoreReport]") -> None:
            if (error := refusal(future)) is not None:
                self._not_restored(error)
                return
            report = future.result()
            self._undoable = None if report.last is None else _Restored(name, report)
            self.restored.emit(Restored(name, report.paths, report.classes, report.unused))

        def told(_edits: int) -> None:
            self._worker.submit(restoring.report, reported)

        text = _("Restoring '{name}'", name=name)
        self._write(JobKind.RESTORE, text, restoring.start, None if image is None else frozenset([image]), told)

    @property
    def can_undo_restore(self) -> bool:
        """Whether there is a restore to undo."""
        return self._undoable is not None

    def undo_restore(self) -> None:
        """Take the last restore back, whatever image is on screen; `restored` or a notice follows.

        It can be asked for again until it has worked.
        """
        self._attempt(self._undo_restore)

    def _undo_restore(self) -> None:
        back = self._undoable
        if back is None or back.report.last is None:
            raise UserError(_("There is no restored snapshot to undo."))
        seq, report = back.report.last, back.report

        def told(_edits: int) -> None:
            self._undoable = None
            self._notices.say(_("The restored snapshot was undone"))
            self.restored.emit(Restored(back.name, report.paths, report.classes, taken_back=True))

        project, author = self._project, self._documents.author
        text = _("Undoing the restored snapshot")
        self._write(
            JobKind.UNDO, text, lambda ticker: project.take_back(seq, author, ticker), frozenset(report.images), told
        )

    def _write(
        self, job: JobKind, text: str, write: Write, images: frozenset[ImageId] | None, told: Callable[[int], None]
    ) -> None:
        """Write it as a job; where that cannot begin, or ends otherwise, a notice says so."""
        try:
            self._documents.write_long(job, text, write, images, told, self._not_restored)
        except UserError as error:
            self._not_restored(error)

    def _not_restored(self, error: UserError) -> None:
        self._notices.fail(JobKind.RESTORE, error)


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

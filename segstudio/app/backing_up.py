"""The owner of backups: one at a time on a thread, beside the writer."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.errors import UserError
from segstudio.store.backup import Backup
from segstudio.store.project import Project
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.progress import Progress

__all__ = ["Backups"]


class Backups(QObject):
    """One backup at a time, on a thread; painting goes on. `backedUp` means: in its place, and checked."""

    backedUp = Signal(object)
    failed = Signal(object)
    jobChanged = Signal(object)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._main = project, main
        self._job: Job[Progress, Backup] | None = None

    def start(self, place: Path | None) -> None:
        """Begin; raises `UserError` while one is under way."""
        if self._job is not None:
            raise UserError("A backup is being made already.")
        self._job = Job(
            "backup",
            backup(self._project, place),
            self._main,
            on_value=self._progress,
            on_done=self._done,
            on_failed=self._failed,
            on_cancelled=self._end,
        )
        self._job.start()

    def cancel(self) -> None:
        """Drop what is under way; nothing half-written stays."""
        if self._job is not None:
            self._job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.wait(timeout_s)

    def _progress(self, progress: Progress) -> None:
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState("backup", True, self.tr("Backing up: {0}").format(progress.doing), fraction))

    def _done(self, made: Backup) -> None:
        self._end()
        report = {"backup": str(made.path), "bytes": made.size, "last_edit": int(made.seq)}
        self.backedUp.emit(report | {"waiting_edits": made.unsaved})

    def _failed(self, error: BaseException) -> None:
        self._end()
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "backup", "sentence": error.line, "details": ""})

    def _end(self) -> None:
        self._job = None
        self.jobChanged.emit(JobState("backup", False))

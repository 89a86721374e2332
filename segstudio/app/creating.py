"""The owner of making a project: headers are read on a thread, so that a folder of 100,000 images stops no window."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.errors import UserError
from segstudio.tasks.images.new import NewReport, new_project
from segstudio.tasks.progress import Progress

__all__ = ["Creation"]

_LONGEST_WAIT_S = 30.0


class Creation(QObject):
    """One project at a time; `made` carries its path, `failed` {job, sentence}."""

    made = Signal(object)
    failed = Signal(object)
    jobChanged = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._main = MainThread(self)
        self._job: Job[Progress, NewReport] | None = None

    def start(self, path: Path, images: Sequence[str], classes: Sequence[str]) -> None:
        """Begin; nothing happens while one is being made."""
        if self._job is not None:
            return
        self._job = Job(
            "new",
            new_project(path, images, classes),
            self._main,
            on_value=self._progress,
            on_done=self._done,
            on_failed=self._failed,
            on_cancelled=self._end,
        )
        self.jobChanged.emit(JobState("new", True, self.tr("Reading the images")))
        self._job.start()

    def cancel(self) -> None:
        """Drop what is being made; no folder stays behind."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Drop it and wait for its thread."""
        if self._job is not None:
            self._job.cancel()
            self._job.wait(_LONGEST_WAIT_S)
            self._job = None
            self.jobChanged.emit(JobState("new", False))
        self._main.close()

    def _progress(self, progress: Progress) -> None:
        text = self.tr("Looked at {0} of {1} files").format(progress.done, progress.total)
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState("new", True, text, fraction))

    def _done(self, report: NewReport) -> None:
        self._end()
        self.made.emit(report.path)

    def _failed(self, error: BaseException) -> None:
        self._end()
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "new", "sentence": error.line, "details": ""})

    def _end(self) -> None:
        self._job = None
        self.jobChanged.emit(JobState("new", False))

"""The owner of the search for moved images: a job over a folder that a person points at."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.store.project import Project
from segstudio.tasks.images.relink import RelinkReport, relink
from segstudio.tasks.progress import Progress

__all__ = ["Relinking"]


class Relinking(QObject):
    """One search at a time; when it ends, the image that was asked for is shown."""

    jobChanged = Signal(object)
    failed = Signal(object)
    said = Signal(str)

    def __init__(
        self, project: Project, navigation: Navigation, main: MainThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._navigation = navigation
        self._main = main
        self._job: Job[Progress, RelinkReport] | None = None

    def start(self, folder: Path) -> None:
        """Look for every missing image below a folder."""
        if self._job is not None:
            return
        self._job = Job(
            "relink",
            relink(self._project, folder),
            self._main,
            on_value=self._progress,
            on_done=self._done,
            on_failed=self._failed,
            on_cancelled=self._end,
        )
        self._job.start()
        self._progress(Progress(0, 0, ""))

    def cancel(self) -> None:
        """Stop looking; nothing is written then."""
        if self._job is not None:
            self._job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.wait(timeout_s)

    def _progress(self, progress: Progress) -> None:
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState("relink", True, self.tr("Looking for images"), fraction))

    def _done(self, report: RelinkReport) -> None:
        self._end()
        if not report.found and report.missing:
            sentence = self.tr("None of the {0} missing images is in {1}.").format(len(report.missing), report.folder)
            if report.different:
                sentence += " " + self.tr("Files of the same names hold another content.")
            self.failed.emit({"job": "relink", "sentence": sentence, "details": "\n".join(report.missing)})
            return
        self.said.emit(self.tr("{0} images found, {1} still missing.").format(len(report.found), len(report.missing)))
        self._navigation.located()

    def _failed(self, error: BaseException) -> None:
        self._end()
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "relink", "sentence": error.line, "details": ""})

    def _end(self) -> None:
        self._job = None
        self.jobChanged.emit(JobState("relink", False))

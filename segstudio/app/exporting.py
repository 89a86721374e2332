"""The owner of exports: one at a time on a thread, over the committed labels."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.errors import UserError
from segstudio.store.project import Project
from segstudio.tasks.export import ExportReport, export
from segstudio.tasks.progress import Progress

__all__ = ["Exports"]


class Exports(QObject):
    """`exportFinished` means: every file in place and read back."""

    exportFinished = Signal(object)
    failed = Signal(object)
    jobChanged = Signal(object)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._main = project, main
        self._jobs: list[Job[Progress, ExportReport]] = []

    @property
    def running(self) -> bool:
        """Whether an export is under way."""
        return bool(self._jobs)

    def start(self, format_: str, out: Path, content: str) -> None:
        """Begin an export of everything committed so far; several run one beside the other."""
        job: Job[Progress, ExportReport] = Job(
            "export",
            export(self._project, format_, out, content=content),
            self._main,
            on_value=self._progress,
            on_done=lambda report: self._done(job, format_, out, report),
            on_failed=lambda error: self._failed(job, error),
            on_cancelled=lambda: self._end(job),
        )
        self._jobs.append(job)
        job.start()

    def cancel(self) -> None:
        """Drop what is under way; nothing half-written stays."""
        for job in self._jobs:
            job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the threads."""
        for job in list(self._jobs):
            job.wait(timeout_s)

    def _progress(self, progress: Progress) -> None:
        text = self.tr("Exporting {0} of {1}").format(progress.done, progress.total)
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState("export", True, text, fraction))

    def _done(self, job: Job[Progress, ExportReport], format_: str, out: Path, report: ExportReport) -> None:
        self._end(job)
        result: dict[str, object] = {
            "format": format_,
            "out": str(out),
            "images": report.images,
            "files": [str(f) for f in report.files],
        }
        if report.changed:
            result["changed"] = list(report.changed)
        self.exportFinished.emit(result)

    def _failed(self, job: Job[Progress, ExportReport], error: BaseException) -> None:
        self._end(job)
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "export", "sentence": error.line, "details": ""})

    def _end(self, job: Job[Progress, ExportReport]) -> None:
        self._jobs.remove(job)
        self.jobChanged.emit(JobState("export", False))

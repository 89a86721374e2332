"""The owner of exports, each on a thread of its own with a progress of its own, over the committed labels."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.errors import UserError
from segstudio.formats.table import FORMATS
from segstudio.store.project import Project
from segstudio.tasks.labels.export import ExportReport, export
from segstudio.tasks.progress import Progress

__all__ = ["Exports", "FormatChoice", "export_formats"]


@dataclass(frozen=True, slots=True)
class FormatChoice:
    """A format that can be exported: its name, and its name for people."""

    name: str
    title: str


def export_formats() -> tuple[FormatChoice, ...]:
    """What the table of formats has to offer, in its order. Other packages are looked up when this is first asked."""
    return tuple(FormatChoice(form.name, form.title) for form in FORMATS.rows if form.exports)


class Exports(QObject):
    """`exportFinished` means: every file in place and read back. `jobChanged` tells exports apart by their `part`."""

    exportFinished = Signal(object)
    failed = Signal(object)
    jobChanged = Signal(object)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._main = project, main
        self._jobs: dict[int, Job[Progress, ExportReport]] = {}
        self._newest = 0

    @property
    def running(self) -> bool:
        """Whether an export is under way."""
        return bool(self._jobs)

    def start(self, format_: str, out: Path, content: str) -> None:
        """Begin an export of everything committed so far; several run side by side."""
        self._newest += 1
        part = self._newest
        self._jobs[part] = Job(
            "export",
            export(self._project, format_, out, content=content),
            self._main,
            on_value=lambda progress: self._progress(part, progress),
            on_done=lambda report: self._done(part, format_, out, report),
            on_failed=lambda error: self._failed(part, error),
            on_cancelled=lambda: self._end(part),
        )
        self._jobs[part].start()

    def cancel(self, part: int | None = None) -> None:
        """Drop one export, or all; nothing half-written stays."""
        for number, job in self._jobs.items():
            if part is None or number == part:
                job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the threads."""
        for job in list(self._jobs.values()):
            job.wait(timeout_s)

    def _progress(self, part: int, progress: Progress) -> None:
        text = self.tr("Exporting {0} of {1}").format(progress.done, progress.total)
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState("export", True, text, fraction, part=part))

    def _done(self, part: int, format_: str, out: Path, report: ExportReport) -> None:
        self._end(part)
        result: dict[str, object] = {
            "format": format_,
            "out": str(out),
            "images": report.images,
            "files": [str(f) for f in report.files],
            "left_out": [{"path": image.path, "reason": image.why} for image in report.left_out],
            "planes_left_out": report.planes_left_out,
            "cleared": [str(f) for f in report.cleared],
            "stale": [str(f) for f in report.stale],
        }
        if report.changed:
            result["changed"] = list(report.changed)
        self.exportFinished.emit(result)

    def _failed(self, part: int, error: BaseException) -> None:
        self._end(part)
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "export", "sentence": error.line, "details": ""})

    def _end(self, part: int) -> None:
        del self._jobs[part]
        self.jobChanged.emit(JobState("export", False, part=part))

"""The owner of exports, each a separate job over the committed labels."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.formats.table import FORMATS
from segstudio.tasks.labels.export import ExportReport, export
from segstudio.text import _

__all__ = ["ExportReport", "Exports", "export_result"]


class Exports(QObject):
    """`finished` carries an `ExportReport`: every file is in place and was read back."""

    finished = Signal(object)

    def __init__(self, ground: Ground, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ground, self._documents = ground, documents

    @property
    def formats(self) -> tuple[tuple[str, str], ...]:
        """Name of every format that can be written, and its title for people.

        Other packages are looked up when this is first asked.
        """
        return tuple((form.name, form.title) for form in FORMATS.rows if form.exports)

    def ask(self, format_: str, out: Path, content: str) -> None:
        """Export in the background, a stroke under way included; ends in `finished` or a notice."""
        self._documents.commit_gesture()
        self._documents.after(lambda: self.start(format_, out, content))

    def start(self, format_: str, out: Path, content: str) -> None:
        """Begin an export of everything committed so far; several run side by side."""
        self._ground.jobs.follow(
            JobKind.EXPORT,
            _("Exporting"),
            export(self._ground.project, format_, out, content=content),
            self._ground.main,
            words=lambda progress: _("Exporting {done} of {total}", done=progress.done, total=progress.total),
            on_done=self.finished.emit,
        )


def export_result(report: ExportReport) -> dict[str, object]:
    """The report as `exportFinished` carries it."""
    result: dict[str, object] = {
        "format": report.format,
        "out": str(report.out),
        "images": report.images,
        "files": [str(file) for file in report.files],
        "left_out": [{"path": image.path, "reason": image.why} for image in report.left_out],
        "planes_left_out": report.planes_left_out,
        "cleared": [str(file) for file in report.cleared],
        "stale": [str(file) for file in report.stale],
    }
    return result | ({"changed": list(report.changed)} if report.changed else {})

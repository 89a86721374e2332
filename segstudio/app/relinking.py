"""The owner of the search for moved images: a job over a folder that a person points at."""

from pathlib import Path

from PySide6.QtCore import QObject

from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.tasks.images.relink import RelinkReport, relink
from segstudio.text import _, count

__all__ = ["Relinking"]


class Relinking(QObject):
    """One search at a time; when it ends, the image that was asked for is shown."""

    def __init__(self, ground: Ground, navigation: Navigation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ground, self._navigation = ground, navigation

    def start(self, folder: Path) -> None:
        """Look for every missing image below a folder."""
        ground = self._ground
        if not ground.jobs.of(JobKind.RELINK):
            steps = relink(ground.project, folder)
            text = _("Looking for images")
            ground.jobs.follow(JobKind.RELINK, text, steps, ground.main, on_done=self._done)

    def _done(self, report: RelinkReport) -> None:
        if not report.found and report.missing:
            sentence = _("None of the {n} missing images is in {folder}.", n=len(report.missing), folder=report.folder)
            if report.different:
                sentence = " ".join((sentence, _("It has files of the same names with other content.")))
            self._ground.notices.fail(JobKind.RELINK, sentence, "\n".join(report.missing))
            return
        sentence = count(
            len(report.found),
            "1 image found, {missing} still missing.",
            "{n} images found, {missing} still missing.",
            missing=f"{len(report.missing):,}",
        )
        self._ground.notices.say(sentence)
        self._navigation.located()

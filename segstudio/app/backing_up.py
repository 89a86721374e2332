"""The owner of backups: one at a time on a thread, beside the writer."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.store.backup import Backup
from segstudio.tasks.keeping.backup import backup
from segstudio.text import _

__all__ = ["Backup", "Backups"]


class Backups(QObject):
    """Painting can continue. `backedUp` carries a `Backup`: in its place, and checked."""

    backedUp = Signal(object)

    def __init__(self, ground: Ground, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ground, self._documents = ground, documents

    def ask(self, place: Path | None) -> None:
        """Back up to a path or into a folder, a stroke under way included; ends in `backedUp` or a notice."""
        self._documents.commit_gesture()
        self._documents.after(lambda: self._ground.notices.attempt(lambda: self.start(place), JobKind.BACKUP))

    def start(self, place: Path | None) -> None:
        """Begin; raises `UserError` while one is under way."""
        jobs = self._ground.jobs
        if jobs.of(JobKind.BACKUP):
            raise UserError(_("A backup is being made already."))
        jobs.follow(
            JobKind.BACKUP,
            _("Backing up"),
            backup(self._ground.project, place),
            self._ground.main,
            words=lambda progress: _("Backing up: {doing}", doing=progress.doing),
            on_done=self.backedUp.emit,
        )

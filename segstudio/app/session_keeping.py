"""The Session's snapshots and backups: names for states of the project, ways back to them, and copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.app.session_base import SessionBase
from segstudio.app.values import SnapshotItem
from segstudio.errors import UserError

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject

__all__ = ["SessionKeeping"]


class SessionKeeping(SessionBase):
    """Forwards to the owners of snapshots and backups."""

    @property
    def snapshots(self) -> Sequence[SnapshotItem]:
        """The project's snapshots, newest first."""
        return self._opened.snapshots.items if self._opened else ()

    def keep_snapshot(self, name: str = "") -> None:
        """Give the labels as they stand a name, without one the date and time; `snapshotsChanged` follows."""
        if self._may_write() and self._opened is not None:
            self._opened.snapshots.keep(name)

    def rename_snapshot(self, id: int, name: str) -> None:
        """Give a snapshot another name; `snapshotsChanged` follows, after `failed` where the name is taken."""
        if self._may_write() and self._opened is not None:
            self._opened.snapshots.rename(id, name)

    def delete_snapshot(self, id: int) -> None:
        """Take a snapshot's name away; no label changes. `snapshotsChanged` follows."""
        if self._may_write() and self._opened is not None:
            self._opened.snapshots.delete(id)

    def restore_snapshot(self, id: int, this_image: bool = False) -> None:
        """Make the project, or the image on screen, again what it was; ends in `snapshotRestored` or `failed`."""
        refusal = self._no_restore(this_image=this_image)
        if refusal or self._opened is None:
            self._fail("restore", refusal)
            return
        image = self._opened.navigation.shown if this_image else None
        self._start("restore", lambda opened: opened.snapshots.restore(id, image))

    def undo_restore(self) -> None:
        """Take the last restore back, whatever image is on screen; ends in `snapshotRestored` or `failed`."""
        refusal = self._no_restore(this_image=False)
        if refusal:
            self._fail("restore", refusal)
            return
        self._start("restore", lambda opened: opened.snapshots.undo_restore())

    @property
    def can_undo_restore(self) -> bool:
        """Whether there is a restore to take back."""
        return self._opened is not None and self._opened.snapshots.can_undo_restore

    def _no_restore(self, *, this_image: bool) -> str:
        """Why nothing can be restored; '' where it can."""
        if self._opened is None:
            return self.tr("No project is open.")
        if self._opened.project.writer is None:
            return self._opened.project.why_read_only
        if this_image and self._opened.navigation.shown is None:
            loading = self._opened.navigation.loading
            return self.tr("The image is still loading.") if loading else self.tr("No image is shown.")
        return ""

    def backup(self, place: Path | str | None = None) -> None:
        """Copy the project, to a path or into a folder, in the background; ends in `backupFinished` or `failed`."""
        if self._opened is None:
            self.said.emit(self.tr("No project is open."))
            return
        path = None if place is None else Path(place)
        self._opened.documents.commit_gesture()
        self._opened.documents.after(lambda: self._start("backup", lambda opened: opened.backups.start(path)))

    def _start(self, job: str, begin: Callable[[OpenedProject], None]) -> None:
        try:
            if self._opened is not None:
                begin(self._opened)
        except UserError as error:
            self._fail(job, error.line)

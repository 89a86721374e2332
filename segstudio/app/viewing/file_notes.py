"""What a file says of itself that a person should know before measuring on it: slices that are missing, for one."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from segstudio.app.values import JobKind
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.ground import Ground
    from segstudio.app.viewing.navigation import Navigation
    from segstudio.labels.model import ImageId

__all__ = ["FileNotes"]


class FileNotes(QObject):
    """Tells the notes of an image's files when it is first shown."""

    def __init__(self, ground: "Ground", navigation: "Navigation", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices, self._navigation = ground.notices, navigation
        self._told: set[ImageId] = set()
        navigation.imageShown.connect(self._shown)

    def _shown(self) -> None:
        from segstudio.imaging.metadata import known

        shown = self._navigation.shown
        if shown is None or shown in self._told:
            return
        self._told.add(shown)
        row = self._navigation.rows[self._navigation.index]
        if row.id != shown or not row.metadata:
            return
        notes = " ".join(_(note) for note in known(row.metadata).notes)
        if notes:
            self._notices.announce(JobKind.CONTENT, _("{path}: {notes}", path=row.path, notes=notes))

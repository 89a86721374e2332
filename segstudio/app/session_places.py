"""The Session's image files: missing ones are looked for, changed ones are used or kept flagged."""

from __future__ import annotations

from pathlib import Path

from segstudio.app.session_base import SessionBase
from segstudio.app.values import ImageTrouble

__all__ = ["SessionPlaces"]


class SessionPlaces(SessionBase):
    """Forwards to the owners of where images are and what they hold."""

    @property
    def image_trouble(self) -> ImageTrouble:
        """What is the matter with the image asked for: its file is missing, or holds another content."""
        return self._opened.navigation.trouble if self._opened else ImageTrouble()

    def relink(self, folder: Path | str) -> None:
        """Look for every missing image below a folder, in the background; the image asked for is shown once found."""
        if self._may_write() and self._opened is not None:
            self._opened.relinking.start(Path(folder))

    def use_new_content(self) -> None:
        """Let the labels of the image on screen belong to the content that its file has now."""
        if self._may_write() and self._opened is not None:
            self._opened.navigation.use_new_content()

    def keep_content(self) -> None:
        """Leave the image on screen flagged, and do not ask again about this content."""
        if self._opened is not None:
            self._opened.navigation.keep_content()

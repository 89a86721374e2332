"""The Session's project as it grows and shrinks: images are added and taken out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from segstudio.app.session_base import SessionBase

__all__ = ["SessionGrowing"]


class SessionGrowing(SessionBase):
    """Forwards to the owner of what is added and taken out."""

    def add_images(self, paths: Iterable[Path | str]) -> None:
        """Add files, folders and globs to the project, in the background; ends in `imagesAdded` or `failed`.

        The image on screen stays. What is there already is passed over; an image that was taken out comes back.
        """
        if self._may_write() and self._opened is not None:
            self._opened.growing.add([os.fspath(path) for path in paths])

    def remove_images(self, paths: Iterable[Path | str]) -> None:
        """Take images out of the project, by paths as `info` has them or globs; files and labels stay.

        One edit, which undo takes back from any image. Where the image on screen is taken out, the next one is shown.
        """
        if self._may_write() and self._opened is not None:
            self._opened.growing.remove([os.fspath(path) for path in paths])

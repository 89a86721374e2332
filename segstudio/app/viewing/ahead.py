"""Loads ahead the images that are likely to be shown next, so that stepping through the list waits for no decoder."""

import logging
from collections.abc import Iterable

from segstudio.app.jobs import MainThread, Worker
from segstudio.app.viewing.displaying import Displaying
from segstudio.errors import UserError
from segstudio.store.file_check import Content, look_at
from segstudio.store.values import ImageRow

__all__ = ["Ahead"]


class Ahead:
    """Decodes on a thread of its own into what `Displaying` keeps; the newest wish replaces those before it."""

    def __init__(self, displaying: Displaying, main: MainThread) -> None:
        self._displaying = displaying
        self._worker = Worker("ahead", main)
        self._wish = 0

    def want(self, images: Iterable[tuple[ImageRow, int]]) -> None:
        """Load these planes, the likeliest first; large images, and files that cannot be read, are left out."""
        self._wish += 1
        wish = self._wish
        for row, plane in images:
            self._worker.submit(lambda row=row, plane=plane: self._load(wish, row, plane))

    def close(self, wait_s: float | None = None) -> None:
        """Drop what has not begun and end the thread."""
        self._wish += 1
        self._worker.close(wait_s)

    def _load(self, wish: int, row: ImageRow, plane: int) -> None:
        if wish != self._wish or not self._displaying.has_room(row, plane):
            return
        try:
            look = look_at(row)
            if look.content is not Content.MISSING:
                self._displaying.load(row, plane, look)
        except UserError as error:
            # Whoever opens the image is told; until then nobody asked for it.
            logging.getLogger(__name__).info("%s was not loaded ahead: %s", row.path, error)

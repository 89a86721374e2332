"""Loads ahead the images that are likely to be shown next, so that stepping through the list waits for no decoder."""

import logging
from collections.abc import Iterable

from segstudio.app.jobs import MainThread, Worker
from segstudio.app.viewing.displaying import Displaying
from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.store.file_check import Content, Look, look_at
from segstudio.store.values import ImageRow

__all__ = ["Ahead"]


class Ahead:
    """Decodes on a thread of its own into what `Displaying` keeps; the newest wish replaces those before it."""

    def __init__(self, displaying: Displaying, main: MainThread) -> None:
        self._displaying = displaying
        self._worker = Worker("ahead", main)
        self._wish = 0

    def want(self, images: Iterable[tuple[ImageRow, int]], opened: ImageId, found: Look) -> None:
        """Load these planes, the likeliest first; large images, and files that cannot be read, are left out.

        `found` is what was found of the image `opened` on screen: its files are not looked at again for each plane.
        """
        self._wish += 1
        wish, stamp = self._wish, found.stamp
        for row, plane in images:
            known = found if row.id == opened else None
            if known is not None and self._displaying.kept(row.id, plane, stamp) is not None:
                continue
            self._worker.submit(lambda row=row, plane=plane, known=known: self._load(wish, row, plane, known))

    def close(self, wait_s: float | None = None) -> None:
        """Drop what has not begun and end the thread."""
        self._wish += 1
        self._worker.close(wait_s)

    def _load(self, wish: int, row: ImageRow, plane: int, known: Look | None) -> None:
        if wish != self._wish or not self._displaying.has_room(row, plane):
            return
        try:
            look = known or look_at(row)
            if look.content is not Content.MISSING:
                self._displaying.load(row, plane, look)
        except UserError as error:
            # Whoever opens the image is told; until then nobody asked for it.
            logging.getLogger(__name__).info("%s was not loaded ahead: %s", row.path, error)

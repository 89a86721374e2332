"""Memory that nothing uses goes back to the system while the hand rests.

The C library keeps what was freed for the next time: after a large image was decoded, some 400 MB of it.
"""

import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.viewing.navigation import Navigation
from segstudio.imaging.paged import drop_pages

__all__ = ["SpareMemory", "give_back"]

_REST_MS = 2000
"""How long nothing is painted, shown or saved before memory goes back."""

_LONGEST_S = 3.0
"""Who paints without such a rest has it given back between two strokes."""


def give_back() -> None:
    """Give back freed memory (with glibc alone), and the pages of images. Takes 2 to 16 ms; for a worker thread."""
    drop_pages()
    if sys.platform.startswith("linux"):
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


class SpareMemory(QObject):
    """Gives back once after each time that somebody paints, shows an image or saves: when that is `rest_ms` ago, or
    has gone on for `_LONGEST_S`, no gesture is under way, and everything is saved."""

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        navigation: Navigation,
        parent: QObject | None = None,
        give: Callable[[], None] = give_back,
        rest_ms: int = _REST_MS,
    ) -> None:
        super().__init__(parent)
        self._documents, self._navigation, self._give = documents, navigation, give
        self._worker = Worker("memory", ground.main)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(rest_ms)
        self._rest.timeout.connect(self._rested)
        self._since: float | None = None
        self._closed = False
        documents.changed.connect(lambda _change: self._worked())
        documents.saving.editCommitted.connect(lambda _seq: self._saved())
        navigation.imageShown.connect(self._worked)

    def _worked(self) -> None:
        if self._closed:
            return  # the last edits are told of while the project closes
        if self._since is None:
            self._since = time.monotonic()
        self._rest.start()

    def _saved(self) -> None:
        self._worked()
        if self._since is not None and time.monotonic() - self._since > _LONGEST_S and self._is_between:
            self._give_back()

    @property
    def _is_between(self) -> bool:
        documents = self._documents
        return not documents.gesture_active and not self._navigation.loading and documents.save_state().saved

    def _rested(self) -> None:
        if self._is_between:
            self._give_back()
        else:
            self._rest.start()  # a moment without events is not a rest

    def _give_back(self) -> None:
        self._rest.stop()
        self._since = None
        self._worker.submit(self._give)

    def close(self, wait_s: float | None = None) -> None:
        """End the thread; what happens afterwards is nothing to it."""
        self._closed = True
        self._since = None
        self._rest.stop()
        self._worker.close(wait_s)

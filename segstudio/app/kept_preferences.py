"""The owner of a person's preferences: whoever changes one tells it, and it is in the file a moment later."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import MainThread, Worker
from segstudio.app.notices import Notices
from segstudio.app.preferences import (
    Preferences,
    checked_preferences,
    keep_preferences,
    load_preferences,
    save_preferences,
    unsaved_words,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["KeptPreferences"]


class KeptPreferences(QObject):
    """`current`; `changed` says that they are others. With `remembers` False nothing is written."""

    changed = Signal()

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._main = MainThread(self)
        self._worker: Worker | None = None
        self._writing = self._changed_since = False
        self.remembers = True
        self.current = load_preferences()

    def prefer(self, **changes: Any) -> None:
        """Change some, and write all on a worker; where the disk refuses, a message says so.

        Raises `ValueError` for a value that cannot be.
        """
        self.become(replace(self.current, **changes))

    def become(self, preferences: Preferences) -> None:
        """The same for all of them."""
        wanted = checked_preferences(preferences)
        if wanted != self.current:
            self.current = wanted
            self.changed.emit()
            self._write()

    def close(self) -> None:
        """Write them once more, for some are only known at the end, and end the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        self._main.close()
        if self.remembers:
            keep_preferences(self.current, self._notices)

    def _write(self) -> None:
        """One write at a time, of what is preferred by then: a slider says a hundred values a second."""
        if not self.remembers:
            return
        self._changed_since = self._writing
        if not self._writing:
            self._writing = True
            if self._worker is None:
                self._worker = Worker("preferences", self._main)
            preferences = self.current
            self._worker.submit(lambda: save_preferences(preferences), self._written)

    def _written(self, future: "Future[None]") -> None:
        self._writing = False
        error = future.exception()
        if isinstance(error, OSError):
            self._notices.say(unsaved_words(error))
        elif error is not None:
            raise error
        if self._changed_since:  # not what was refused: that waits for the next change, or for the end
            self._write()

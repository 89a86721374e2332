"""What the writer does while nothing waits: it computes digests that are not known, and folds the log in."""

import sqlite3
import time
from collections.abc import Callable

from segstudio.store.database.disk_errors import refusal
from segstudio.store.writing.label_digests import fill_digests
from segstudio.store.writing.listeners import report
from segstudio.store.writing.write_connection import WriteConnection

__all__ = ["Pauses"]

_CLOSING_S = 0.5
"""How long the computing of unknown digests may delay the end."""


class Pauses:
    """On the writer's thread alone. What the disk refuses here can be had again: it is not reported."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection
        self._digests_owed = True

    @property
    def owed(self) -> bool:
        """Whether there is something to do."""
        return self._connection.unfolded or self._digests_owed

    def use(self, stop: Callable[[], bool]) -> None:
        """Do it, until `stop` says that something waits; digests left over are computed on request."""
        self._fill_digests(stop)
        if self._connection.unfolded:
            self._fold("PASSIVE")

    def fold_if_long(self) -> None:
        """Fold the log in before it grows further."""
        if self._connection.log_is_long:
            self._fold("PASSIVE")

    def end(self) -> None:
        """Leave nothing in the log: nothing more will be written."""
        end = time.monotonic() + _CLOSING_S
        self._fill_digests(lambda: time.monotonic() > end)
        self._fold("TRUNCATE")

    def _fill_digests(self, stop: Callable[[], bool]) -> None:
        self._digests_owed = False
        try:
            fill_digests(self._connection, stop)
        except Exception as error:  # noqa: BLE001 - a derived value must not stop the saving
            if refusal(error) is None:
                report()

    def _fold(self, mode: str) -> None:
        """What the disk refuses here stays in the log, where it is already durable."""
        try:
            self._connection.fold(mode)
        except sqlite3.Error as error:
            if refusal(error) is None:
                report()

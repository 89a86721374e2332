"""The one connection that writes project.db: a transaction at a time, in the file that was opened, and its log."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from segstudio.store.database.connect import Access, connect
from segstudio.store.database.disk_errors import FolderGoneError
from segstudio.store.filesystems import JournalMode

__all__ = ["WriteConnection"]

T = TypeVar("T")

_LONG_LOG_BYTES = 16 << 20


class WriteConnection:
    """Made by any thread, then used by one. `unfolded`: the log holds what the database does not yet."""

    def __init__(self, path: Path, connection_type: type[sqlite3.Connection]) -> None:
        self.unfolded = False
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self.db = connect(path, Access.WRITE, connection_type)
        # On a network drive there is a rollback journal and no log.
        self._has_log = self.db.execute("PRAGMA journal_mode").fetchone()[0] == JournalMode.LOG
        self._file = _identity(path)
        self._log_file: tuple[int, int] | None = None

    def transact(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction, durable when this returns; all or nothing of it.

        Raises what the job raises, `sqlite3.Error`, `FolderGoneError` where another file, or none, stands in its place.
        """
        if _identity(self._path) != self._file or (
            self._log_file is not None and _identity(self._log) != self._log_file
        ):
            raise FolderGoneError
        db = self.db
        _roll_back(db)
        try:
            db.execute("BEGIN IMMEDIATE")
            result = job(db)
            db.execute("COMMIT")
        finally:
            _roll_back(db)
        self.unfolded = True
        if self._has_log and self._log_file is None:
            self._log_file = _identity(self._log)
        return result

    def fold(self, mode: str) -> None:
        """Move the log into the database. Raises `sqlite3.Error`; then all is in the log, where it is durable too."""
        self.unfolded = False
        self.db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()

    @property
    def log_is_long(self) -> bool:
        """Whether the log should be folded in without waiting for a pause."""
        try:
            return self._log.stat().st_size > _LONG_LOG_BYTES
        except OSError:
            return False

    def close(self) -> None:
        """Close it."""
        self.db.close()


def _identity(path: Path) -> tuple[int, int]:
    """Which file stands under a path. Raises `FolderGoneError` where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise FolderGoneError from error
    return found.st_dev, found.st_ino


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")

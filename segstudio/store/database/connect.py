"""One way to open project.db: every pragma of every connection is set here.

WAL with synchronous=FULL makes one sync a commit (NORMAL makes none, so it could not be called saved). On a network
drive, where a write-ahead log does not work, a rollback journal takes its place: which it is, is settled again whenever
a project is opened for writing, so one that was moved changes its mode. Nobody but the
writer checkpoints: before 3.51.3 SQLite has a race where two connections do. The file is never opened by anything but
SQLite, since closing any other handle of a process drops the locks that SQLite holds in it.
"""

import sqlite3
from enum import Enum
from pathlib import Path

from segstudio.store import filesystems
from segstudio.store.filesystems import JournalMode

__all__ = ["PRAGMAS", "Access", "connect"]


class Access(Enum):
    """What a connection may do."""

    CREATE = "rwc"
    WRITE = "rw"
    READ = "ro"
    IMMUTABLE = "ro&immutable=1"
    """The file is in a read-only folder: no lock, no log."""


PRAGMAS: dict[str, int] = {
    "synchronous": 2,
    "fullfsync": 1,
    "checkpoint_fullfsync": 1,
    "mmap_size": 0,
    "wal_autocheckpoint": 0,
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "temp_store": 2,
    "cache_size": -8192,
    "trusted_schema": 0,
    "cell_size_check": 1,
}
"""What every connection has, beside `journal_mode` and, for a reader, `query_only`."""
_NETWORK_BUSY_MS = 30000
_SWITCH_MS = 500


def connect(
    path: Path, access: Access, connection_type: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open a database without implicit transactions; the caller closes it. Raises `sqlite3.Error`.

    One thread at a time may use the connection, any thread in turn. `connection_type` lets a test bring a disk that
    refuses.
    """
    writes = access in (Access.CREATE, Access.WRITE)
    mode = filesystems.journal_mode(filesystems.file_system(path.parent)) if writes else None
    if mode is JournalMode.ROLLBACK and path.exists():
        _leave_log(path)
    uri = f"{path.absolute().as_uri()}?mode={access.value}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=connection_type)
    try:
        for name, value in PRAGMAS.items():
            db.execute(f"PRAGMA {name} = {value}")
        if mode is None:
            db.execute("PRAGMA query_only = 1")
        elif mode is JournalMode.LOG:
            _change_mode(db, mode)
            db.execute(f"PRAGMA busy_timeout = {PRAGMAS['busy_timeout']}")
        elif db.execute("PRAGMA journal_mode").fetchone()[0] == mode:
            db.execute(f"PRAGMA busy_timeout = {_NETWORK_BUSY_MS}")
            # A transaction that spills into the file would lock readers out before its commit.
            db.execute("PRAGMA cache_spill = 0")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _change_mode(db: sqlite3.Connection, wanted: JournalMode) -> None:
    """Change the journal mode if nobody else reads; otherwise it stays until the next opening."""
    db.execute(f"PRAGMA busy_timeout = {_SWITCH_MS}")
    try:
        if db.execute("PRAGMA journal_mode").fetchone()[0] != wanted.value:
            db.execute(f"PRAGMA journal_mode = {wanted.value}")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise


def _leave_log(path: Path) -> None:
    """Fold in the log of a database that came from a local disk, by a connection of its own.

    Alone, it needs no shared memory, which a network drive has not; but it could not share the database any more.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        _change_mode(db, JournalMode.ROLLBACK)
    finally:
        db.close()

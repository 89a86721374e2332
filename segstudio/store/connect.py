"""One way to open project.db: every pragma of every connection is set here.

WAL with synchronous=FULL makes one sync a commit (NORMAL makes none, so it could not be called saved). Nobody but the
writer checkpoints: before 3.51.3 SQLite has a race where two connections do. The file is never opened by anything but
SQLite, since closing any other handle of a process drops the locks that SQLite holds in it.
"""

import sqlite3
from enum import Enum
from pathlib import Path

__all__ = ["PRAGMAS", "Access", "connect"]


class Access(Enum):
    """What a connection may do."""

    CREATE = "rwc"
    WRITE = "rw"
    READ = "ro"
    IMMUTABLE = "ro&immutable=1"
    """The file stands in a folder that nobody can write: no lock, no log."""


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
"""What every connection has, beside `journal_mode` wal and, for a reader, `query_only`."""


def connect(
    path: Path, access: Access, connection_type: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open a database without implicit transactions; the caller closes it. Raises `sqlite3.Error`.

    One thread at a time may use the connection, any thread in turn. `connection_type` lets a test bring a disk that
    refuses.
    """
    uri = f"{path.absolute().as_uri()}?mode={access.value}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=connection_type)
    try:
        for name, value in PRAGMAS.items():
            db.execute(f"PRAGMA {name} = {value}")
        if access in (Access.READ, Access.IMMUTABLE):
            db.execute("PRAGMA query_only = 1")
        else:
            db.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error:
        db.close()
        raise
    return db

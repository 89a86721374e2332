"""The part of `sqlite3.Connection` that the store uses, over apsw: so the real writer runs on a simulated disk.

The simulated disk has no shared memory, so the log's index is kept in the connection (`locking_mode` EXCLUSIVE).
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw

from tests.store.simulated_disk import SimulatedVFS

__all__ = ["connection_on"]

_KINDS: dict[int, type[sqlite3.Error]] = {
    apsw.SQLITE_CONSTRAINT: sqlite3.IntegrityError,
    apsw.SQLITE_MISMATCH: sqlite3.IntegrityError,
    apsw.SQLITE_CORRUPT: sqlite3.DatabaseError,
    apsw.SQLITE_NOTADB: sqlite3.DatabaseError,
}


class _Rows:
    """The rows of a statement that has ended."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows


class ApswConnection:
    """What `sqlite3.connect(uri, factory=...)` makes of a connection type that stands for one VFS."""

    vfs: SimulatedVFS

    def __init__(self, database: str, **_: object) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI  # the URI's mode decides
        try:
            self._db = apsw.Connection(database, flags=flags, vfs=type(self).vfs.name)
        except apsw.Error as error:
            raise _translated(error) from error
        self.execute("PRAGMA locking_mode = EXCLUSIVE")

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, bound: Sequence[Any] = ()) -> _Rows:
        try:
            return _Rows(list(self._db.execute(sql, tuple(bound))))
        except apsw.Error as error:
            raise _translated(error) from error

    def executemany(self, sql: str, bound: Iterable[Sequence[Any]]) -> None:
        for values in bound:
            self.execute(sql, values)

    def close(self) -> None:
        # What the disk refuses while the log is folded in is still in the log: sqlite3 does not tell of it either.
        with contextlib.suppress(apsw.Error):
            self._db.close()


def _translated(error: apsw.Error) -> sqlite3.Error:
    code = int(getattr(error, "extendedresult", 0) or getattr(error, "result", 0) or apsw.SQLITE_ERROR)
    found = _KINDS.get(code & 0xFF, sqlite3.OperationalError)(str(error))
    found.sqlite_errorcode = code  # type: ignore[misc]
    return found


def connection_on(vfs: SimulatedVFS) -> type[sqlite3.Connection]:
    """The `connection_type` of a writer on this VFS."""
    return type("OnSimulatedDisk", (ApswConnection,), {"vfs": vfs})  # type: ignore[return-value]

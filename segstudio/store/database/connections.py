"""Connections for reading, shared by threads: each is used by one at a time, for one short transaction.

An open reader keeps the log growing, so nothing here outlives its `with` block.
"""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from segstudio.errors import NotAProject, ProjectDamaged, ReadOnly
from segstudio.store.database.connect import Access, connect
from segstudio.text import _

__all__ = ["Readers", "translated"]


@contextmanager
def translated(name: str) -> Generator[None]:
    """Turn SQLite's error about an unusable file into a sentence."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quotes what it found in a schema, and that is not text
        raise _damaged(name) from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            raise NotAProject(
                _("'{name}' is not a SegStudio project: its project.db is not a database.", name=name),
                todo=_("If it was one, 'segstudio repair' looks for what is left of it."),
            ) from error
        if code == sqlite3.SQLITE_CORRUPT:
            raise _damaged(name) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ReadOnly(
                _("Another program is writing to the project '{name}'.", name=name),
                todo=_("Try again in a moment."),
            ) from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY):
            full = _("Check whether the disk is full.") if code == sqlite3.SQLITE_IOERR else ""
            raise ReadOnly(
                _("The project '{name}' cannot be opened: {error}.", name=name, error=error), todo=full
            ) from error
        raise


def _damaged(name: str) -> ProjectDamaged:
    return ProjectDamaged(
        _("The database of the project '{name}' is damaged.", name=name),
        todo=_("'segstudio repair {name}' saves what can be read in a new project.", name=name),
    )


class Readers:
    """A pool of read-only connections to one database; a read-only folder is read in the ways SQLite offers.

    A log or a rollback journal beside a database in such a folder cannot be used in place: both are copied to a
    temporary folder, once.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._free: list[sqlite3.Connection] = []
        self._closed = False
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._path = self._original = path
        self._name = path.parent.name
        self._access = Access.READ
        with translated(self._name):
            self._choose()

    def _choose(self) -> None:
        try:
            self._probe()
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if busy or not self._path.exists():
                raise
        beside = [self._path.with_name(self._path.name + ending) for ending in ("-wal", "-journal")]
        unfinished = [file for file in beside if file.exists() and file.stat().st_size]
        if unfinished:
            self._copy = tempfile.TemporaryDirectory(prefix="segstudio-")
            for source in (self._path, *unfinished):
                shutil.copyfile(source, Path(self._copy.name) / source.name)
            self._path = Path(self._copy.name) / self._path.name
            # Opened for writing once: that rolls back an interrupted transaction, which a reader may not do.
            connect(self._path, Access.WRITE).close()
        else:
            self._access = Access.IMMUTABLE
        self._probe()

    def release(self) -> None:
        """Close every connection that is not in use: the journal's mode only changes where nobody else looks."""
        with self._lock:
            for db in self._free:
                db.close()
            self._free.clear()

    def renew(self) -> None:
        """Choose the way of reading again: the writer may have repaired a file that could not be opened in place."""
        self.release()
        with self._lock:
            copy, self._copy = self._copy, None
            self._path, self._access = self._original, Access.READ
        if copy is not None:
            copy.cleanup()
        with translated(self._name):
            self._choose()

    def _probe(self) -> None:
        db = connect(self._path, self._access)
        try:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        self._free.append(db)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """A connection in one read transaction: everything read in it is of one moment. Keep it short.

        Raises `ProjectDamaged` or `ReadOnly` where the file cannot be read.
        """
        with self.statements() as db:
            db.execute("BEGIN")
            yield db

    @contextmanager
    def statements(self) -> Generator[sqlite3.Connection]:
        """A connection with a transaction for each statement, so that a long look delays nobody. Raises the same.

        Fetch all of a statement's rows at once: until then it is not at its end.
        """
        with translated(self._name):
            db = self._take()
            try:
                yield db
            finally:
                self._give(db)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise ReadOnly(_("The project is closed."))
            if self._free:
                return self._free.pop()
            db = connect(self._path, self._access)
            return db

    def _give(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            db.execute("ROLLBACK")
        with self._lock:
            if self._closed:
                db.close()
            else:
                self._free.append(db)

    def close(self) -> None:
        """Close every connection that is not in use; those in use close when they are given back."""
        with self._lock:
            self._closed = True
        self.release()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

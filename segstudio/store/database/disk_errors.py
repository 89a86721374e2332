"""What a database's error means for a person: the disk refused, and why. A bug is none of these."""

import errno
import sqlite3

from segstudio.text import N_, _

__all__ = ["UNREADABLE", "FolderGoneError", "refusal"]

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged database raises: SQLite may quote the damage, in bytes that are not text."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: N_("The disk that holds the project is full."),
    sqlite3.SQLITE_IOERR: N_("The disk that holds the project reports an error."),
    sqlite3.SQLITE_READONLY: N_("The project's folder can no longer be written."),
    sqlite3.SQLITE_PERM: N_("The project's folder can no longer be written."),
    sqlite3.SQLITE_CANTOPEN: N_("The project's folder can no longer be reached."),
    sqlite3.SQLITE_BUSY: N_("Another program holds the project's file."),
    sqlite3.SQLITE_LOCKED: N_("Another program holds the project's file."),
    sqlite3.SQLITE_PROTOCOL: N_("Another program holds the project's file."),
    sqlite3.SQLITE_NOMEM: N_("There is not enough memory to write to the project."),
    sqlite3.SQLITE_CORRUPT: N_("The project's file is damaged."),
    sqlite3.SQLITE_NOTADB: N_("The project's file is damaged."),
    sqlite3.SQLITE_NOLFS: N_("The disk that holds the project cannot hold such a large file."),
    sqlite3.SQLITE_TOOBIG: N_("The edit is too large for the project's file."),
}


class FolderGoneError(OSError):
    """The project's folder was moved or deleted while it was open."""


def refusal(error: BaseException) -> str | None:
    """One sentence where the disk, not the program, is why a write failed; None for a bug."""
    if isinstance(error, FolderGoneError):
        return _("The project's folder was moved or deleted while it was open.")
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return _(_SENTENCES[sqlite3.SQLITE_FULL])
        return _("The disk that holds the project did not save the change ({why}).", why=error.strerror or error)
    if isinstance(error, MemoryError):
        return _(_SENTENCES[sqlite3.SQLITE_NOMEM])
    if not isinstance(error, sqlite3.Error):
        return None
    # Python sets the code only where SQLite itself reported the error.
    sentence = _SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return None if sentence is None else _(sentence)

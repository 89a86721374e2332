"""What a database's error means for a person: the disk refused, and why. A bug is none of these."""

import errno
import sqlite3

__all__ = ["UNREADABLE", "FolderGoneError", "refusal"]

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged database raises: SQLite may quote the damage, in words that are no text."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk that holds the project is full.",
    sqlite3.SQLITE_IOERR: "The disk that holds the project reports an error.",
    sqlite3.SQLITE_READONLY: "The project's folder can no longer be written.",
    sqlite3.SQLITE_PERM: "The project's folder can no longer be written.",
    sqlite3.SQLITE_CANTOPEN: "The project's folder can no longer be reached.",
    sqlite3.SQLITE_BUSY: "Another program holds the project's file.",
    sqlite3.SQLITE_LOCKED: "Another program holds the project's file.",
    sqlite3.SQLITE_PROTOCOL: "Another program holds the project's file.",
    sqlite3.SQLITE_NOMEM: "There is not enough memory to write to the project.",
    sqlite3.SQLITE_CORRUPT: "The project's file is damaged.",
    sqlite3.SQLITE_NOTADB: "The project's file is damaged.",
    sqlite3.SQLITE_NOLFS: "The disk that holds the project cannot hold so large a file.",
    sqlite3.SQLITE_TOOBIG: "The edit is too large for the project's file.",
}


class FolderGoneError(OSError):
    """The project's folder was moved or deleted while it was open."""


def refusal(error: BaseException) -> str | None:
    """One sentence where the disk, not the program, is why a write failed; None for a bug."""
    if isinstance(error, FolderGoneError):
        return "The project's folder was moved or deleted while it was open."
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return _SENTENCES[sqlite3.SQLITE_FULL]
        return f"The disk that holds the project did not save the change ({error.strerror or error})."
    if isinstance(error, MemoryError):
        return _SENTENCES[sqlite3.SQLITE_NOMEM]
    if not isinstance(error, sqlite3.Error):
        return None
    # Python sets the code only where SQLite itself reported the error.
    return _SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)

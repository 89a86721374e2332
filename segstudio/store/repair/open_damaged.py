"""Opening a damaged database for reading: a scratch copy whose header and schema are put right, never the file itself.

What is known beforehand helps: every project has the same page size, and its tables were made in the same order, so
their first pages are where those of a new project are. A database that was vacuumed is an exception; there a lost
schema cannot be replaced, and that is noticed.
"""

import contextlib
import shutil
import sqlite3
import struct
from pathlib import Path

from segstudio.store.database.connect import PRAGMAS
from segstudio.store.database.disk_errors import UNREADABLE
from segstudio.store.database.schema import APPLICATION_ID, create_tables

__all__ = ["copy_aside", "open_damaged", "template"]

_PAGE = 4096
_MAGIC = b"SQLite format 3\0"
_INTERIOR = 0x05
_NEEDED = frozenset({"settings", "images", "files", "planes", "classes", "objects", "tiles", "edits", "deltas"})


def copy_aside(database: Path, scratch: Path) -> Path:
    """Copy a database with what was not folded into it yet. Raises `OSError`. The project's lock must be held."""
    target = scratch / "damaged.db"
    for ending in ("", "-wal", "-journal"):
        source = database.with_name(database.name + ending)
        if source.is_file():
            shutil.copyfile(source, target.with_name(target.name + ending))
    return target


def template() -> sqlite3.Connection:
    """An empty database of the current schema, in memory."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(f"PRAGMA page_size = {_PAGE}")
    db.execute("BEGIN")
    create_tables(db)
    db.execute("COMMIT")
    return db


def open_damaged(copy: Path) -> sqlite3.Connection | None:
    """A reading connection to a scratch copy, its header and schema repaired as needed; None for none."""
    with contextlib.suppress(*UNREADABLE):
        _connected(copy).close()  # undoes a transaction that was cut off, and reads the log if there is one
    for mend in (_leave, _mend_header, _mend_schema):
        try:
            mend(copy)
            db = _connected(copy)
        except (*UNREADABLE, OSError, struct.error):
            continue
        if _plausible(db):
            return db
        db.close()
    return None


def _connected(copy: Path) -> sqlite3.Connection:
    db = sqlite3.connect(copy, isolation_level=None)
    try:
        db.text_factory = _text
        db.execute(f"PRAGMA cell_size_check = {PRAGMAS['cell_size_check']}")
        db.execute("PRAGMA query_only = 1")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except UNREADABLE:
        db.close()
        raise
    return db


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _leave(_: Path) -> None:
    """As it is."""


def _plausible(db: sqlite3.Connection) -> bool:
    """Whether the tables are there and hold, as far as their first rows can be read, rows of their kind."""
    try:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except UNREADABLE:
        return False
    if not names >= _NEEDED:
        return False
    kinds = {
        "tiles": "typeof(image) = 'integer' AND length(digest) = 32",
        "images": "typeof(path) = 'text' AND typeof(position) = 'integer'",
        "edits": "typeof(cause) = 'text' AND typeof(id) = 'integer'",
        "settings": "typeof(key) = 'text'",
    }
    read, wrong = 0, 0
    for table, condition in kinds.items():
        try:
            found = db.execute(f"SELECT {condition} FROM {table} LIMIT 5").fetchall()
        except UNREADABLE:
            continue
        read += len(found)
        wrong += sum(1 for row in found if not row[0])
    return read > wrong


def _mend_header(copy: Path) -> None:
    """Write the first 100 bytes as this program's SQLite writes them; the list of free pages is forgotten."""
    size = copy.stat().st_size
    if size < _PAGE:
        raise OSError("shorter than a page")
    mode = 2 if copy.with_name(copy.name + "-wal").exists() else 1
    with open(copy, "rb+") as file:
        old = file.read(100)
        header = bytearray(old)
        header[0:16] = _MAGIC
        struct.pack_into(">HBBBBBB", header, 16, _PAGE, mode, mode, 0, 64, 32, 32)
        # Change counter, pages, no free list; format 4; no automatic vacuuming; UTF-8.
        struct.pack_into(">IIII", header, 24, 1, -(-size // _PAGE), 0, 0)
        struct.pack_into(">III", header, 44, 4, 0, 0)
        struct.pack_into(">I", header, 56, 1)
        struct.pack_into(">I", header, 64, 0)
        struct.pack_into(">I", header, 68, APPLICATION_ID)
        header[72:92] = bytes(20)
        struct.pack_into(">I", header, 92, 1)
        file.seek(0)
        file.write(header)
        file.truncate(-(-size // _PAGE) * _PAGE)


def _mend_schema(copy: Path) -> None:
    """Put the schema of a new project in the place of the one that cannot be read; its pages go to the end."""
    with contextlib.closing(template()) as fresh:
        image = fresh.serialize()
    with open(copy, "rb+") as file:
        pages = file.seek(0, 2) // _PAGE
        file.seek(0)
        page = bytearray(image[:_PAGE])
        page[:100] = file.read(100)
        leaves: list[bytes] = []
        for at in _child_pointers(page):
            child = struct.unpack_from(">I", page, at)[0]
            leaves.append(image[(child - 1) * _PAGE : child * _PAGE])
            struct.pack_into(">I", page, at, pages + len(leaves))
        struct.pack_into(">I", page, 28, pages + len(leaves))
        file.seek(pages * _PAGE)
        file.write(b"".join(leaves))
        file.seek(0)
        file.write(page)


def _child_pointers(page: bytearray) -> list[int]:
    """Where page 1, as an interior page of a table, names its children."""
    if page[100] != _INTERIOR:
        return []
    count = struct.unpack_from(">H", page, 103)[0]
    return [108, *(struct.unpack_from(">H", page, 112 + 2 * n)[0] for n in range(count))]

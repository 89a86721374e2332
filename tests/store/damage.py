"""Damage to a project's database: a page, or a byte, that is not what was written. The project must be closed."""

import sqlite3
from contextlib import closing
from pathlib import Path

PAGE = 4096


def root_page(path: Path, name: str) -> int:
    """Number of the first page of a table or index, from 1."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0])


def overwrite_page(path: Path, number: int, fill: int = 0x5A) -> None:
    """Fill a page with a byte."""
    with open(path, "rb+") as file:
        file.seek((number - 1) * PAGE)
        file.write(bytes([fill]) * PAGE)


def flip_byte(path: Path, at: int, mask: int = 0xFF) -> None:
    """Turn bits of one byte over."""
    with open(path, "rb+") as file:
        file.seek(at)
        old = file.read(1)[0]
        file.seek(at)
        file.write(bytes([old ^ mask]))

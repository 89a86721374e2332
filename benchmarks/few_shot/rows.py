"""Rows of a benchmark that may be broken off at any time: one JSON object a line, those that are there are skipped."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["KEY", "Key", "Row", "added", "is_row", "key_of", "read_rows"]

Row = dict[str, object]
Key = tuple[object, ...]
KEY = ("set", "images", "budget_s", "seed", "method")
"""What a row is of; `budget_s` is 0 for methods that take the time they take."""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, none if it is not there. A last line that was cut when the program was killed is no row."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if is_row(found):
            yield found


def is_row(found: object) -> bool:
    """Whether something read is a row of this benchmark."""
    return isinstance(found, dict) and all(name in found for name in KEY)


def key_of(row: Row, names: Sequence[str] = KEY) -> Key:
    """What a row is of."""
    return tuple(row[name] for name in names)


def added(path: Path, row: Row) -> None:
    """Add a row to a file, on a line of its own also where the line before it was cut."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
            file.write(b"\n" if cut else b"")
        file.write(json.dumps(row).encode() + b"\n")

"""Rows of a benchmark that takes hours: one JSON object a line in a file, those that stand there are not made again."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["Row", "added", "keys_in", "rows_in"]

Row = dict[str, object]


def rows_in(path: Path) -> Iterator[Row]:
    """The rows of a file. A line that was cut when the program was killed is no row."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def keys_in(path: Path | None, names: Sequence[str]) -> set[tuple[object, ...]]:
    """What the rows of a file are of: their values under some names."""
    return set() if path is None else {tuple(row.get(name) for name in names) for row in rows_in(path)}


def added(path: Path, row: Row) -> None:
    """Add a row to a file, on a line of its own also where the line before it was cut."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
            file.write(b"\n" if cut else b"")
        file.write(json.dumps(row).encode() + b"\n")

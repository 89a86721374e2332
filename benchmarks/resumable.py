"""Rows of a benchmark that takes hours: one JSON object a line in a file, those that stand there are not made again."""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["Row", "add_row_options", "added", "keys_in", "rows_in"]

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


def add_row_options(parser: argparse.ArgumentParser, *, table: str) -> None:
    """The options that every benchmark of this kind has; `table` says what `--table` does."""
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    parser.add_argument("--out", type=Path, required=True, help="add rows to this file; those in it are skipped")
    parser.add_argument("--one", action="store_true", help="make one row and end")
    parser.add_argument("--table", action="store_true", help=table)

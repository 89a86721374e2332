"""Rows of a benchmark that may be broken off at any time: one JSON object a line, those that are there are skipped."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Case", "added", "read_rows"]


class Case(NamedTuple):
    """What a row is of; `budget_s` is 0 for methods that take the time they take."""

    set: str
    images: int
    budget_s: float
    seed: int
    method: str


def read_rows(path: Path) -> Iterator[tuple[Case, float]]:
    """The cases of a file with their mean IoU, none if it is not there. A last line that was cut when the program was
    killed is no row.
    """
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found: Any = json.loads(line)
            yield Case(*(found[name] for name in Case._fields)), float(found["iou"])
        except (ValueError, KeyError, TypeError):
            continue


def added(path: Path, row: Mapping[str, object]) -> None:
    """Add a row to a file, on a line of its own also where the line before it was cut."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
            file.write(b"\n" if cut else b"")
        file.write(json.dumps(row).encode() + b"\n")

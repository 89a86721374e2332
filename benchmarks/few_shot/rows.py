"""Rows of a benchmark that may be broken off at any time: one JSON object a line, those that are there are skipped."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from resumable import rows_in

__all__ = ["Case", "read_rows"]


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
    for found in rows_in(path):
        try:
            yield Case(*(found[name] for name in Case._fields)), float(found["iou"])  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError):
            continue

"""What the writer's queue holds, what is said of it, and which files it writes to."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq
from segstudio.store.refusal import FolderGoneError

__all__ = ["Queued", "SetAside", "WriterState", "identity", "size"]


@dataclass(frozen=True, slots=True)
class WriterState:
    """`saved`: nothing waits. `refused`: why the disk refuses, else empty. `last_saved_utc`: '' before the first."""

    saved: bool
    refused: str
    last_saved_utc: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Edits, oldest first, that do not follow what is saved, so that none of them was written: a fault of the program.

    `sentence` is for a person, `details` are the traces. `kept` is the file that they are in; None where the disk
    refused that too, so that they stay in memory until the project is closed.
    """

    edits: tuple[tuple[Seq, Edit], ...]
    sentence: str
    details: str
    kept: Path | None


@dataclass(slots=True, eq=False)
class Queued:
    """An edit with its number, or a job with the future of its result; a job that writes edits gets the last number."""

    seq: Seq | None = None
    edit: Edit | None = None
    job: Callable[[sqlite3.Connection], Any] | None = None
    numbers: bool = False
    future: "Future[Any]" = field(default_factory=Future[Any])


def identity(path: Path) -> tuple[int, int]:
    """Which file stands under a path. Raises `FolderGoneError` where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise FolderGoneError from error
    return found.st_dev, found.st_ino


def size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0

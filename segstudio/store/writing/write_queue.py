"""The content of the writer's queue, and its state for others."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq

__all__ = ["Queued", "SetAside", "WriterState"]


@dataclass(frozen=True, slots=True)
class WriterState:
    """`saved`: nothing waits. `refused`: why nothing is written, else empty. `last_saved_utc`: '' before the first.

    `fault`: the trace of what ended the writer, so that nothing more will be written; '' while it runs.
    """

    saved: bool
    refused: str
    last_saved_utc: str
    fault: str = ""


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

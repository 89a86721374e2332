"""Edits of many images in one transaction, all or none, as one batch: for import, accept and Done."""

import sqlite3
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import wait

from segstudio.errors import DiskRefused
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.tiles.streamed import StreamedEdit
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Writer

__all__ = ["Edits", "counted", "written_together"]

_LOOK_S = 0.1

Edits = Callable[[sqlite3.Connection, Ticker], Iterator[Edit | StreamedEdit | None]]
"""The edits, made one by one on the writer's thread in the open transaction; None where an image does not change."""


def written_together(writer: Writer, edits: Edits, total: int, batch: Batch, safe: str) -> Generator[int, None, int]:
    """Write the edits of `total` images; yields how many are done from time to time, and returns how many were written.

    Closing it writes none. Where the disk refuses, `DiskRefused` is raised with `safe`.
    """
    ticker = Ticker()
    future = writer.write_all(counted(edits, ticker), batch)
    try:
        while not future.done():
            yield min(ticker.done, total)
            wait([future], _LOOK_S)
    finally:
        ticker.cancel()
    try:
        return future.result()
    except DiskRefused as error:
        raise DiskRefused(error.sentence, safe=safe, todo=error.todo) from error


def counted(edits: Edits, ticker: Ticker) -> Callable[[sqlite3.Connection], Iterator[Edit | StreamedEdit]]:
    """The edits as a writer takes them: each is a step of the ticker, which can cancel them."""

    def each(db: sqlite3.Connection) -> Iterator[Edit | StreamedEdit]:
        for edit in edits(db, ticker):
            ticker.step(0)
            if edit is not None:
                yield edit
            ticker.step()

    return each

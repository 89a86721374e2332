"""A project grows and shrinks: images added after the existing ones, taken out, brought back.

An image that was taken out keeps its row, its labels and its journal; whether it counts is one column, which an edit of
the whole project changes.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ImageId
from segstudio.store.catalog.images import free_name, insert_images
from segstudio.store.progress_token import Ticker
from segstudio.store.values import NewImage

__all__ = ["added_images", "free_name", "removal_edit"]

_TOOL = "images"


def removal_edit(images: Iterable[ImageId], author: str, *, removed: bool = True) -> Edit:
    """The edit that takes images out of the project, or brings them back."""
    rows = tuple(RowChange(Table.IMAGES, id_, {"removed": not removed}, {"removed": removed}) for id_ in images)
    return Edit(None, Cause.IMAGES, rows=rows, tool=_TOOL, author=author)


def added_images(
    db: sqlite3.Connection,
    images: Iterable[NewImage],
    back: Iterable[ImageId],
    project: Path,
    author: str,
    ticker: Ticker,
) -> Iterator[Edit]:
    """Write new images in the open transaction; gives the edit that brings back those of `back` that are still out.

    Raises `Cancelled`.
    """
    insert_images(db, images, project, ticker.step)
    still_out = [
        id_ for id_ in back if db.execute("SELECT removed FROM images WHERE id = ?", (id_,)).fetchone() == (1,)
    ]
    if still_out:
        yield removal_edit(still_out, author, removed=False)
    ticker.step(0)

"""Filling an image, or changing its objects, from what is stored: one streamed edit, whatever its size."""

import sqlite3
from collections.abc import Callable, Iterable

from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import ImageId
from segstudio.labels.paint.fill import Filling, Outcome, parts_of, steps_of
from segstudio.labels.tiles.raster import Raster, TileBudget
from segstudio.labels.tiles.streamed import TILE_BYTES, Part, StreamedEdit
from segstudio.store.catalog.images import sizes_of
from segstudio.store.progress_token import Ticker
from segstudio.store.writing.label_rows import read_locked, read_marks, read_objects, read_tile, stored_keys

__all__ = ["Changing", "changed", "filled", "stored_document"]

Changing = Callable[[Document, Callable[[int], None]], Iterable[Part]]
"""The parts of an edit of a document; the second argument is told how many steps are done."""

_TILES_HELD = 8


def stored_document(db: sqlite3.Connection, image: ImageId) -> Document:
    """The labels of an image as the connection sees them, few tiles in memory; for use while it is open."""
    raster = Raster(sizes_of(db, image), lambda key: read_tile(db, image, key), stored_keys(db, image))
    raster.share(TileBudget(_TILES_HELD * TILE_BYTES))
    (next_object,) = db.execute("SELECT next_object FROM images WHERE id = ?", (image,)).fetchone()
    status, done_planes = read_marks(db, image)
    locked = read_locked(db, image)
    return Document(image, raster, read_objects(db, image), next_object, status, locked, done_planes)


def filled(
    db: sqlite3.Connection, header: Edit, work: Filling, ticker: Ticker | None = None, outcome: Outcome | None = None
) -> StreamedEdit:
    """The edit that fills an image; `header` names the image and the cause. To be written in the open transaction.

    Its parts raise as `parts_of` does, and `Cancelled` where the ticker is cancelled.
    """
    assert header.image is not None
    document = stored_document(db, header.image)
    if ticker is None:
        return StreamedEdit(header, parts_of(document, work, outcome=outcome))
    ticker.total += steps_of(document, work)
    return StreamedEdit(header, parts_of(document, work, step=ticker.step, outcome=outcome))


def changed(
    db: sqlite3.Connection, header: Edit, parts: Changing, steps_of: Callable[[Document], int], ticker: Ticker
) -> StreamedEdit:
    """The edit of these parts of an image, which `header` names; to be written in the open transaction.

    Its parts raise as `parts` does, and `Cancelled` where the ticker is cancelled.
    """
    assert header.image is not None
    document = stored_document(db, header.image)
    ticker.total += steps_of(document)
    return StreamedEdit(header, parts(document, ticker.step))

"""Accepting, finishing and importing what is too large for memory: one streamed edit, made from what is stored."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.filling import ClassIdsOf, filling
from segstudio.labels.model import ClassTable, ImageId, Origin, Status
from segstudio.labels.raster import Raster, TileBudget
from segstudio.labels.streamed import TILE_BYTES, Part, StreamedEdit
from segstudio.store.images import sizes_of
from segstudio.store.labels import read_objects, read_tile, stored_keys
from segstudio.store.ticker import Ticker

__all__ = ["Filling", "filled", "stored_document"]

_TILES_HELD = 8


@dataclass(frozen=True, slots=True)
class Filling:
    """What an image is filled with: class ids by plane, with which origin, over what is labelled or only beside it.

    `status` is what the image becomes; None = in progress where it was new and a pixel changes.
    """

    planes: Mapping[int, ClassIdsOf]
    classes: ClassTable
    origin: Origin
    only_unknown: bool = False
    status: Status | None = None


def stored_document(db: sqlite3.Connection, image: ImageId) -> Document:
    """The labels of an image as the connection sees them, few tiles in memory; for use while it is open."""
    raster = Raster(sizes_of(db, image), lambda key: read_tile(db, image, key), stored_keys(db, image))
    raster.share(TileBudget(_TILES_HELD * TILE_BYTES))
    status, next_object = db.execute("SELECT status, next_object FROM images WHERE id = ?", (image,)).fetchone()
    return Document(image, raster, read_objects(db, image), next_object, Status(status))


def filled(db: sqlite3.Connection, header: Edit, work: Filling, ticker: Ticker) -> StreamedEdit:
    """The edit that fills an image; `header` names the image and the cause. To be written in the open transaction."""
    assert header.image is not None
    return StreamedEdit(header, _parts(stored_document(db, header.image), work, ticker))


def _parts(document: Document, work: Filling, ticker: Ticker) -> Iterator[Part]:
    changed = False
    passes = 2 if any(not c.one_object for c in work.classes) else 1
    ticker.total += passes * sum(sum(1 for _ in document.raster.keys(plane)) for plane in work.planes)
    for plane, class_ids_of in work.planes.items():
        for part in filling(
            document,
            plane,
            class_ids_of,
            work.classes,
            work.origin,
            only_unknown=work.only_unknown,
            step=ticker.step,
        ):
            changed = True
            yield part
    before = document.status
    after = work.status or (Status.IN_PROGRESS if changed and before is Status.NEW else before)
    if after is not before:
        yield RowChange(Table.IMAGES, document.image, {"status": before.value}, {"status": after.value})

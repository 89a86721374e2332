"""What is true of a project once the edits that wait for the disk are written: read, with their effect added."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from segstudio.errors import EditConflict
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, Table, TileKey
from segstudio.labels.model import ClassId, ImageId, Seq
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Tile
from segstudio.store.catalog import images as images_
from segstudio.store.queries import read_setting
from segstudio.store.writing import label_rows as labels_
from segstudio.store.writing.journal import last_seq

__all__ = ["Pending", "document", "next_class", "taken_out"]

Pending = Sequence[tuple[Seq, Edit]]
"""Edits that wait, oldest first. Those that are on disk by the time of the reading are passed over."""


def next_class(db: sqlite3.Connection, pending: Pending) -> tuple[ClassId, int]:
    """Id and stable value of the next class to be made."""
    id_, value = int(read_setting(db, "next_class")), int(read_setting(db, "next_value"))
    for row in (row for _seq, edit in pending for row in edit.rows if row.table is Table.CLASSES and row.after):
        id_ = max(id_, row.key + 1)
        value = max(value, int((row.after or {}).get("value") or 0) + 1)
    return ClassId(id_), value


def taken_out(db: sqlite3.Connection, pending: Pending) -> set[ImageId]:
    """The images that are out of the project."""
    done = last_seq(db)
    out = {ImageId(row[0]) for row in db.execute("SELECT id FROM images WHERE removed = 1")}
    for row in (row for seq, edit in pending if seq > done for row in edit.rows if row.table is Table.IMAGES):
        if row.after is not None and "removed" in row.after:
            (out.add if row.after["removed"] else out.discard)(ImageId(row.key))
    return out


def document(db: sqlite3.Connection, image: ImageId, pending: Pending, tile: Callable[[TileKey], Tile]) -> Document:
    """The live labels of an image; `tile` reads one at its first use.

    Left out are edits that do not follow the saved ones: the writer sets them aside and reports it.
    """
    mine = [(seq, edit) for seq, edit in pending if edit.image == image]
    touched = {key for _, edit in mine for key in edit.tiles}
    done = last_seq(db)
    sizes, objects = images_.sizes_of(db, image), labels_.read_objects(db, image)
    (next_object,) = db.execute("SELECT next_object FROM images WHERE id = ?", (image,)).fetchone()
    raster = Raster(sizes, tile, labels_.stored_keys(db, image))
    # Read at the same moment as `done`: a later read might hold what is applied below.
    raster.prime({key: labels_.read_tile(db, image, key) for key in touched})
    status, done_planes = labels_.read_marks(db, image)
    read = Document(image, raster, objects, next_object, status, labels_.read_locked(db, image), done_planes)
    for seq, edit in mine:
        if seq > done:
            with suppress(EditConflict):
                read.apply(edit)
                raster.written(edit.tiles, seq)
    return read

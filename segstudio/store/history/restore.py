"""Edits that lead from today's labels to those of an earlier number: one an image, one for the classes, one for which
images were taken out.

Object ids are not reused: objects made since lose their pixels and rows, and the counter stays. Classes are never
deleted: one made since becomes `removed`.
"""

import sqlite3
from collections.abc import Iterator, Mapping

from segstudio.labels.class_rows import apply_class_row, class_rows_between
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, ClassTable, ImageId, Seq
from segstudio.labels.tiles.streamed import Part, StreamedEdit
from segstudio.store.catalog.classes import read_classes
from segstudio.store.history.historic_states import Trail, rows_back_to, tile_back, trails
from segstudio.store.progress_token import Ticker

__all__ = ["TOOL", "classes_at", "classes_edit", "image_edit", "taken_out_edit"]

TOOL = "snapshot"


def image_edit(db: sqlite3.Connection, image: ImageId, seq: Seq, author: str, ticker: Ticker) -> StreamedEdit | None:
    """The edit that returns an image to its state after edit `seq`; None where it has it.

    Its tiles are read, and checked, one by one as it is written, which must be in the transaction of `db`; that raises
    `ProjectDamaged`, and `Cancelled`.
    """
    rows = tuple(_fitting(db, rows_back_to(db, image, seq)))
    differing = {key: trail for key, trail in trails(db, image, seq).items() if trail.before != trail.after}
    if not differing and not rows:
        return None
    header = Edit(image, Cause.RESTORE, tool=TOOL, author=author)
    return StreamedEdit(header, _parts(db, image, rows, differing, ticker))


def _fitting(db: sqlite3.Connection, rows: tuple[RowChange, ...]) -> Iterator[RowChange]:
    """The rows, without whether an image is taken out where that is not what they begin with: a merge changes it by an
    edit of the image, a person by one of the whole project, and each list of edits knows only its own."""
    for row in rows:
        if row.table is not Table.IMAGES or "removed" not in (row.before or {}):
            yield row
            continue
        (removed,) = db.execute("SELECT removed FROM images WHERE id = ?", (row.key,)).fetchone()
        before, after = dict(row.before or {}), dict(row.after or {})
        if bool(removed) != bool(before["removed"]):
            del before["removed"], after["removed"]
        if before:
            yield RowChange(row.table, row.key, before, after)


def _parts(
    db: sqlite3.Connection,
    image: ImageId,
    rows: tuple[RowChange, ...],
    differing: Mapping[TileKey, Trail],
    ticker: Ticker,
) -> Iterator[Part]:
    yield from rows
    for key, trail in sorted(differing.items()):
        ticker.step(0)
        yield key, TileChange(*tile_back(db, image, key, trail))


def classes_at(db: sqlite3.Connection, seq: Seq) -> ClassTable:
    """The classes as they were after an edit."""
    table = read_classes(db)
    for row in rows_back_to(db, None, seq):
        table = apply_class_row(table, row)
    return table


def classes_edit(db: sqlite3.Connection, seq: Seq, author: str) -> Edit | None:
    """The edit that returns the classes to their state after edit `seq`; None where they have it."""
    rows = class_rows_between(read_classes(db), classes_at(db, seq))
    return Edit(None, Cause.RESTORE, rows=rows, tool=TOOL, author=author) if rows else None


def taken_out_edit(db: sqlite3.Connection, seq: Seq, author: str) -> Edit | None:
    """The edit that brings back images taken out since edit `seq`, and takes out again those brought back since; None
    where there are none. Images added since stay.
    """
    rows = tuple(row for row in _fitting(db, rows_back_to(db, None, seq)) if row.table is Table.IMAGES)
    return Edit(None, Cause.RESTORE, rows=rows, tool=TOOL, author=author) if rows else None

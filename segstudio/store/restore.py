"""Edits that lead from today's labels to those of an earlier number: one an image, one for the classes, one for which
images were taken out.

Object ids are not reused: what was made since loses its pixels and its row, and the counter stays. Classes are never
deleted: one made since becomes `removed`.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace

from segstudio.labels.class_rows import apply_class_row, class_columns, new_class_row
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, ClassTable, ImageId, LabelClass, Seq, folded_name
from segstudio.labels.streamed import Part, StreamedEdit
from segstudio.store.classes import read_classes
from segstudio.store.past import Trail, rows_back_to, tile_back, trails
from segstudio.store.ticker import Ticker

__all__ = ["TOOL", "classes_at", "classes_edit", "image_edit", "taken_out_edit"]

TOOL = "snapshot"


def image_edit(db: sqlite3.Connection, image: ImageId, seq: Seq, author: str, ticker: Ticker) -> StreamedEdit | None:
    """The edit that makes an image again what it was after edit `seq`; None where it is.

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
    """The edit that makes the classes again what they were after edit `seq`; None where they are."""
    rows = _class_rows(read_classes(db), classes_at(db, seq))
    return Edit(None, Cause.RESTORE, rows=rows, tool=TOOL, author=author) if rows else None


def taken_out_edit(db: sqlite3.Connection, seq: Seq, author: str) -> Edit | None:
    """The edit that brings back images taken out since edit `seq`, and takes out again those brought back since; None
    where there are none. Images added since stay.
    """
    rows = tuple(row for row in _fitting(db, rows_back_to(db, None, seq)) if row.table is Table.IMAGES)
    return Edit(None, Cause.RESTORE, rows=rows, tool=TOOL, author=author) if rows else None


def _class_rows(now: ClassTable, then: ClassTable) -> tuple[RowChange, ...]:
    """Rows that lead from one table to the other, in steps of which each leaves names unique and merges valid.

    First every class that changes its name, or comes into or out of use, is taken out of use; then each gets what it
    is to have.
    """
    wanted = {c.id: c for c in then.all}
    for c in now.all:
        if c.id not in wanted:
            wanted[c.id] = c if c.removed or c.merged_into is not None else replace(c, removed=True)
    first: list[RowChange] = []
    second: list[RowChange] = []
    for id_ in sorted(wanted):
        between = _between(now.get(id_), wanted[id_])
        if id_ not in now:
            first.append(new_class_row(between))
        else:
            first += _changes(now[id_], between)
        second += _changes(between, wanted[id_])
    return (*first, *second)


def _between(now: LabelClass | None, then: LabelClass) -> LabelClass:
    """The class in a form that collides with no other."""
    if now is None:
        return replace(then, removed=True, merged_into=None)
    moves = folded_name(now.name) != folded_name(then.name) or _used(now) != _used(then)
    return replace(now, removed=True) if moves else now


def _used(c: LabelClass) -> bool:
    return not c.removed and c.merged_into is None


def _changes(old: LabelClass, new: LabelClass) -> list[RowChange]:
    was, will = class_columns(old), class_columns(new)
    changed = [name for name, value in will.items() if was[name] != value]
    if not changed:
        return []
    before, after = ({name: side[name] for name in changed} for side in (was, will))
    return [RowChange(Table.CLASSES, old.id, before, after)]

"""An Edit as rows: written in the caller's transaction, and read back from its deltas and the current tiles.

The tiles are the truth; the deltas (exclusive or, with the digests of both sides) are the journal and its proof. An
undo stores neither rows nor deltas: its effect is its target's, the other way round.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import msgspec

from segstudio.errors import EditConflict, ProjectDamaged
from segstudio.labels.edit import Batch, Edit, RowChange, Table, TileChange, TileKey, new_edit_id, now_utc
from segstudio.labels.model import Cause, EditId, ImageId, Seq
from segstudio.labels.tiles.codec import apply_delta, encode_delta, encode_tile
from segstudio.labels.tiles.streamed import Part, StreamedEdit
from segstudio.labels.tiles.tile import EMPTY_DIGEST, Tile, digest
from segstudio.store.catalog.roles import decide_split
from segstudio.store.history.daily import mark_day
from segstudio.store.history.undo_horizon import must_hold_own
from segstudio.store.writing.label_digests import forget_digest, keep_digest
from segstudio.store.writing.object_counts import follow_classes
from segstudio.store.writing.object_stats import Derived
from segstudio.store.writing.rows import apply_row
from segstudio.store.writing.tile_stats import tile_effect
from segstudio.text import _

__all__ = ["Edits", "decode_rows", "last_seq", "load_edit", "note_refused", "write_batch", "write_edit", "write_edits"]

Edits = Iterable[Edit | StreamedEdit] | Callable[[sqlite3.Connection], Iterable[Edit | StreamedEdit]]
"""Edits to be written together; made from what is stored then, where they are a function of the connection."""

_COUNTING = {"kind", "removed", "merged_into"}
"""The columns of a class that decide how its objects count."""

_RowsWire = list[tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]]


def last_seq(db: sqlite3.Connection) -> Seq:
    """Number of the last edit; 0 where there is none."""
    return Seq(int(db.execute("SELECT coalesce(max(seq), 0) FROM edits").fetchone()[0]))


def write_batch(db: sqlite3.Connection, batch: Batch) -> None:
    """Write the row that the edits of a batch refer to, in the open transaction and before them."""
    db.execute(
        "INSERT INTO batches (id, cause, author, time) VALUES (?, ?, ?, ?)",
        (batch.id, batch.cause.value, batch.author, batch.time),
    )


def write_edits(db: sqlite3.Connection, edits: Edits, batch: Batch | None) -> tuple[Seq, Seq]:
    """Write edits one after the other in the open transaction; returns the last number before and after them.

    With a `batch` they belong to it; of no edits there is no batch.
    """
    before = seq = last_seq(db)
    if batch is not None:
        write_batch(db, batch)
    for edit in edits(db) if callable(edits) else edits:
        if write_edit(db, Seq(seq + 1), _in_batch(edit, batch)):
            seq = Seq(seq + 1)
            image = edit.image if isinstance(edit, Edit) else edit.header.image
            if image is not None:
                keep_digest(db, image)  # here, where it costs little beside: no pause may come before the end
    if batch is not None and seq == before:
        db.execute("DELETE FROM batches WHERE id = ?", (batch.id,))
    return before, seq


def _in_batch(edit: Edit | StreamedEdit, batch: Batch | None) -> Edit | StreamedEdit:
    if batch is None:
        return edit
    if isinstance(edit, Edit):
        return replace(edit, batch=batch.id)
    return replace(edit, header=replace(edit.header, batch=batch.id))


def write_edit(db: sqlite3.Connection, seq: Seq, edit: Edit | StreamedEdit) -> bool:
    """Write an edit, the tiles and rows it changes and all derived columns, in the open transaction.

    A streamed edit without a part is not written: then False. Raises `EditConflict` where the edit does not follow
    what is stored, and what the parts raise; the caller rolls back.
    """
    if isinstance(edit, Edit):
        _write(db, seq, edit, chain(edit.rows, edit.tiles.items()))
        return True
    parts = iter(edit.parts)
    first = next(parts, None)
    if first is None:
        return False
    _write(db, seq, edit.header, chain((first,), parts))
    return True


def note_refused(db: sqlite3.Connection, seq: Seq, edit: Edit) -> None:
    """Write an empty, self-undone edit under the number of one that does not fit, in the open transaction.

    So numbers keep rising by one and none is given twice: undoing by number in memory never hits another edit.
    """
    db.execute(
        "INSERT INTO edits (seq, id, image, cause, tool, author, time, taken_back) "
        "VALUES (?, ?, (SELECT id FROM images WHERE id = ?), ?, 'refused', '', ?, ?)",
        # An id of its own: by its id an edit that was kept is known to be in the journal.
        (seq, new_edit_id(), _image_number(edit), Cause.STATUS.value, now_utc(), seq),
    )


def _image_number(edit: Edit) -> int | None:
    return None if edit.image is None else int(edit.image)


def _write(db: sqlite3.Connection, seq: Seq, edit: Edit, parts: Iterator[Part]) -> None:
    mark_day(db, seq)
    inverse = _take_back(db, seq, edit)
    db.execute(
        "INSERT INTO edits (seq, id, image, cause, tool, author, time, undoes, inverse, batch, rows) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(seq, edit.id, edit.image, edit.cause.value, edit.tool, edit.author, edit.time),
            *(edit.undoes, inverse, edit.batch, None),
        ),
    )
    rows = _write_parts(db, seq, edit, parts)
    for row in rows:
        if row.after is None:
            apply_row(db, edit.image, row)
    if rows and edit.undoes is None:
        db.execute("UPDATE edits SET rows = ? WHERE seq = ?", (_encode_rows(rows), seq))


def _take_back(db: sqlite3.Connection, seq: Seq, edit: Edit) -> int:
    """Mark what the edit undoes; 1 for an undo, 0 for a new edit or a redo."""
    if edit.undoes is None:
        return 0
    target = db.execute("SELECT image, undoes, inverse, taken_back FROM edits WHERE seq = ?", (edit.undoes,)).fetchone()
    if target is None or target[0] != edit.image or target[3] is not None:
        raise EditConflict(f"edit {edit.undoes} cannot be taken back")
    root, inverse = target[1], int(target[2])
    if root is not None and not inverse:
        raise EditConflict(f"edit {edit.undoes} is a redo: the edit that it redid is what can be taken back")
    db.execute("UPDATE edits SET taken_back = ? WHERE seq = ?", (seq, edit.undoes))
    if root is not None:
        db.execute("UPDATE edits SET taken_back = NULL WHERE seq = ?", (root,))
    return 1 - inverse


def _write_parts(db: sqlite3.Connection, seq: Seq, edit: Edit, parts: Iterator[Part]) -> list[RowChange]:
    """Write tiles and rows; the rows are returned, and those that delete are still to be applied.

    An object's row goes last: until then its pixels are counted away.
    """
    image = edit.image
    derived = None if image is None else Derived(db, image)
    rows: list[RowChange] = []
    tiles = False
    for part in parts:
        if isinstance(part, RowChange):
            rows.append(part)
            if part.after is not None:
                apply_row(db, image, part)
            continue
        if image is None or derived is None:
            raise EditConflict("an edit without an image has tiles")
        key, change = part
        tiles = True
        _write_tile(db, image, key, change, None if edit.undoes is not None else seq)
        derived.add(key, tile_effect(change.before, change.after))
    if image is not None and derived is not None:
        _write_derived(db, seq, image, derived, edit.cause)
        if tiles or any(row.table is Table.OBJECTS for row in rows):
            forget_digest(db, image)
    else:
        _count_anew(db, rows)
    return rows


def _count_anew(db: sqlite3.Connection, rows: Iterable[RowChange]) -> None:
    """Objects are counted by the kinds of their classes, removed ones left out, merged ones together."""
    changed = [
        row.key
        for row in rows
        if row.table is Table.CLASSES and row.before is not None and _COUNTING & (row.after or {}).keys()
    ]
    if changed:
        follow_classes(db, changed)


def _write_derived(db: sqlite3.Connection, seq: Seq, image: ImageId, derived: Derived, cause: Cause) -> None:
    labelled = derived.write()
    db.execute("UPDATE edits SET pixels = ? WHERE seq = ?", (derived.changed_pixels, seq))
    db.execute("UPDATE images SET last_edit = ? WHERE id = ?", (seq, image))
    if labelled:
        decide_split(db, seq, image, cause)


def _write_tile(db: sqlite3.Connection, image: ImageId, key: TileKey, change: TileChange, seq: Seq | None) -> None:
    """Replace a tile; with a number, its delta goes to the journal."""
    where = (image, *key)
    row = db.execute(
        "SELECT id, digest FROM tiles WHERE image = ? AND plane = ? AND ty = ? AND tx = ?", where
    ).fetchone()
    before, after = digest(change.before), digest(change.after)
    if (EMPTY_DIGEST if row is None else row[1]) != before:
        raise EditConflict(f"tile {key} is not what the edit was made on")
    if seq is not None:
        delta = encode_delta(change.before, change.after)
        db.execute(
            "INSERT INTO deltas (seq, plane, ty, tx, before, after, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, *key, before, after, delta),
        )
    if after == EMPTY_DIGEST:
        db.execute("DELETE FROM tiles WHERE image = ? AND plane = ? AND ty = ? AND tx = ?", where)
    elif row is not None:
        db.execute("UPDATE tiles SET digest = ?, data = ? WHERE id = ?", (after, encode_tile(change.after), row[0]))
    else:
        db.execute(
            "INSERT INTO tiles (image, plane, ty, tx, digest, data) VALUES (?, ?, ?, ?, ?, ?)",
            (*where, after, encode_tile(change.after)),
        )


def _encode_rows(rows: Iterable[RowChange]) -> bytes:
    wire: _RowsWire = [
        (
            row.table.value,
            row.key,
            None if row.before is None else dict(row.before),
            None if row.after is None else dict(row.after),
        )
        for row in rows
    ]
    return msgspec.msgpack.encode(wire)


def decode_rows(blob: bytes | None) -> tuple[RowChange, ...]:
    """The row changes of an edit as they are kept in its row of the journal. Raises `ProjectDamaged`."""
    if blob is None:
        return ()
    try:
        wire = msgspec.msgpack.decode(blob, type=_RowsWire)
        return tuple(RowChange(Table(table), key, before, after) for table, key, before, after in wire)
    except (msgspec.DecodeError, ValueError) as error:
        raise ProjectDamaged(
            _("The journal of this project is damaged: the changes of an edit cannot be read.")
        ) from error


_COLUMNS = "image, cause, tool, author, id, time, undoes, batch, rows"


def load_edit(db: sqlite3.Connection, seq: Seq, lookup: Callable[[TileKey], Tile]) -> Edit:
    """An edit as it was committed, from its deltas and the current tiles, which must be one of its two sides.

    For an undo, its effect. Raises `EditConflict` where a tile has changed since, or there is
    no such edit, `UserError` where its deltas are not kept, `ProjectDamaged` where one does not lead to what its digest
    promises.
    """
    row = db.execute(f"SELECT {_COLUMNS} FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is None:
        raise EditConflict(f"there is no edit {seq}")
    undoes = row[6]
    if undoes is not None:
        effect = load_edit(db, Seq(undoes), lookup).inverted(Seq(undoes), Cause(row[1]))
        return replace(effect, tool=row[2], author=row[3], id=EditId(row[4]), time=row[5], batch=row[7])
    must_hold_own(db, seq)
    deltas = db.execute("SELECT plane, ty, tx, before, after, data FROM deltas WHERE seq = ?", (seq,)).fetchall()
    return Edit(
        image=None if row[0] is None else ImageId(row[0]),
        cause=Cause(row[1]),
        tiles={(d[0], d[1], d[2]): _change((d[0], d[1], d[2]), lookup, d[3], d[4], d[5]) for d in deltas},
        rows=decode_rows(row[8]),
        tool=row[2],
        author=row[3],
        id=EditId(row[4]),
        time=row[5],
        batch=row[7],
    )


def _change(key: TileKey, lookup: Callable[[TileKey], Tile], before: bytes, after: bytes, delta: bytes) -> TileChange:
    now = lookup(key)
    side = digest(now)
    if side not in (before, after):
        raise EditConflict(f"tile {key} has changed since the edit")
    other = apply_delta(now, delta)
    if digest(other) != (after if side == before else before):
        raise ProjectDamaged(_("The journal of this project is damaged: an edit cannot be undone."))
    return TileChange(now, other) if side == before else TileChange(other, now)

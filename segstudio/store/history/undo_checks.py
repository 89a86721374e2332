"""Whether later edits depend on a project-wide one, so that it cannot be undone."""

import sqlite3
from collections.abc import Callable, Sequence

from segstudio.labels.edit import Edit, RowChange, Table, TileKey
from segstudio.labels.model import Seq
from segstudio.labels.tiles.tile import EMPTY, Tile
from segstudio.text import _

__all__ = ["undo_refusal"]

_Load = Callable[[Seq, Callable[[TileKey], Tile]], Edit]


def undo_refusal(db: sqlite3.Connection, seq: Seq, pending: Sequence[Edit], load: _Load) -> str:
    """One sentence where the class that an edit made is in use, a kind that it changed has pixels, or an image that it
    took out or brought back was changed so again by an edit of its own; else ''.

    Images of the edit's batch do not count: they are undone with it, to before the class was made or changed.
    """
    row = db.execute("SELECT image FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is not None and row[0] is not None:
        return ""
    edit = load(seq, lambda _: EMPTY)
    if edit.image is not None:
        return ""
    rows = () if edit.batch is None else db.execute("SELECT image FROM edits WHERE batch = ?", (edit.batch,))
    besides = {row[0] for row in rows}
    changes = [change for change in edit.rows if change.table is Table.CLASSES]
    refusals = (_refusal(db, change, pending, besides) for change in changes)
    return next(filter(None, refusals), "") or _removed_since(db, edit, pending)


def _removed_since(db: sqlite3.Connection, edit: Edit, pending: Sequence[Edit]) -> str:
    """A merge takes images out, or brings them back, by edits of their own, which do not stand in every history."""
    rows = [row for row in edit.rows if row.table is Table.IMAGES and row.after is not None]
    if not rows:
        return ""
    waiting = {
        row.key: row.after["removed"]
        for later in pending
        for row in later.rows
        if row.table is Table.IMAGES and row.after is not None and "removed" in row.after
    }
    for row in rows:
        path, removed = db.execute("SELECT path, removed FROM images WHERE id = ?", (row.key,)).fetchone()
        if row.after is not None and bool(waiting.get(row.key, removed)) != bool(row.after["removed"]):
            return _("Taking out images cannot be undone or redone: '{path}' has changed since.", path=path)
    return ""


def _refusal(db: sqlite3.Connection, change: RowChange, pending: Sequence[Edit], besides: set[int | None]) -> str:
    made = change.before is None
    if not made and "kind" not in (change.before or {}):
        return ""
    image = _used_in(db, change.key, pending, besides, made=made)
    if image is None:
        return ""
    name = (change.after or {}).get("name") or _name(db, change.key)
    path = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]
    if made:
        return _("Adding the class '{name}' cannot be undone: it is in use in '{path}'.", name=name, path=path)
    return _(
        "The change of kind of the class '{name}' cannot be undone: the class has pixels in '{path}'.",
        name=name,
        path=path,
    )


def _used_in(
    db: sqlite3.Connection, class_id: int, pending: Sequence[Edit], besides: set[int | None], *, made: bool
) -> int | None:
    """An image with an object of the class, as it will be when what waits is written."""
    waiting = {
        (edit.image, row.key): None if row.after is None else row.after.get("class_id")
        for edit in pending
        for row in edit.rows
        if row.table is Table.OBJECTS
    }
    for (image, _key), after in waiting.items():
        if after == class_id and image not in besides:
            return image
    stored = db.execute("SELECT image, id FROM objects WHERE class_id = ? AND (? OR area > 0)", (class_id, made))
    return next((i for i, object_id in stored if i not in besides and (i, object_id) not in waiting), None)


def _name(db: sqlite3.Connection, class_id: int) -> str:
    row = db.execute("SELECT name FROM classes WHERE id = ?", (class_id,)).fetchone()
    return "" if row is None else str(row[0])

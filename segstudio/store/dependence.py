"""Whether later edits depend on a project-wide one, so that it cannot be taken back."""

import sqlite3
from collections.abc import Callable, Sequence

from segstudio.labels.edit import Edit, RowChange, Table, TileKey
from segstudio.labels.model import Seq
from segstudio.labels.tile import EMPTY, Tile

__all__ = ["undo_refusal"]

_Load = Callable[[Seq, Callable[[TileKey], Tile]], Edit]


def undo_refusal(db: sqlite3.Connection, seq: Seq, pending: Sequence[Edit], load: _Load) -> str:
    """One sentence where the class that an edit made is in use, or a kind that it changed has pixels; else ''."""
    row = db.execute("SELECT image FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is not None and row[0] is not None:
        return ""
    edit = load(seq, lambda _: EMPTY)
    if edit.image is not None:
        return ""
    changes = [change for change in edit.rows if change.table is Table.CLASSES]
    return next((sentence for change in changes if (sentence := _refusal(db, change, pending))), "")


def _refusal(db: sqlite3.Connection, change: RowChange, pending: Sequence[Edit]) -> str:
    made = change.before is None
    if not made and "kind" not in (change.before or {}):
        return ""
    found = db.execute(
        "SELECT i.path FROM objects o JOIN images i ON i.id = o.image "
        "WHERE o.class_id = ? AND (? OR o.area > 0) LIMIT 1",
        (change.key, made),
    ).fetchone()
    if found is None and not _in_use(change.key, pending):
        return ""
    name = (change.after or {}).get("name") or _name(db, change.key)
    where = "" if found is None else f" in '{found[0]}'"
    if made:
        return f"The class '{name}' cannot be taken back: it is in use{where}."
    return f"The kind of the class '{name}' cannot be taken back: the class has pixels{where}."


def _in_use(class_id: int, pending: Sequence[Edit]) -> bool:
    rows = (row for edit in pending for row in edit.rows)
    return any(row.table is Table.OBJECTS and row.after and row.after.get("class_id") == class_id for row in rows)


def _name(db: sqlite3.Connection, class_id: int) -> str:
    row = db.execute("SELECT name FROM classes WHERE id = ?", (class_id,)).fetchone()
    return "" if row is None else str(row[0])

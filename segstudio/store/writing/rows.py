"""Rows of objects, classes and images as an edit changes them, checked against what is stored."""

import sqlite3
from collections.abc import Mapping

from segstudio.errors import EditConflict
from segstudio.labels.edit import Columns, RowChange, Table
from segstudio.labels.model import ClassId, ImageId, ObjectId, folded_name
from segstudio.store.writing.object_stats import move_object

__all__ = ["apply_row"]

_COLUMNS: Mapping[Table, tuple[str, ...]] = {
    Table.OBJECTS: ("class_id", "locked"),
    Table.CLASSES: (
        "name", "color", "kind", "value", "position", "locked", "visible", "removed", "merged_into", "opacity",
    ),
    Table.IMAGES: ("status", "done_planes", "removed"),
}  # fmt: skip
"""What an edit may change; everything else is derived or fixed."""

_PROJECT_WIDE = frozenset(("removed",))
"""What an edit of no image may change of images: of many at once."""


def apply_row(db: sqlite3.Connection, image: ImageId | None, row: RowChange) -> None:
    """Make one row's change in the open transaction. Raises `EditConflict` where its `before` does not hold."""
    where, key = _where(image, row)
    _check(db, row, where, key)
    if row.table is Table.OBJECTS:
        _prepare_object(db, row, ImageId(key[0]))
    if row.after is None:
        if row.table is Table.CLASSES:
            db.execute("DELETE FROM counts WHERE class_id = ? AND pixels = 0", key)
        db.execute(f"DELETE FROM {row.table.value} WHERE {where}", key)
        return
    columns = dict(row.after)
    if row.table is Table.CLASSES:
        _prepare_class(db, row, columns)
    if row.before is None:
        names = ("image", "id") if row.table is Table.OBJECTS else ("id",)
        listed = ", ".join((*names, *columns))
        marks = ", ".join("?" * (len(names) + len(columns)))
        db.execute(f"INSERT INTO {row.table.value} ({listed}) VALUES ({marks})", (*key, *columns.values()))
    elif columns:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        db.execute(f"UPDATE {row.table.value} SET {assignments} WHERE {where}", (*columns.values(), *key))


def _where(image: ImageId | None, row: RowChange) -> tuple[str, tuple[int, ...]]:
    if not _belongs(image, row):
        raise EditConflict(f"row {row.table} {row.key} does not belong to the edit's image")
    if row.table is Table.OBJECTS:
        assert image is not None
        return "image = ? AND id = ?", (image, row.key)
    if row.table is Table.IMAGES and (row.before is None or row.after is None):
        raise EditConflict("an edit neither makes nor deletes an image")
    return "id = ?", (row.key,)


def _belongs(image: ImageId | None, row: RowChange) -> bool:
    if row.table is Table.IMAGES and image is None:
        return all(side is None or _PROJECT_WIDE.issuperset(side) for side in (row.before, row.after))
    return (row.table is Table.CLASSES) == (image is None) and (row.table is not Table.IMAGES or row.key == image)


def _check(db: sqlite3.Connection, row: RowChange, where: str, key: tuple[int, ...]) -> None:
    names = _COLUMNS[row.table]
    for side in (row.before, row.after):
        if side is not None and not set(side) <= set(names):
            raise EditConflict(f"an edit may not change {sorted(set(side) - set(names))} of {row.table}")
    found = db.execute(f"SELECT {', '.join(names)} FROM {row.table.value} WHERE {where}", key).fetchone()
    stored: Columns | None = None if found is None else dict(zip(names, found, strict=True))
    if (stored is None) != (row.before is None):
        raise EditConflict(f"row {row.table} {row.key} is not what the edit was made on")
    before = row.before or {}
    if stored is not None and any(stored[column] != value for column, value in before.items()):
        raise EditConflict(f"row {row.table} {row.key} is not what the edit was made on")


def _prepare_object(db: sqlite3.Connection, row: RowChange, image: ImageId) -> None:
    if row.after is None:
        where, key = "image = ? AND id = ?", (image, row.key)
        area, locked = db.execute(f"SELECT area, locked FROM objects WHERE {where}", key).fetchone()
        if area:
            raise EditConflict(f"object {row.key} is deleted and has pixels")
        if locked and not (row.before or {}).get("locked"):
            raise EditConflict(f"object {row.key} is deleted and is locked")
    elif row.before is None:
        # An id is never given twice, also after an undo: the counter only rises.
        db.execute("UPDATE images SET next_object = max(next_object, ?) WHERE id = ?", (row.key + 1, image))
    elif "class_id" in row.after:
        move_object(db, image, ObjectId(row.key), ClassId(int(row.after["class_id"] or 0)))


def _prepare_class(db: sqlite3.Connection, row: RowChange, columns: dict[str, str | int | float | bool | None]) -> None:
    if "name" in columns:
        columns["name_key"] = folded_name(str(columns["name"]))
    if row.before is None:
        db.execute(
            "UPDATE settings SET value = max(CAST(value AS INTEGER), ?) WHERE key = 'next_class'", (row.key + 1,)
        )
        db.execute(
            "UPDATE settings SET value = max(CAST(value AS INTEGER), ?) WHERE key = 'next_value'",
            (int(columns["value"] or 0) + 1,),
        )

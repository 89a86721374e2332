"""Reading tables of a damaged database row by row, around what cannot be read. Tables and indexes fail apart."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segstudio.store.refusal import UNREADABLE

__all__ = ["Columns", "Row", "Rows", "columns_of", "read_index", "read_keyed", "read_numbered"]

Row = Mapping[str, Any]
_FARTHEST = 1 << 62
_CHUNK = 500
_TYPES: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "TEXT": (str,), "BLOB": (bytes,), "REAL": (float, int)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table of today: types, which may be empty, and what stands where an older schema has none."""

    names: tuple[str, ...]
    types: Mapping[str, tuple[type, ...]]
    nullable: frozenset[str]
    defaults: Mapping[str, Any]
    key: tuple[str, ...]


@dataclass(slots=True)
class Rows:
    """What was read of a table; `lost` rows are known to have been there, `broken` says that there may be more."""

    rows: list[Row] = field(default_factory=list[Row])
    lost: int = 0
    broken: bool = False

    @property
    def whole(self) -> bool:
        """Whether every row was read."""
        return not self.lost and not self.broken


def columns_of(template: sqlite3.Connection, table: str) -> Columns:
    """The columns of a table of a new project."""
    info = template.execute(f"PRAGMA table_info({table})").fetchall()
    numbered = (
        "WITHOUT ROWID" not in template.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    )
    keys = sorted((r[5], r[1]) for r in info if r[5])
    return Columns(
        tuple(r[1] for r in info),
        {r[1]: _TYPES[r[2]] for r in info},
        frozenset(r[1] for r in info if not r[3] and not r[5]),
        {r[1]: template.execute(f"SELECT {r[4]}").fetchone()[0] for r in info if r[4] is not None},
        () if numbered else tuple(name for _, name in keys),
    )


def _present(db: sqlite3.Connection, table: str, columns: Columns) -> list[str]:
    there = {r[1] for r in db.execute(f"PRAGMA table_info({table})")}
    return [name for name in columns.names if name in there]


def _checked(columns: Columns, names: list[str], values: tuple[Any, ...]) -> Row | None:
    """The row with every column of today, or None where a value is of a type that was never written."""
    row = dict(zip(names, values, strict=True))
    for name in columns.names:
        if name not in row:
            row[name] = columns.defaults.get(name)
        value = row[name]
        if value is None:
            if name not in columns.nullable:
                return None
        elif not isinstance(value, columns.types[name]) or (isinstance(value, str) and "\ufffd" in value):
            return None
    return row


def read_numbered(db: sqlite3.Connection, table: str, columns: Columns) -> Rows:
    """The rows of a table by their number (its first column is its rowid), skipping ranges that cannot be read."""
    out = Rows()
    try:
        names = _present(db, table, columns)
    except UNREADABLE:
        return Rows(broken=True)
    ids = _numbers(db, table, names[0], out)
    select = f"SELECT {', '.join(names)} FROM {table} NOT INDEXED"
    for at in range(0, len(ids), _CHUNK):
        chunk = ids[at : at + _CHUNK]
        try:
            found = db.execute(
                f"{select} WHERE {names[0]} BETWEEN ? AND ? ORDER BY {names[0]}", (chunk[0], chunk[-1])
            ).fetchall()
        except UNREADABLE:
            found = [row for id_ in chunk for row in _one(db, f"{select} WHERE {names[0]} = ?", id_)]
        good = [row for values in found if (row := _checked(columns, names, values)) is not None]
        out.rows += good
        out.lost += len(chunk) - len(good)
    return out


def _one(db: sqlite3.Connection, select: str, id_: int) -> list[tuple[Any, ...]]:
    try:
        return db.execute(select, (id_,)).fetchall()
    except UNREADABLE:
        return []


def _numbers(db: sqlite3.Connection, table: str, key: str, out: Rows) -> list[int]:
    """Every number that can be read, rising; the table's pages of content are not needed for it."""
    query = f"SELECT {key} FROM {table} NOT INDEXED WHERE {key} >= ? ORDER BY {key}"
    ids: list[int] = []
    start = -_FARTHEST
    stuck = 0
    while True:
        before = len(ids)
        try:
            for (id_,) in db.execute(query, (start,)):
                if ids and id_ <= ids[-1]:
                    raise sqlite3.DatabaseError("numbers do not rise")
                ids.append(id_)
        except UNREADABLE:
            out.broken = True
        else:
            return ids
        stuck = stuck + 1 if len(ids) == before else 0
        start = max((ids[-1] if ids else 0) + 1, start + (1 << stuck) if stuck else 0)

        def readable(number: int) -> bool:
            try:
                db.execute(f"{query} LIMIT 1", (number,)).fetchone()
            except UNREADABLE:
                return False
            return True

        found = _first(readable, start)
        if found is None:
            return ids
        start = found


def _first(holds: Callable[[int], bool], start: int) -> int | None:
    """The smallest number after `start` for which it holds, found by doubling and halving; None for none."""
    step = 1
    while not holds(start + step):
        step *= 2
        if start + step > _FARTHEST:
            return None
    low, high = start + step // 2, start + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def read_keyed(db: sqlite3.Connection, table: str, columns: Columns, leading: list[int] | None = None) -> Rows:
    """The rows of a table without numbers: from its beginning and from its end as far as they can be read.

    With `leading`, values of the first column of its key, the rows of each of them by themselves.
    """
    out = Rows()
    try:
        names = _present(db, table, columns)
    except UNREADABLE:
        return Rows(broken=True)
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    places = [names.index(name) for name in columns.key]
    wheres = [("", ())] if leading is None else [(f"WHERE {columns.key[0]} = ?", (value,)) for value in leading]
    whole = _both_ways(db, table, names, columns.key, "", (), places, found)
    if not whole:
        out.broken = True
        for where, bound in wheres if leading is not None else ():
            _both_ways(db, table, names, columns.key, where, bound, places, found)
    for key in sorted(found, key=repr):
        row = _checked(columns, names, found[key])
        if row is None:
            out.lost += 1
        else:
            out.rows.append(row)
    return out


def _both_ways(
    db: sqlite3.Connection,
    table: str,
    names: list[str],
    key: tuple[str, ...],
    where: str,
    bound: tuple[Any, ...],
    places: list[int],
    found: dict[tuple[Any, ...], tuple[Any, ...]],
) -> bool:
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{name} {way}" for name in key)
        try:
            for row in db.execute(f"SELECT {', '.join(names)} FROM {table} {where} ORDER BY {order}", bound):
                found.setdefault(tuple(row[place] for place in places), row)
        except UNREADABLE:
            continue
        return True
    return False


def read_index(
    db: sqlite3.Connection, index: str, table: str, columns: tuple[str, ...]
) -> tuple[list[tuple[int, ...]], bool]:
    """What an index of integers holds of these columns, from both ends, and whether that is all of it."""
    seen: dict[tuple[int, ...], None] = {}
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{name} {way}" for name in columns)
        try:
            for row in db.execute(f"SELECT {', '.join(columns)} FROM {table} INDEXED BY {index} ORDER BY {order}"):
                if all(isinstance(value, int) for value in row):
                    seen[row] = None
        except UNREADABLE:
            continue
        return list(seen), True
    return list(seen), False

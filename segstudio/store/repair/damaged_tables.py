"""Reading tables of a damaged database row by row, around unreadable parts. Tables and indexes fail separately."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from segstudio.store.database.disk_errors import UNREADABLE

__all__ = [
    "Columns",
    "Numbered",
    "Row",
    "Rows",
    "columns_of",
    "each_indexed",
    "each_keyed",
    "read_index",
    "read_keyed",
    "read_numbered",
]

Row = Mapping[str, Any]
_FARTHEST = 1 << 62
_CHUNK = 100
_TYPES: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "TEXT": (str,), "BLOB": (bytes,), "REAL": (float, int)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table of the current schema: types, which may be empty, and the values for older schemas."""

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


class Numbered:
    """The rows of a table by their number (its first column is its rowid), around ranges that cannot be read.

    `numbers` rise. `rows` reads them from the disk, some at a time, whenever it is asked for; `lost` and `broken` are
    known once it was read to its end, which making one does.
    """

    def __init__(self, db: sqlite3.Connection, table: str, columns: Columns) -> None:
        self.lost = 0
        self._db = db
        self._columns = columns
        self.broken = False
        self.numbers: list[int] = []
        self._select = ""
        try:
            self._names = _present(db, table, columns)
            self.numbers, self.broken = _numbers(db, table, self._names[0])
        except UNREADABLE:
            self.broken = True
            return
        self._select = f"SELECT {', '.join(self._names)} FROM {table} NOT INDEXED WHERE {self._names[0]}"

    @property
    def whole(self) -> bool:
        """Whether every row was read."""
        return not self.lost and not self.broken

    def rows(self) -> Iterator[Row]:
        """Every row that can be read and is of the kind that was written, by its number."""
        lost = 0
        key = self._names[0] if self._select else ""
        for at in range(0, len(self.numbers), _CHUNK):
            chunk = self.numbers[at : at + _CHUNK]
            try:
                found = self._db.execute(
                    f"{self._select} BETWEEN ? AND ? ORDER BY {key}", (chunk[0], chunk[-1])
                ).fetchall()
            except UNREADABLE:
                found = [row for id_ in chunk for row in _one(self._db, f"{self._select} = ?", id_)]
            good = [row for values in found if (row := _checked(self._columns, self._names, values)) is not None]
            lost += len(chunk) - len(good)
            yield from good
        self.lost = lost

    def row(self, number: int) -> Row | None:
        """One row; None where it cannot be read."""
        for values in _one(self._db, f"{self._select} = ?", number) if self._select else ():
            return _checked(self._columns, self._names, values)
        return None


def read_numbered(db: sqlite3.Connection, table: str, columns: Columns) -> Rows:
    """The rows of a table that is small enough to be held."""
    numbered = Numbered(db, table, columns)
    return Rows(list(numbered.rows()), numbered.lost, numbered.broken)


def _one(db: sqlite3.Connection, select: str, id_: int) -> list[tuple[Any, ...]]:
    try:
        return db.execute(select, (id_,)).fetchall()
    except UNREADABLE:
        return []


def _numbers(db: sqlite3.Connection, table: str, key: str) -> tuple[list[int], bool]:
    """Every number that can be read, rising, and whether there may be more; pages of content are not needed for it."""
    query = f"SELECT {key} FROM {table} NOT INDEXED WHERE {key} >= ? ORDER BY {key}"
    ids: list[int] = []
    start = -_FARTHEST
    stuck = 0
    broken = False
    while True:
        before = len(ids)
        try:
            for (id_,) in db.execute(query, (start,)):
                if ids and id_ <= ids[-1]:
                    raise sqlite3.DatabaseError("numbers do not rise")
                ids.append(id_)
        except UNREADABLE:
            broken = True
        else:
            return ids, broken
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
            return ids, broken
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
    """The rows of a table without numbers that is small enough to be held; see `each_keyed`."""
    out = Rows()
    found: dict[tuple[Any, ...], Row] = {}

    def take(row: Row) -> None:
        found.setdefault(tuple(row[name] for name in columns.key), row)

    out.lost, out.broken = each_keyed(db, table, columns, take, leading)
    out.rows = [found[key] for key in sorted(found)]
    return out


def each_keyed(
    db: sqlite3.Connection,
    table: str,
    columns: Columns,
    take: Callable[[Row], None],
    leading: list[int] | None = None,
) -> tuple[int, bool]:
    """Pass on the rows of a table without numbers, from its beginning and its end as far as they can be read.

    With `leading`, values of the first column of its key, the rows of each of them separately too where that is
    needed. A row may come twice. Returns how many rows are not of the kind that was written, and whether there may be
    more.
    """
    try:
        names = _present(db, table, columns)
    except UNREADABLE:
        return 0, True
    lost: set[tuple[Any, ...]] = set()
    places = [names.index(name) for name in columns.key]

    def check(values: tuple[Any, ...]) -> None:
        row = _checked(columns, names, values)
        if row is None:
            lost.add(tuple(values[place] for place in places))
        else:
            take(row)

    if _both_ways(db, table, names, columns.key, "", (), check):
        return len(lost), False
    for value in leading or ():
        _both_ways(db, table, names, columns.key, f"WHERE {columns.key[0]} = ?", (value,), check)
    return len(lost), True


def _both_ways(
    db: sqlite3.Connection,
    table: str,
    names: list[str],
    key: tuple[str, ...],
    where: str,
    bound: tuple[Any, ...],
    take: Callable[[tuple[Any, ...]], None],
) -> bool:
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{name} {way}" for name in key)
        try:
            for row in db.execute(f"SELECT {', '.join(names)} FROM {table} {where} ORDER BY {order}", bound):
                take(row)
        except UNREADABLE:
            continue
        return True
    return False


def read_index(
    db: sqlite3.Connection, index: str, table: str, columns: tuple[str, ...]
) -> tuple[list[tuple[int, ...]], bool]:
    """What an index of integers holds of these columns, and whether that is all of it; see `each_indexed`."""
    seen: dict[tuple[int, ...], None] = {}
    whole = each_indexed(db, index, table, columns, lambda key: seen.setdefault(key, None))
    return list(seen), whole


def each_indexed(
    db: sqlite3.Connection,
    index: str,
    table: str,
    columns: tuple[str, ...],
    take: Callable[[tuple[int, ...]], object],
) -> bool:
    """Pass on what an index of integers holds, from both ends, so some of it perhaps twice; whether it is all."""
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{name} {way}" for name in columns)
        try:
            for row in db.execute(f"SELECT {', '.join(columns)} FROM {table} INDEXED BY {index} ORDER BY {order}"):
                if all(isinstance(value, int) for value in row):
                    take(row)
        except UNREADABLE:
            continue
        return True
    return False

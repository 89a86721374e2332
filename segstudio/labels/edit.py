"""The Edit: the only way labels change. One frozen value goes through memory, journal, undo and recovery.

An edit belongs to one image, or to none (project-wide: classes, images taken out). Its laws: applying it
and then its inverse is nothing; `squash(a, b)` equals a then b; `decode_edit(encode_edit(e))` equals e.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from segstudio.errors import EditConflict
from segstudio.geometry import TILE, Rect
from segstudio.labels.model import Cause, EditId, ImageId, Seq
from segstudio.labels.tiles.codec import decode_tile, encode_tile
from segstudio.labels.tiles.tile import Tile, changed_rect, same

__all__ = [
    "ADDED_COLUMNS",
    "Batch",
    "Columns",
    "Edit",
    "RowChange",
    "Table",
    "TileChange",
    "TileKey",
    "decode_edit",
    "encode_edit",
    "equal",
    "joined_rows",
    "new_edit_id",
    "now_utc",
    "squash",
]

TileKey = tuple[int, int, int]
"""(plane, ty, tx)"""

Columns = Mapping[str, str | int | float | bool | None]


class Table(StrEnum):
    """Tables whose rows an edit changes."""

    OBJECTS = "objects"
    CLASSES = "classes"
    IMAGES = "images"


ADDED_COLUMNS: Mapping[tuple[Table, str], bool | float] = {
    (Table.OBJECTS, "locked"): False,
    (Table.CLASSES, "opacity"): 1.0,
}
"""Columns that came later than their table, and what they are in a row that lacks them."""


@dataclass(frozen=True, slots=True)
class TileChange:
    """A tile before and after; never the same.

    `within`, where it is known, is a rectangle outside which they do not differ, counted from the tile's corner. It is
    a hint for views, not kept with the edit.
    """

    before: Tile
    after: Tile
    within: Rect | None = field(default=None, compare=False)

    def inverted(self) -> "TileChange":
        """The change the other way round."""
        return TileChange(self.after, self.before, self.within)


@dataclass(frozen=True, slots=True)
class RowChange:
    """Columns of one row before and after; None where the row does not exist on that side.

    Keys: object id within the edit's image, class id, image id.
    """

    table: Table
    key: int
    before: Columns | None
    after: Columns | None

    def inverted(self) -> "RowChange":
        """The change the other way round."""
        return replace(self, before=self.after, after=self.before)

    @property
    def relabels(self) -> bool:
        """Whether pixels count as something else after it: not by a lock, a status, or the look of a class."""
        if self.table is Table.OBJECTS:
            return self.before is None or self.after is None or "class_id" in self.after
        both = self.before is not None and self.after is not None  # a class that is new has no pixel
        return self.table is Table.CLASSES and both and not _MEANING.isdisjoint(self.after or ())


_MEANING = frozenset(("kind", "removed", "merged_into"))
"""The columns of a class that its pixels depend on."""


def new_edit_id() -> EditId:
    """A random number of 63 bits (SQLite's integers are signed)."""
    return EditId(secrets.randbits(63))


def now_utc() -> str:
    """The time as ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Batch:
    """What the edits of one change of many images have in common: written in one transaction, undone together."""

    cause: Cause
    author: str = ""
    id: int = field(default_factory=lambda: secrets.randbits(63))
    time: str = field(default_factory=now_utc)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of labels, object rows, class rows or status."""

    image: ImageId | None
    cause: Cause
    tiles: Mapping[TileKey, TileChange] = field(default_factory=dict[TileKey, TileChange])
    rows: tuple[RowChange, ...] = ()
    tool: str = ""
    author: str = ""
    id: EditId = field(default_factory=new_edit_id)
    time: str = field(default_factory=now_utc)
    undoes: Seq | None = None
    batch: int | None = None

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.tiles and not self.rows

    @property
    def relabels(self) -> bool:
        """Whether something else can be learned after it."""
        return bool(self.tiles) or any(row.relabels for row in self.rows)

    def repainted(self, plane: int) -> tuple[Rect, ...]:
        """Rectangles around the pixels of a plane that belong to another object now, one a tile, row by row."""
        found: list[Rect] = []
        for key in sorted(key for key in self.tiles if key[0] == plane):
            _, ty, tx = key
            change = self.tiles[key]
            part = change.within or changed_rect(change.before, change.after)
            if not part.empty:
                found.append(part.moved(tx * TILE, ty * TILE))
        return tuple(found)

    def inverted(self, target: Seq, cause: Cause) -> "Edit":
        """The edit that takes this one, stored under the number `target`, back (cause undo) or again (redo)."""
        return replace(
            self,
            tiles={key: change.inverted() for key, change in self.tiles.items()},
            rows=tuple(row.inverted() for row in reversed(self.rows)),
            cause=cause,
            id=new_edit_id(),
            time=now_utc(),
            undoes=target,
            batch=None,
        )


def squash(a: Edit, b: Edit) -> Edit:
    """One edit that does what `a` and then `b` do. Raises `EditConflict` where b does not follow a."""
    if a.image != b.image:
        raise EditConflict("edits of two images cannot be squashed")
    tiles = dict(a.tiles)
    for key, change in b.tiles.items():
        earlier = tiles.get(key)
        if earlier is None:
            tiles[key] = change
        elif not same(earlier.after, change.before):
            raise EditConflict(f"tile {key} differs between the edits")
        elif same(earlier.before, change.after):
            del tiles[key]
        else:
            tiles[key] = TileChange(earlier.before, change.after)
    return replace(a, tiles=tiles, rows=joined_rows((*a.rows, *b.rows)), id=b.id, time=b.time)


def joined_rows(rows: Iterable[RowChange]) -> tuple[RowChange, ...]:
    """Changes made one after the other as at most one a row; those that cancel out are left out.

    Raises `EditConflict` where a change does not follow the one before it.
    """
    joined: dict[tuple[Table, int], RowChange] = {}
    for row in rows:
        earlier = joined.pop((row.table, row.key), None)
        change = row if earlier is None else _joined(earlier, row)
        if change.before != change.after:
            joined[row.table, row.key] = change
    return tuple(joined.values())


def _joined(a: RowChange, b: RowChange) -> RowChange:
    if (a.after is None) != (b.before is None):
        raise EditConflict(f"row {a.table} {a.key} differs between the edits")
    if a.after is None or b.before is None:
        before, after = a.before, b.after
        if before is not None and after is not None:  # deleted and made again: either row may lack something
            before, after = {**_lacking(a.table, after), **before}, {**_lacking(a.table, before), **after}
    else:
        if any(a.after[column] != value for column, value in b.before.items() if column in a.after):
            raise EditConflict(f"row {a.table} {a.key} differs between the edits")
        before = None if a.before is None else {**b.before, **a.before}
        after = None if b.after is None else {**a.after, **b.after}
    return RowChange(a.table, a.key, before, after)


def _lacking(table: Table, columns: Columns) -> Columns:
    """What these columns are in a row that lacks them."""
    return {column: ADDED_COLUMNS.get((table, column)) for column in columns}


def equal(a: Edit, b: Edit) -> bool:
    """Whether two edits are the same in every part, tiles compared by their pixels."""
    return (
        replace(a, tiles={}) == replace(b, tiles={})
        and a.tiles.keys() == b.tiles.keys()
        and all(
            same(change.before, b.tiles[key].before) and same(change.after, b.tiles[key].after)
            for key, change in a.tiles.items()
        )
    )


class _EditWire(msgspec.Struct, array_like=True):
    image: int | None
    cause: Cause
    tiles: list[tuple[int, int, int, bytes, bytes]]
    rows: list[tuple[Table, int, dict[str, Any] | None, dict[str, Any] | None]]
    tool: str
    author: str
    id: int
    time: str
    undoes: int | None
    batch: int | None


def encode_edit(edit: Edit) -> bytes:
    """An edit, tiles included, as msgpack: for edits that the disk has refused."""
    return msgspec.msgpack.encode(
        _EditWire(
            image=edit.image,
            cause=edit.cause,
            tiles=[(*key, encode_tile(change.before), encode_tile(change.after)) for key, change in edit.tiles.items()],
            rows=[(row.table, row.key, _plain(row.before), _plain(row.after)) for row in edit.rows],
            tool=edit.tool,
            author=edit.author,
            id=edit.id,
            time=edit.time,
            undoes=edit.undoes,
            batch=edit.batch,
        )
    )


def _plain(columns: Columns | None) -> dict[str, Any] | None:
    return None if columns is None else dict(columns)


def decode_edit(data: bytes) -> Edit:
    """The edit of these bytes. Raises `msgspec.DecodeError`, or `ProjectDamaged` for a tile, where they are none."""
    wire = msgspec.msgpack.decode(data, type=_EditWire)
    return Edit(
        image=None if wire.image is None else ImageId(wire.image),
        cause=wire.cause,
        tiles={(p, ty, tx): TileChange(decode_tile(b), decode_tile(a)) for p, ty, tx, b, a in wire.tiles},
        rows=tuple(RowChange(table, key, before, after) for table, key, before, after in wire.rows),
        tool=wire.tool,
        author=wire.author,
        id=EditId(wire.id),
        time=wire.time,
        undoes=None if wire.undoes is None else Seq(wire.undoes),
        batch=wire.batch,
    )

"""The last edit that two copies of a project have in common, and what one of them changed since.

Copies share the first edits' random ids in order. From there one side's journal is walked backwards from the tiles and
current rows: by exclusive or, both ends proved by their digests.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from segstudio.errors import ProjectDamaged
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Columns, RowChange, Table, TileKey
from segstudio.labels.model import ClassId, ClassTable, ImageId, ObjectId, Seq
from segstudio.labels.tiles.tile import Tile, digest
from segstudio.store.history.historic_states import Trail, led_back, trails
from segstudio.store.history.journal_walk import Effect, effects, rows_of
from segstudio.store.history.undo_horizon import floor_of, has_deltas
from segstudio.store.writing.label_rows import read_locked, read_marks, read_objects
from segstudio.text import _

__all__ = [
    "JournalCutError",
    "Removals",
    "Since",
    "classes_at",
    "last_common_edit",
    "removals_since",
    "since",
]


class JournalCutError(Exception):
    """The deltas of an edit that must be walked over are gone: the journal was compacted."""


def last_common_edit(a: sqlite3.Connection, b: sqlite3.Connection) -> Seq | None:
    """Number of the last edit of the longest common prefix of two journals; 0 for copies made before the first edit.

    None where the projects are not copies of each other. An edit's id is random, and a journal only grows: where two
    journals agree at a number they agree at all before it, so the end is found by halving.
    """
    low, high = 0, min(_last(a), _last(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _edit_id(a, middle) == _edit_id(b, middle) else (low, middle - 1)
    return Seq(low) if low or _uuid(a) == _uuid(b) else None


def _last(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM edits").fetchone()[0])


def _edit_id(db: sqlite3.Connection, seq: int) -> int:
    row = db.execute("SELECT id FROM edits WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)).fetchone()
    return 0 if row is None else int(row[0])


def _uuid(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT value FROM settings WHERE key = 'uuid'").fetchone()[0])


Removals = Mapping[ImageId, tuple[int, bool]]
"""By image: the number of the first project-wide edit since then that took it out or brought it back, and whether it
was taken out before that."""


def removals_since(db: sqlite3.Connection, seq: Seq) -> Removals:
    """The images that edits of the whole project took out or brought back after edit `seq`."""
    return _removals(db, effects(db, None, seq))


def _removals(db: sqlite3.Connection, done: Sequence[Effect]) -> Removals:
    found: dict[ImageId, tuple[int, bool]] = {}
    for effect in reversed(done):
        for row in rows_of(db, effect, back=True):
            if row.table is Table.IMAGES and row.after is not None and "removed" in row.after:
                found[ImageId(row.key)] = effect.seq, bool(row.after["removed"])
    return found


def classes_at(db: sqlite3.Connection, now: ClassTable, seq: Seq) -> ClassTable:
    """The class table as it stood after an edit."""
    table = now
    for row in _rows_back(db, effects(db, None, seq)):
        table = apply_class_row(table, row)
    return table


def _rows_back(db: sqlite3.Connection, done: Sequence[Effect]) -> Iterator[RowChange]:
    """Each row's change the other way round, in the order in which they lead back."""
    for effect in reversed(done):
        yield from rows_of(db, effect, back=True)


@dataclass(frozen=True, slots=True)
class Since:
    """An image at an earlier edit: its objects, which were locked, status by planes and removal then, and the way
    there.

    The way is in one side's journal, B's unless that was cut: `trails` lead each tile that it touched since then
    back. `lost`: labels were lost on one side since, and the former tiles are not reliable.
    """

    objects: Mapping[ObjectId, ClassId]
    locked: frozenset[ObjectId]
    marks: Marks
    removed: bool
    journal: sqlite3.Connection
    of_b: bool
    trails: Mapping[TileKey, Trail]
    lost: bool

    def tile(self, key: TileKey, a: Tile, b: Tile) -> Tile | None:
        """A tile as it was then, which is `a` and `b` today; None where that is not reliable.

        Raises `ProjectDamaged` where a delta does not lead to what its digest promises.
        """
        if self.lost:
            return None
        tile, other = (b, a) if self.of_b else (a, b)
        trail = self.trails.get(key)
        if trail is None:
            return tile
        if digest(other) == trail.before:
            return other  # which the other side did not touch
        then = led_back(self.journal, tile, trail)
        if then is None:
            raise ProjectDamaged(_("The journal of a project is damaged: an image cannot be followed back."))
        return then


def since(
    a: sqlite3.Connection,
    b: sqlite3.Connection,
    image: ImageId,
    seq: Seq,
    *,
    lost: bool = False,
    removals: Removals = MappingProxyType({}),
) -> Since:
    """The state of an image of both after edit `seq`, and the way there; `lost` as in `Since`, `removals` are B's.

    Raises `JournalCutError` where deltas after it are gone from both journals.
    """
    (removed,) = b.execute("SELECT removed FROM images WHERE id = ?", (image,)).fetchone()
    columns: dict[str, Any] = {**read_marks(b, image).columns, "removed": removed}
    objects, locked = read_objects(b, image), set(read_locked(b, image))
    done = effects(b, image, seq)
    for row in _rows_back(b, done):
        if row.table is Table.IMAGES:
            columns.update(row.after or {})
        elif row.table is Table.OBJECTS:
            _object_back(ObjectId(row.key), row.after, objects, locked)
    taken_out = [removal for found in (removals, _removals(b, done)) if (removal := found.get(image)) is not None]
    was_out = min(taken_out)[1] if taken_out else bool(columns["removed"])
    then = Marks().changed(columns), was_out
    if lost:
        return Since(objects, frozenset(locked), *then, b, False, {}, True)
    for db in (b, a):
        if floor_of(db) <= seq and all(has_deltas(db, effect.root) for effect in effects(db, image, seq)):
            return Since(objects, frozenset(locked), *then, db, db is b, trails(db, image, seq), False)
    raise JournalCutError


def _object_back(
    id_: ObjectId, columns: Columns | None, objects: dict[ObjectId, ClassId], locked: set[ObjectId]
) -> None:
    """Make an object what a row's change says; None: it is not there."""
    if columns is None:
        objects.pop(id_, None)
        locked.discard(id_)
        return
    if "class_id" in columns:
        objects[id_] = ClassId(int(columns["class_id"] or 0))
    if "locked" in columns:
        (locked.add if columns["locked"] else locked.discard)(id_)

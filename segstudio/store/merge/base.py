"""The last edit that two copies of a project have in common, and what one of them changed since.

Copies share the first edits' random ids in order. From there one side's journal is walked backwards from the tiles and
rows of today: by exclusive or, each step proved by its digests.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from segstudio.errors import ProjectDamaged
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.edit import RowChange, Table, TileKey
from segstudio.labels.model import ClassId, ClassTable, ImageId, ObjectId, Seq, Status
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.tile import Tile, digest
from segstudio.store.history.undo_horizon import floor_of
from segstudio.store.writing.label_rows import read_objects

__all__ = [
    "JournalCutError",
    "Removals",
    "Since",
    "classes_at",
    "drop_index",
    "index_edits",
    "last_common_edit",
    "removals_since",
    "since",
]

_Rows = list[tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]]


class JournalCutError(Exception):
    """The deltas of an edit that must be walked over are gone: the journal was compacted."""


def last_common_edit(a: sqlite3.Connection, b: sqlite3.Connection) -> Seq | None:
    """Number of the last edit of the longest common prefix of two journals; 0 for copies made before the first edit.

    None where the projects are no copies of each other. An edit's id is random, and a journal only grows: where two
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


def index_edits(db: sqlite3.Connection) -> None:
    """Let the edits of one image be found without a scan, for as long as the merge lasts."""
    db.execute("CREATE INDEX IF NOT EXISTS merge_edits ON edits (image, seq)")


def drop_index(db: sqlite3.Connection) -> None:
    """Take that index away again."""
    db.execute("DROP INDEX IF EXISTS merge_edits")


@dataclass(frozen=True, slots=True)
class _Step:
    """An edit as it has to be taken back: where its tiles and rows stand, and whether it was an undo of them."""

    root: int
    inverse: bool
    seq: int


def _steps(db: sqlite3.Connection, image: ImageId | None, seq: Seq) -> list[_Step]:
    """The edits of an image, or the project-wide ones, after a number, newest first."""
    found = db.execute(
        "SELECT coalesce(t.undoes, e.undoes, e.seq), e.inverse, e.seq "
        "FROM edits e LEFT JOIN edits t ON t.seq = e.undoes WHERE e.image IS ? AND e.seq > ? ORDER BY e.seq DESC",
        (image, seq),
    )
    return [_Step(int(root), bool(inverse), int(number)) for root, inverse, number in found]


def _rows(db: sqlite3.Connection, steps: list[_Step]) -> Iterator[RowChange]:
    """Each row's change the other way round, in the order in which they lead back."""
    for step in steps:
        yield from _rows_of(db, step)


def _rows_of(db: sqlite3.Connection, step: _Step) -> Iterator[RowChange]:
    blob = db.execute("SELECT rows FROM edits WHERE seq = ?", (step.root,)).fetchone()[0]
    if blob is None:
        return
    wire = msgspec.msgpack.decode(blob, type=_Rows)
    rows = [RowChange(Table(table), key, before, after) for table, key, before, after in wire]
    # An undo made the rows' changes backwards, so they lead back as they stand.
    yield from rows if step.inverse else (row.inverted() for row in reversed(rows))


Removals = Mapping[ImageId, tuple[int, bool]]
"""By image: the number of the first project-wide edit since then that took it out or brought it back, and whether it
was taken out before that."""


def removals_since(db: sqlite3.Connection, seq: Seq) -> Removals:
    """The images that edits of the whole project took out or brought back after edit `seq`."""
    return _removals(db, _steps(db, None, seq))


def _removals(db: sqlite3.Connection, steps: list[_Step]) -> Removals:
    found: dict[ImageId, tuple[int, bool]] = {}
    for step in steps:
        for row in _rows_of(db, step):
            if row.table is Table.IMAGES and row.after is not None and "removed" in row.after:
                found[ImageId(row.key)] = step.seq, bool(row.after["removed"])
    return found


def classes_at(db: sqlite3.Connection, now: ClassTable, seq: Seq) -> ClassTable:
    """The class table as it stood after an edit."""
    table = now
    for row in _rows(db, _steps(db, None, seq)):
        table = apply_class_row(table, row)
    return table


@dataclass(frozen=True, slots=True)
class Since:
    """An image at an earlier edit: its objects, status and removal then, and the way there.

    The way is in one side's journal, B's unless that was cut: `steps` leads each tile that this side touched since then
    back, newest first. `lost`: labels were lost on one side since, and how the tiles were is not to be relied upon.
    """

    objects: Mapping[ObjectId, ClassId]
    status: Status
    removed: bool
    journal: sqlite3.Connection
    of_b: bool
    steps: Mapping[TileKey, list[_Step]]
    lost: bool

    def tile(self, key: TileKey, a: Tile, b: Tile) -> Tile | None:
        """A tile as it was then, which is `a` and `b` today; None where that is not to be relied upon.

        Raises `ProjectDamaged` where a delta does not lead to what its digest promises.
        """
        if self.lost:
            return None
        tile, other = (b, a) if self.of_b else (a, b)
        steps = self.steps.get(key, [])
        if not steps:
            return tile
        oldest = _delta(self.journal, steps[-1].root, key)
        if digest(other) == (oldest[1] if steps[-1].inverse else oldest[0]):
            return other  # which the other side did not touch
        for step in steps:
            before, after, data = _delta(self.journal, step.root, key)
            now, then = (before, after) if step.inverse else (after, before)
            earlier = apply_delta(tile, data)
            if digest(tile) != now or digest(earlier) != then:
                raise ProjectDamaged("The journal of a project is damaged: an image cannot be followed back.")
            tile = earlier
        return tile


def _delta(db: sqlite3.Connection, seq: int, key: TileKey) -> tuple[bytes, bytes, bytes]:
    return db.execute(
        "SELECT before, after, data FROM deltas WHERE seq = ? AND plane = ? AND ty = ? AND tx = ?", (seq, *key)
    ).fetchone()


def since(
    a: sqlite3.Connection,
    b: sqlite3.Connection,
    image: ImageId,
    seq: Seq,
    *,
    lost: bool = False,
    removals: Removals = MappingProxyType({}),
) -> Since:
    """What an image of both was after edit `seq`, and how to get there; `lost` as in `Since`, `removals` are B's.

    Raises `JournalCutError` where deltas after it are gone from both journals.
    """
    status, removed = b.execute("SELECT status, removed FROM images WHERE id = ?", (image,)).fetchone()
    columns: dict[str, Any] = {"status": status, "removed": removed}
    objects = read_objects(b, image)
    steps = _steps(b, image, seq)
    for row in _rows(b, steps):
        if row.table is Table.IMAGES:
            columns.update(row.after or {})
        elif row.table is Table.OBJECTS and row.after is None:
            objects.pop(ObjectId(row.key), None)
        elif row.table is Table.OBJECTS and row.after is not None and "class_id" in row.after:
            objects[ObjectId(row.key)] = ClassId(int(row.after["class_id"] or 0))
    taken_out = [removal for found in (removals, _removals(b, steps)) if (removal := found.get(image)) is not None]
    was_out = min(taken_out)[1] if taken_out else bool(columns["removed"])
    then = Status(columns["status"]), was_out
    if lost:
        return Since(objects, *then, b, False, {}, True)
    touched = _touched(b, steps) if floor_of(b) <= seq else None
    of_b = touched is not None
    if touched is None:
        index_edits(a)
        touched = _touched(a, _steps(a, image, seq)) if floor_of(a) <= seq else None
    if touched is None:
        raise JournalCutError
    return Since(objects, *then, b if of_b else a, of_b, touched, False)


def _touched(db: sqlite3.Connection, steps: list[_Step]) -> dict[TileKey, list[_Step]] | None:
    """The steps of each tile; None where the deltas of a step are gone."""
    found: dict[TileKey, list[_Step]] = {}
    for step in steps:
        keys = db.execute("SELECT plane, ty, tx FROM deltas WHERE seq = ?", (step.root,)).fetchall()
        if not keys and db.execute("SELECT pixels FROM edits WHERE seq = ?", (step.root,)).fetchone()[0]:
            return None
        for plane, ty, tx in keys:
            found.setdefault((plane, ty, tx), []).append(step)
    return found

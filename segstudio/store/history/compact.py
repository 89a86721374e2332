"""Make a project smaller: forget the history of labels up to a number, the *floor*, and keep the labels.

Who changed what and when stays, rows included. Of the deltas up to the floor those between two kept states (named
snapshots, and the floor itself) are joined to one a tile, as `store.history.historic_states` describes, so that
snapshots stay restorable;
an edit that was undone or redone after the floor keeps its own. Daily snapshots below the floor go.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.codec import encode_tile
from segstudio.store.database.disk_space import must_have_room
from segstudio.store.history.historic_states import kept_roots, trail_tile, trails
from segstudio.store.history.journal_walk import effects
from segstudio.store.history.undo_horizon import COMPACTED_POINTS, compacted_points
from segstudio.store.progress_token import Ticker
from segstudio.store.writing.journal import last_seq
from segstudio.text import N_, _

__all__ = [
    "CompactPlan",
    "compact_journal",
    "database_bytes",
    "floor_before",
    "must_have_room_for_vacuum",
    "plan_compact",
    "vacuum",
]

_NEEDS_ROOM = N_("Compacting needs {needed} MB, and '{folder}' has {free} MB free.")


@dataclass(frozen=True, slots=True)
class CompactPlan:
    """What compacting up to `floor` means: `points` are the states that stay restorable, rising.

    `edits` up to the floor can no longer be undone; at most `deltas` of `size` bytes go; `named` snapshots stay,
    `daily` ones go. `time` (UTC) is that of the edit at the floor.
    """

    floor: Seq
    time: str
    points: tuple[Seq, ...]
    edits: int
    deltas: int
    size: int
    named: tuple[str, ...]
    daily: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to drop."""
        return self.deltas == 0 or self.edits == 0


def floor_before(db: sqlite3.Connection, time: str) -> Seq:
    """The last edit before the first made at this time (ISO 8601, UTC) or later.

    So a clock that went backwards makes the floor lower, never higher.
    """
    first = db.execute("SELECT min(seq) FROM edits WHERE time >= ?", (time,)).fetchone()[0]
    return Seq(last_seq(db) if first is None else first - 1)


def plan_compact(db: sqlite3.Connection, floor: Seq) -> CompactPlan:
    """The effect of compacting up to this edit; the floor is lowered where it would divide a batch."""
    old = compacted_points(db)
    floor = max(_beside_batches(db, min(floor, last_seq(db))), old[-1] if old else Seq(0))
    snapshots = db.execute("SELECT name, seq, kind FROM snapshots WHERE seq <= ? ORDER BY seq", (floor,)).fetchall()
    named = [(name, seq) for name, seq, kind in snapshots if kind == "named"]
    kept = {seq for _, seq in named if not old or seq >= old[-1] or seq in old}
    points = tuple(Seq(seq) for seq in sorted({*kept, floor}))
    edits = db.execute("SELECT count(*) FROM edits WHERE seq <= ?", (floor,)).fetchone()[0]
    deltas, size = db.execute("SELECT count(*), sum(length(data)) FROM deltas WHERE seq <= ?", (floor,)).fetchone()
    row = db.execute("SELECT time FROM edits WHERE seq = ?", (floor,)).fetchone()
    unchanged = bool(old) and points == old
    return CompactPlan(
        floor=floor,
        time="" if row is None else row[0],
        points=points,
        edits=0 if unchanged else edits,
        deltas=0 if unchanged else deltas,
        size=0 if unchanged else int(size or 0),
        named=tuple(name for name, seq in named if seq in points),
        daily=tuple(name for name, seq, kind in snapshots if kind == "daily" and seq not in points),
    )


def _beside_batches(db: sqlite3.Connection, floor: Seq) -> Seq:
    """The floor, or the number before the batch that it lies within: a batch is undone whole or not at all."""
    here, next_ = (_batch(db, seq) for seq in (floor, floor + 1))
    if here is None or here != next_:
        return floor
    return Seq(db.execute("SELECT min(seq) - 1 FROM edits WHERE batch = ?", (here,)).fetchone()[0])


def _batch(db: sqlite3.Connection, seq: int) -> int | None:
    row = db.execute("SELECT batch FROM edits WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def compact_journal(db: sqlite3.Connection, plan: CompactPlan, ticker: Ticker) -> None:
    """Do it, in the open transaction, image by image. Raises `Cancelled`, at the last before the commit begins."""
    query = "SELECT DISTINCT image FROM edits WHERE image IS NOT NULL AND seq <= ?"
    images = [ImageId(row[0]) for row in db.execute(query, (plan.floor,))]
    ticker.total = len(images)
    for image in images:
        _compact_image(db, image, plan.points)
        ticker.step()
    ids = db.execute("SELECT id, seq FROM snapshots WHERE kind = 'daily' AND seq < ?", (plan.floor,)).fetchall()
    for id_, seq in ids:
        if seq not in plan.points:
            db.execute("DELETE FROM snapshots WHERE id = ?", (id_,))
    kept = msgspec.json.encode(plan.points).decode()
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (COMPACTED_POINTS, kept))
    ticker.step(0)


def _compact_image(db: sqlite3.Connection, image: ImageId, points: tuple[Seq, ...]) -> None:
    """Newest first: what joins the deltas of an earlier span reads none of a later one."""
    kept = kept_roots(db, image, points[-1])
    for low, high in reversed(list(pairwise(points))):
        own = [effect.seq for effect in effects(db, image, low, high) if effect.seq not in kept]
        if own:
            joined = _joined(db, image, low, high)
            _drop(db, own)
            db.executemany(
                "INSERT INTO deltas (seq, plane, ty, tx, before, after, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(own[-1], *row) for row in joined],
            )
    _drop(db, [effect.seq for effect in effects(db, image, Seq(0), points[0]) if effect.seq not in kept])


def _joined(
    db: sqlite3.Connection, image: ImageId, low: Seq, high: Seq
) -> list[tuple[int, int, int, bytes, bytes, bytes]]:
    """(plane, ty, tx, digest before, digest after, delta) of every tile that differs between two states."""
    return [
        (*key, trail.before, trail.after, encode_tile(trail_tile(db, trail)))
        for key, trail in sorted(trails(db, image, low, high).items())
        if trail.before != trail.after
    ]


def _drop(db: sqlite3.Connection, seqs: Iterable[Seq]) -> None:
    db.executemany("DELETE FROM deltas WHERE seq = ?", [(seq,) for seq in seqs])


# --- the file


def database_bytes(db: sqlite3.Connection) -> int:
    """How large the database's file is once the log has been moved into it."""
    pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(size)


def must_have_room_for_vacuum(database: Path) -> None:
    """Raise `DiskRefused` where the disks cannot hold what `vacuum` needs: a copy of the database in each place."""
    size = sum(path.stat().st_size for path in (database, Path(f"{database}-wal")) if path.exists())
    needed: dict[int, tuple[Path, int]] = {}
    for folder in (database.parent, _temporary()):
        device = folder.stat().st_dev
        needed[device] = (needed[device][0] if device in needed else folder, needed.get(device, (folder, 0))[1] + size)
    for folder, bytes_ in needed.values():
        must_have_room(folder, bytes_, _NEEDS_ROOM, safe=_("The project is untouched."))


def _temporary() -> Path:
    """Where SQLite puts the file that VACUUM writes."""
    if os.name != "nt":
        places = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp")
        for place in places:
            if place and os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
                return Path(place)
    return Path(tempfile.gettempdir())


def vacuum(db: sqlite3.Connection) -> None:
    """Return the file's free pages to the disk. A job of the writer, whose open transaction it ends and begins again:
    VACUUM runs in none."""
    db.execute("COMMIT")
    try:
        # In memory, where temporary files are otherwise kept, it would take as much memory as the project's size.
        db.execute("PRAGMA temp_store = 1")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute("PRAGMA temp_store = 2")
        db.execute("BEGIN IMMEDIATE")

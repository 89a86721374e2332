"""Labels as they stood after an earlier edit, from today's tiles and the journal. Changes nothing.

Every edit is an exclusive or with the deltas of its root (`store.history.journal_walk`). So what leads a tile from one
state to another is the exclusive or of the deltas whose root comes up an odd number of times between; the digests at
both ends are the proof. Rows are joined edit by edit.
"""

import sqlite3
from dataclasses import dataclass, field

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import RowChange, TileKey, joined_rows
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.tile import EMPTY, Tile, digest
from segstudio.store.history.journal_walk import Standing, deltas_of, effects, kept_among, rows_of
from segstudio.store.history.undo_horizon import compacted_points, floor_of
from segstudio.store.writing.label_rows import read_tile
from segstudio.text import _

__all__ = [
    "Trail",
    "changed_images",
    "kept_roots",
    "led_back",
    "rows_back_to",
    "tile_back",
    "trail_tile",
    "trails",
]


@dataclass(slots=True)
class Trail:
    """How one tile came from one state to a later one: digests of both, and the deltas (ids) that lie between."""

    before: bytes
    after: bytes
    deltas: set[int] = field(default_factory=set[int])


def changed_images(db: sqlite3.Connection, since: Seq) -> list[ImageId]:
    """Images that have an edit after this one, in the project's order."""
    rows = db.execute("SELECT id FROM images WHERE last_edit > ? ORDER BY position", (since,))
    return [ImageId(row[0]) for row in rows]


def kept_roots(db: sqlite3.Connection, image: ImageId, floor: Seq) -> set[Seq]:
    """Edits up to the floor that were undone or redone after it: their deltas stay as they are."""
    return kept_among(effects(db, image, floor), floor)


def rows_back_to(db: sqlite3.Connection, image: ImageId | None, seq: Seq) -> tuple[RowChange, ...]:
    """At most one change a row, that lead the current rows back to those after `seq`. Rows are never compacted."""
    return joined_rows(row for effect in reversed(effects(db, image, seq)) for row in rows_of(db, effect, back=True))


def trails(db: sqlite3.Connection, image: ImageId, low: Seq, high: Seq | None = None) -> dict[TileKey, Trail]:
    """How each tile that was touched came from the state after `low` to that after `high` (by default today's).

    Both must be kept (`must_be_kept`). Nothing is decoded; the memory is that of the deltas' numbers of one image.
    """
    done = effects(db, image, low) if high is None else effects(db, image, low, high)
    points, floor = compacted_points(db), floor_of(db)
    standing = Standing(done, points, kept_roots(db, image, floor) if low < floor else set())
    found: dict[TileKey, Trail] = {}
    for effect in filter(None, map(standing.at, done)):
        for key, before, after, delta in deltas_of(db, effect):
            trail = found.setdefault(key, Trail(before, after))
            trail.after = after
            trail.deltas ^= {delta}
    return found


def trail_tile(db: sqlite3.Connection, trail: Trail) -> Tile:
    """The exclusive or of a trail's deltas: what leads from either end to the other."""
    return _joined(db, EMPTY, trail)


def led_back(db: sqlite3.Connection, tile: Tile, trail: Trail) -> Tile | None:
    """What `tile`, at the end of a trail, was at its beginning; None where the digests of both do not prove it."""
    then = _joined(db, tile, trail)
    return then if digest(tile) == trail.after and digest(then) == trail.before else None


def tile_back(db: sqlite3.Connection, image: ImageId, key: TileKey, trail: Trail) -> tuple[Tile, Tile]:
    """A tile today, and at the beginning of a trail that ends today; both checked. Raises `ProjectDamaged`."""
    now = read_tile(db, image, key)
    then = led_back(db, now, trail)
    if then is None:
        path = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]
        raise ProjectDamaged(
            _("The journal of '{path}' is damaged: its earlier labels cannot be read.", path=path),
            safe=_("The current labels are untouched."),
        )
    return now, then


def _joined(db: sqlite3.Connection, tile: Tile, trail: Trail) -> Tile:
    for delta in sorted(trail.deltas):
        tile = apply_delta(tile, db.execute("SELECT data FROM deltas WHERE id = ?", (delta,)).fetchone()[0])
    return tile

"""Labels as they stood after an earlier edit, from today's tiles and the journal. Changes nothing.

Every edit, an undo or a redo included, is an exclusive or with the deltas of its *root*: the new edit that it makes,
takes back or makes again. So what leads a tile from one state to another is the exclusive or of the deltas whose root
comes up an odd number of times between; the digests at both ends are the proof. Rows are joined edit by edit.

Up to the last of `compacted_points` (`store.history.undo_horizon`) the journal holds one delta a tile between any two
of them; states
between these are gone. The delta stands at an edit of the image, the *anchor*; the deltas of an edit that was taken
back, or made again, after it stand untouched beside it.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import RowChange, TileKey, joined_rows
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.tile import EMPTY, Tile, digest
from segstudio.store.history.undo_horizon import compacted_points, floor_of
from segstudio.store.writing.journal import decode_rows
from segstudio.store.writing.label_rows import read_tile

__all__ = [
    "Effect",
    "Trail",
    "changed_images",
    "effects",
    "kept_roots",
    "rows_back_to",
    "tile_back",
    "trail_tile",
    "trails",
]

_LAST = Seq(1 << 62)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one edit did: its root's change, the other way round where `inverse`."""

    seq: Seq
    root: Seq
    inverse: bool


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


_EFFECTS = """
SELECT seq, seq, 0 FROM edits WHERE {owner} AND undoes IS NULL AND seq > :low AND seq <= :high
UNION ALL
SELECT u.seq, t.seq, 1 FROM edits t JOIN edits u ON u.undoes = t.seq
WHERE t.{owner} AND t.undoes IS NULL AND t.seq <= :high AND u.seq > :low AND u.seq <= :high
UNION ALL
SELECT r.seq, t.seq, 0 FROM edits t JOIN edits u ON u.undoes = t.seq JOIN edits r ON r.undoes = u.seq
WHERE t.{owner} AND t.undoes IS NULL AND t.seq <= :high AND r.seq > :low AND r.seq <= :high
ORDER BY 1
"""


def effects(db: sqlite3.Connection, image: ImageId | None, low: Seq, high: Seq = _LAST) -> list[Effect]:
    """The edits of an image (or the project-wide ones) after `low` and up to `high`, oldest first.

    By index: the cost is that of the image's own edits.
    """
    owner = "image IS NULL" if image is None else f"image = {int(image)}"
    rows = db.execute(_EFFECTS.format(owner=owner), {"low": low, "high": high})
    return [Effect(Seq(seq), Seq(root), bool(inverse)) for seq, root, inverse in rows]


def kept_roots(db: sqlite3.Connection, image: ImageId, floor: Seq) -> set[Seq]:
    """Edits up to the floor that were taken back, or made again, after it: their deltas stay as they are."""
    return {effect.root for effect in effects(db, image, floor) if effect.root <= floor}


def rows_back_to(db: sqlite3.Connection, image: ImageId | None, seq: Seq) -> tuple[RowChange, ...]:
    """At most one change a row, that lead the rows of today back to those after `seq`. Rows are never compacted."""
    return joined_rows(_rows_backwards(db, effects(db, image, seq)))


def _rows_backwards(db: sqlite3.Connection, done: list[Effect]) -> Iterator[RowChange]:
    for effect in reversed(done):
        rows = decode_rows(db.execute("SELECT rows FROM edits WHERE seq = ?", (effect.root,)).fetchone()[0])
        yield from rows if effect.inverse else (row.inverted() for row in reversed(rows))


_Step = tuple[TileKey, int, bytes, bytes]


def trails(db: sqlite3.Connection, image: ImageId, low: Seq, high: Seq = _LAST) -> dict[TileKey, Trail]:
    """How each tile that was touched came from the state after `low` to that after `high` (by default today's).

    Both must be kept (`must_be_kept`). Nothing is decoded; the memory is that of the deltas' numbers of one image.
    """
    found: dict[TileKey, Trail] = {}
    for key, delta, before, after in _steps(db, image, low, high):
        trail = found.setdefault(key, Trail(before, after))
        trail.after = after
        trail.deltas ^= {delta}
    return found


def _steps(db: sqlite3.Connection, image: ImageId, low: Seq, high: Seq) -> Iterator[_Step]:
    points = compacted_points(db)
    floor = floor_of(db)
    if low < floor:
        kept = kept_roots(db, image, floor)
        for a, b in pairwise(point for point in points if low <= point <= high):
            yield from _squashed(db, effects(db, image, a, b), kept)
    if high > floor:
        yield from _single(db, effects(db, image, max(low, floor), high))


def _squashed(db: sqlite3.Connection, done: list[Effect], kept: set[Seq]) -> Iterator[_Step]:
    """The deltas between two kept states: those at the anchor, where there is one, else those of the edits."""
    anchors = [effect for effect in done if effect.seq not in kept]
    return _single(db, [Effect(e.seq, e.seq, False) for e in anchors] if anchors else done)


def _single(db: sqlite3.Connection, done: Iterable[Effect]) -> Iterator[_Step]:
    for effect in done:
        rows = db.execute("SELECT plane, ty, tx, id, before, after FROM deltas WHERE seq = ?", (effect.root,))
        for plane, ty, tx, delta, before, after in rows.fetchall():
            yield (plane, ty, tx), delta, *((after, before) if effect.inverse else (before, after))


def trail_tile(db: sqlite3.Connection, trail: Trail) -> Tile:
    """The exclusive or of a trail's deltas: what leads from either end to the other."""
    found: Tile = EMPTY
    for blob in _blobs(db, trail):
        found = apply_delta(found, blob)
    return found


def tile_back(db: sqlite3.Connection, image: ImageId, key: TileKey, trail: Trail) -> tuple[Tile, Tile]:
    """A tile today, and at the beginning of a trail that ends today; both checked. Raises `ProjectDamaged`."""
    now = read_tile(db, image, key)
    then = now
    for blob in _blobs(db, trail):
        then = apply_delta(then, blob)
    if digest(now) != trail.after or digest(then) != trail.before:
        path = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]
        raise ProjectDamaged(
            f"The journal of '{path}' is damaged: how it was labelled earlier cannot be read.",
            safe="The labels of today are untouched.",
        )
    return now, then


def _blobs(db: sqlite3.Connection, trail: Trail) -> Generator[bytes]:
    for delta in sorted(trail.deltas):
        yield db.execute("SELECT data FROM deltas WHERE id = ?", (delta,)).fetchone()[0]

"""Derived columns, kept in the edit's transaction from the touched tiles alone.

Area, box and pixels by origin of an object; pixels by class and origin, labelled pixels and objects of an image. The
cost does not depend on how much else is labelled, save when an object loses pixels at the edge of its box: then its
box is computed from its row in each of its tiles.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from segstudio.errors import EditConflict
from segstudio.geometry import TILE
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassId, ImageId, ObjectId
from segstudio.store.writing.object_counts import add_objects
from segstudio.store.writing.tile_stats import Extent, TileEffect

__all__ = ["Derived", "move_object"]

_ORIGINS = (None, "painted", "accepted", "imported", "filled", "computed")
_EXTENT_KEY = "image = ? AND object = ? AND plane = ? AND ty = ? AND tx = ?"
_Box = tuple[int, int, int, int]
_NOWHERE: _Box = (1 << 62, 1 << 62, -1, -1)
"""The box of nothing: united with another it gives that."""


class Derived:
    """The derived columns of one image within one transaction: effects of tiles are added, then written once."""

    def __init__(self, db: sqlite3.Connection, image: ImageId) -> None:
        self._db = db
        self._image = image
        self._gained: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._lost: dict[int, _Box] = {}
        """Of each object: the outermost sides of its old boxes in tiles whose new boxes do not reach them."""
        self._new: dict[int, _Box] = {}
        self.changed_pixels = 0

    def add(self, key: TileKey, effect: TileEffect) -> None:
        """Take in the effect of one tile's change and write the tile's extents."""
        self.changed_pixels += effect.changed
        for (object_id, origin), pixels in effect.gained.items():
            self._gained[object_id][origin] += pixels
        for object_id, extent in effect.extents.items():
            self._put_extent(key, object_id, extent)

    def _put_extent(self, key: TileKey, object_id: int, extent: Extent | None) -> None:
        where = (self._image, object_id, *key)
        old: _Box | None = self._db.execute(
            f"SELECT x0, y0, x1, y1 FROM tile_objects WHERE {_EXTENT_KEY}", where
        ).fetchone()
        y, x = key[1] * TILE, key[2] * TILE
        box = None if extent is None else (x + extent.x0, y + extent.y0, x + extent.x1, y + extent.y1)
        if old is not None:
            self._lost[object_id] = _united(self._lost.get(object_id, _NOWHERE), _lost(old, box))
        if extent is None or box is None:
            self._db.execute(f"DELETE FROM tile_objects WHERE {_EXTENT_KEY}", where)
            return
        self._new[object_id] = _united(self._new.get(object_id, _NOWHERE), box)
        self._db.execute(
            "INSERT OR REPLACE INTO tile_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*where, extent.area, *box)
        )

    def write(self) -> int:
        """Bring objects, counts and the image's sums up to date; returns the image's labelled pixels."""
        pixels = 0
        objects = Counter[int]()
        for object_id in self._gained.keys() | self._new.keys() | self._lost.keys():
            gained = self._gained[object_id]
            total = sum(gained.values())
            pixels += total
            class_id, more = self._write_object(object_id, gained, total)
            objects[class_id] += more
        add_objects(self._db, self._image, objects)
        return int(
            self._db.execute(
                "UPDATE images SET labelled_pixels = labelled_pixels + ? WHERE id = ? RETURNING labelled_pixels",
                (pixels, self._image),
            ).fetchone()[0]
        )

    def _write_object(self, object_id: int, gained: Mapping[int, int], total: int) -> tuple[ClassId, int]:
        """Update one object; its class, and +1 where it got its first pixel, -1 where it lost its last."""
        row = self._db.execute(
            "SELECT class_id, area, x0, y0, x1, y1 FROM objects WHERE image = ? AND id = ?", (self._image, object_id)
        ).fetchone()
        if row is None:
            raise EditConflict(f"object {object_id} has pixels and no row")
        class_id, area = ClassId(row[0]), int(row[1])
        old_box: _Box | None = None if row[2] is None else (row[2], row[3], row[4], row[5])
        box = self._box(object_id, old_box) if area + total else None
        by_origin = "".join(f", {_ORIGINS[origin]} = {_ORIGINS[origin]} + {n}" for origin, n in gained.items())
        self._db.execute(
            f"UPDATE objects SET area = area + ?, x0 = ?, y0 = ?, x1 = ?, y1 = ?{by_origin} WHERE image = ? AND id = ?",
            (total, *(box or (None, None, None, None)), self._image, object_id),
        )
        _count(self._db, self._image, class_id, gained.items())
        return class_id, (area + total > 0) - (area > 0)

    def _box(self, object_id: int, old: _Box | None) -> _Box:
        grown = _united(self._new.get(object_id, _NOWHERE), _NOWHERE if old is None else old)
        lost = self._lost.get(object_id, _NOWHERE)
        if old is None or not any(a == b for a, b in zip(lost, old, strict=True)):
            return grown
        return self._db.execute(
            "SELECT min(x0), min(y0), max(x1), max(y1) FROM tile_objects WHERE image = ? AND object = ?",
            (self._image, object_id),
        ).fetchone()


def _lost(old: _Box, new: _Box | None) -> _Box:
    """Sides of a tile's old box that its new box does not reach; those of `_NOWHERE` for the others."""
    if new is None:
        return old
    return (
        _NOWHERE[0] if new[0] <= old[0] else old[0],
        _NOWHERE[1] if new[1] <= old[1] else old[1],
        _NOWHERE[2] if new[2] >= old[2] else old[2],
        _NOWHERE[3] if new[3] >= old[3] else old[3],
    )


def _united(a: _Box, b: _Box) -> _Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _count(db: sqlite3.Connection, image: ImageId, class_id: ClassId, gained: Iterable[tuple[int, int]]) -> None:
    for origin, pixels in gained:
        db.execute(
            "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET pixels = pixels + excluded.pixels",
            (image, class_id, origin, pixels),
        )


def move_object(db: sqlite3.Connection, image: ImageId, object_id: ObjectId, new: ClassId) -> None:
    """Count an object's pixels to another class, before its row says so."""
    row = db.execute(
        "SELECT class_id, painted, accepted, imported, filled, computed, area > 0 FROM objects "
        "WHERE image = ? AND id = ?",
        (image, object_id),
    ).fetchone()
    by_origin = [(origin, pixels) for origin, pixels in enumerate(row[1:6], start=1) if pixels]
    _count(db, image, ClassId(row[0]), ((origin, -pixels) for origin, pixels in by_origin))
    _count(db, image, new, by_origin)
    if row[6] and row[0] != new:
        add_objects(db, image, {row[0]: -1, new: 1})

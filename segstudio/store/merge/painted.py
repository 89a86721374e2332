"""The classes that one of two copies put out of use and the other has painted with since their last common edit.

Only asked where there is such a class; then the tiles that hold it are read.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassId, ClassTable, ImageId, ObjectId
from segstudio.labels.tiles.tile import Tile, expanded
from segstudio.store.merge.base import Since
from segstudio.store.merge.images import PairedImage
from segstudio.store.writing.label_rows import read_objects, read_tile

__all__ = ["given_up_alone", "painted_since"]


def given_up_alone(base: ClassTable | None, here: ClassTable, other: ClassTable) -> frozenset[ClassId]:
    """Classes in use here and at the last common edit, which the other copy removed or merged into another."""
    then = () if base is None else base
    return frozenset(c.id for c in then if _used(here, c.id) and c.id in other and not _used(other, c.id))


def _used(table: ClassTable, id_: ClassId) -> bool:
    return id_ in table and not table[id_].removed and table[id_].merged_into is None


def painted_since(
    dbs: tuple[sqlite3.Connection, sqlite3.Connection],
    pairs: Iterable[PairedImage],
    alone: Iterable[ImageId],
    since: Callable[[PairedImage], Since | None],
    by_b: bool,
    wanted: tuple[ClassTable, frozenset[ClassId]],
) -> frozenset[ClassId]:
    """Which of the wanted classes have a pixel or an object that one side gave them since the last common edit.

    `dbs` are A's and B's, `by_b` which of the two painted, `alone` its images missing from the other. Where the common
    past is not known what differs counts as painted. Raises `ProjectDamaged`.
    """
    table, classes = wanted
    found: set[ClassId] = set()
    db = dbs[by_b]
    for image in alone if classes else ():
        found.update(_wanted(db, image, table, classes).values())
    for pair in pairs if classes else ():
        objects = _wanted(db, pair.b if by_b else pair.c, table, classes - found)
        if not objects:
            continue
        if not pair.same_id:
            found.update(objects.values())
            continue
        past = since(pair)
        for key in _tiles_of(db, pair.c, objects):
            a, b = (read_tile(side, pair.c, key) for side in dbs)
            tile, other = (b, a) if by_b else (a, b)
            base = None if past is None else past.tile(key, a, b)
            for o in _changed(tile, other if base is None else base).intersection(objects):
                found.add(objects[o])
        if past is not None:
            found.update(c for o, c in objects.items() if o in past.objects and _other(table, past.objects[o], c))
    return frozenset(found)


def _wanted(
    db: sqlite3.Connection, image: ImageId, table: ClassTable, classes: frozenset[ClassId]
) -> dict[ObjectId, ClassId]:
    """What the objects of an image that have pixels count as, where that is one of these classes."""
    ids = {row[0] for row in db.execute("SELECT id FROM objects WHERE image = ? AND area > 0", (image,))}
    counted = {o: table.effective(c) for o, c in read_objects(db, image).items() if o in ids}
    return {o: c.id for o, c in counted.items() if c is not None and c.id in classes}


def _tiles_of(db: sqlite3.Connection, image: ImageId, objects: Mapping[ObjectId, ClassId]) -> list[TileKey]:
    query = "SELECT plane, ty, tx FROM tile_objects WHERE image = ? AND object = ?"
    return sorted({tuple(row) for o in objects for row in db.execute(query, (image, o))})


def _changed(tile: Tile, then: Tile) -> set[ObjectId]:
    (ids, origins), (ids_0, origins_0) = expanded(tile), expanded(then)
    return {ObjectId(o) for o in np.unique(ids[(ids != ids_0) | (origins != origins_0)]).tolist() if o}


def _other(table: ClassTable, then: ClassId, now: ClassId) -> bool:
    """Whether an object's class was changed by hand, not by what happened to its class."""
    counted = table.effective(then) if then in table else None
    return counted is None or counted.id != now

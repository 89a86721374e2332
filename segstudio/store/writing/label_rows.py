"""The committed labels of an image, read in the caller's transaction; every tile is checked against its digest."""

import sqlite3
from collections.abc import Iterable, Mapping
from math import inf

from segstudio.errors import ProjectDamaged
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassId, ImageId, ObjectId, Origin, Seq, Status
from segstudio.labels.tiles.codec import decode_tile
from segstudio.labels.tiles.streamed import tile_bytes
from segstudio.labels.tiles.tile import EMPTY, Tile, digest
from segstudio.store.catalog.images import sizes_of
from segstudio.store.database.migrations import DONE_PLANES_SINCE, LOCKED_SINCE, schema_of
from segstudio.store.values import FrozenLabels, ObjectRow
from segstudio.text import _

__all__ = [
    "class_pixels",
    "classes_with_pixels",
    "images_with",
    "read_counts",
    "read_frozen",
    "read_locked",
    "read_object_rows",
    "read_objects",
    "read_tile",
    "read_tiles",
    "stored_keys",
]


def read_tile(db: sqlite3.Connection, image: ImageId, key: TileKey) -> Tile:
    """One tile; `EMPTY` where nothing is labelled. Raises `ProjectDamaged`."""
    row = db.execute(
        "SELECT digest, data FROM tiles WHERE image = ? AND plane = ? AND ty = ? AND tx = ?", (image, *key)
    ).fetchone()
    return EMPTY if row is None else _checked(db, image, key, row[0], row[1])


def read_tiles(
    db: sqlite3.Connection, image: ImageId, plane: int | None = None, limit_bytes: float = inf
) -> dict[TileKey, Tile]:
    """Tiles that hold a label, of one plane or of all; as many as fit into the limit. Raises `ProjectDamaged`."""
    where, bound = ("", (image,)) if plane is None else ("AND plane = ?", (image, plane))
    rows = db.execute(f"SELECT plane, ty, tx, digest, data FROM tiles WHERE image = ? {where}", bound)
    found: dict[TileKey, Tile] = {}
    held = 0
    for r in rows:
        key = (r[0], r[1], r[2])
        found[key] = _checked(db, image, key, r[3], r[4])
        held += tile_bytes(found[key])
        if held >= limit_bytes:
            break
    return found


def stored_keys(db: sqlite3.Connection, image: ImageId) -> set[TileKey]:
    """The tiles that hold a label; from the index alone."""
    rows = db.execute("SELECT plane, ty, tx FROM tiles WHERE image = ?", (image,))
    return {(plane, ty, tx) for plane, ty, tx in rows}


def _checked(db: sqlite3.Connection, image: ImageId, key: TileKey, promised: bytes, data: bytes) -> Tile:
    try:
        tile = decode_tile(data)
    except ProjectDamaged as error:
        raise _damaged(db, image, key) from error
    if digest(tile) != promised:
        raise _damaged(db, image, key)
    return tile


def _damaged(db: sqlite3.Connection, image: ImageId, key: TileKey) -> ProjectDamaged:
    path = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]
    plane, ty, tx = key
    return ProjectDamaged(
        _(
            "The labels of '{path}' are damaged on disk (plane {plane}, tile {ty}, {tx}).",
            path=path,
            plane=plane,
            ty=ty,
            tx=tx,
        ),
        safe=_("All other labels of the project are untouched."),
    )


def read_objects(db: sqlite3.Connection, image: ImageId) -> dict[ObjectId, ClassId]:
    """Class of every object that has a row."""
    rows = db.execute("SELECT id, class_id FROM objects WHERE image = ? ORDER BY id", (image,))
    return {ObjectId(id_): ClassId(class_id) for id_, class_id in rows}


def read_locked(db: sqlite3.Connection, image: ImageId) -> frozenset[ObjectId]:
    """The objects that are locked by themselves."""
    if schema_of(db) < LOCKED_SINCE:
        return frozenset()
    rows = db.execute("SELECT id FROM objects WHERE image = ? AND locked = 1", (image,))
    return frozenset(ObjectId(row[0]) for row in rows)


def read_marks(db: sqlite3.Connection, image: ImageId) -> Marks:
    """The status of an image, and which of its planes are done."""
    some = "done_planes" if schema_of(db) >= DONE_PLANES_SINCE else "''"
    status, done_planes = db.execute(f"SELECT status, {some} FROM images WHERE id = ?", (image,)).fetchone()
    return Marks(Status(status), done_planes)


def read_object_rows(db: sqlite3.Connection, image: ImageId) -> list[ObjectRow]:
    """Every object with its derived columns, in order of id."""
    locked = "locked" if schema_of(db) >= LOCKED_SINCE else "0"
    rows = db.execute(
        "SELECT id, class_id, area, x0, y0, x1, y1, painted, accepted, imported, filled, computed, "
        f"{locked} FROM objects WHERE image = ? ORDER BY id",
        (image,),
    )
    return [
        ObjectRow(
            ObjectId(r[0]),
            ClassId(r[1]),
            r[2],
            None if r[3] is None else (r[3], r[4], r[5], r[6]),
            r[7:12],
            bool(r[12]),
        )
        for r in rows
    ]


def read_frozen(db: sqlite3.Connection, image: ImageId) -> FrozenLabels:
    """Everything that is labelled on one image. Raises `ProjectDamaged`."""
    last_edit, next_object = db.execute("SELECT last_edit, next_object FROM images WHERE id = ?", (image,)).fetchone()
    return FrozenLabels(
        image=image,
        sizes=sizes_of(db, image),
        tiles=read_tiles(db, image),
        objects=read_objects(db, image),
        marks=read_marks(db, image),
        last_edit=Seq(last_edit),
        next_object=next_object,
    )


def read_counts(db: sqlite3.Connection, image: ImageId) -> Mapping[tuple[ClassId, Origin], int]:
    """Known pixels of an image by class, as its objects were given it, and origin."""
    rows = db.execute("SELECT class_id, origin, pixels FROM counts WHERE image = ? AND pixels > 0", (image,))
    return {(ClassId(class_id), Origin(origin)): pixels for class_id, origin, pixels in rows}


def classes_with_pixels(db: sqlite3.Connection, *, removed: bool = False) -> frozenset[ClassId]:
    """The classes that have a known pixel, in removed images only where asked for; by index, without counting them."""
    rows = db.execute(
        "SELECT id FROM classes WHERE EXISTS (SELECT 1 FROM counts c JOIN images i ON i.id = c.image "
        "WHERE c.class_id = classes.id AND c.pixels > 0 AND (? OR i.removed = 0))",
        (removed,),
    )
    return frozenset(ClassId(class_id) for (class_id,) in rows)


def class_use(db: sqlite3.Connection, class_ids: Iterable[ClassId]) -> tuple[int, int]:
    """In how many images these classes have known pixels, and how many together; removed images left out."""
    wanted = [int(class_id) for class_id in class_ids]
    images, pixels = db.execute(
        "SELECT count(DISTINCT c.image), coalesce(sum(c.pixels), 0) FROM counts c JOIN images i ON i.id = c.image "
        f"WHERE c.pixels > 0 AND i.removed = 0 AND c.class_id IN ({', '.join('?' * len(wanted))})",
        wanted,
    ).fetchone()
    return int(images), int(pixels)


def images_with(db: sqlite3.Connection, class_ids: Iterable[ClassId]) -> frozenset[ImageId]:
    """The images in which these classes, as pixels were given them, have a known pixel; by index, removed ones too."""
    wanted = [int(class_id) for class_id in class_ids]
    rows = db.execute(
        f"SELECT DISTINCT image FROM counts WHERE pixels > 0 AND class_id IN ({', '.join('?' * len(wanted))})", wanted
    )
    return frozenset(ImageId(image) for (image,) in rows)


def class_pixels(db: sqlite3.Connection, *, removed: bool = False) -> Mapping[ClassId, int]:
    """Known pixels of the whole project by class; those of images that were taken out only where asked for."""
    rows = db.execute(
        "SELECT c.class_id, sum(c.pixels) FROM counts c JOIN images i ON i.id = c.image "
        "WHERE c.pixels > 0 AND i.removed <= ? GROUP BY c.class_id",
        (removed,),
    )
    return {ClassId(class_id): pixels for class_id, pixels in rows}

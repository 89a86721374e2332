"""Projects as large as they may get, made in minutes: a few images labelled by the store's own writer, then multiplied.

Every image is 512 x 512 pixels (four tiles) and holds a hundred cells. The first images are written edit by edit
through `Project`; the others get copies of their rows (objects, tiles, extents, counts, edit and deltas) by SQL,
under their own image id and number. So each row is one that the writer has written, for another image.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from segstudio.geometry import TILE, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Kind, Origin
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane

__all__ = ["OBJECTS_AN_IMAGE", "SIDE_PX", "build"]

SIDE_PX = 512
OBJECTS_AN_IMAGE = 100
_TEMPLATES = 50
_CELL = 2
_COPIES = (
    "INSERT INTO objects SELECT i.id, o.id, o.class_id, o.area, o.x0, o.y0, o.x1, o.y1, o.painted, o.accepted, "
    "o.imported, o.filled, o.computed, o.locked FROM {images} JOIN objects o ON o.image = {template} "
    "ORDER BY i.id, o.id",
    "INSERT INTO counts SELECT i.id, o.class_id, o.origin, o.pixels FROM {images} "
    "JOIN counts o ON o.image = {template}",
    "INSERT INTO object_counts SELECT i.id, o.class_id, o.objects FROM {images} "
    "JOIN object_counts o ON o.image = {template}",
    "INSERT INTO tiles (image, plane, ty, tx, digest, data) SELECT i.id, o.plane, o.ty, o.tx, o.digest, o.data "
    "FROM {images} JOIN tiles o ON o.image = {template} ORDER BY i.id",
    "INSERT INTO tile_objects SELECT i.id, o.object, o.plane, o.ty, o.tx, o.area, o.x0, o.y0, o.x1, o.y1 "
    "FROM {images} JOIN tile_objects o ON o.image = {template} ORDER BY i.id",
    "INSERT INTO edits (seq, id, image, cause, tool, author, time, rows, pixels) SELECT i.id, random() & {mask}, i.id, "
    "o.cause, o.tool, o.author, o.time, o.rows, o.pixels FROM {images} JOIN edits o ON o.image = {template} "
    "ORDER BY i.id",
    "INSERT INTO deltas (seq, plane, ty, tx, before, after, data) SELECT i.id, o.plane, o.ty, o.tx, o.before, o.after, "
    "o.data FROM {images} JOIN deltas o ON o.seq = {template} ORDER BY i.id",
    "UPDATE images AS i SET next_object = t.next_object, last_edit = i.id, objects = t.objects, "
    "labelled_pixels = t.labelled_pixels, labels_sha256 = t.labels_sha256, status = 'in-progress' FROM images t "
    "WHERE t.id = {template} AND i.id > {first} AND i.id <= {last}",
    "UPDATE groups SET split = CASE id % 4 WHEN 0 THEN 'held-out' ELSE 'train' END, decided_at = id WHERE id IN "
    "(SELECT group_id FROM {images})",
)


def build(path: Path, images: int, labelled: int, root: Path) -> None:
    """Make a project of so many images, of which the first `labelled` hold a hundred objects each.

    `labelled` is 0 or more than 50. The images' files lie under `root`; only the first one is there.
    """
    _draw(root)
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("cell", kind=Kind.INSTANCE), NewClass("vessel")]
    with Project.create(path, _images(images, root), classes) as project:
        if not labelled:
            return
        assert project.writer is not None
        for number in range(1, _TEMPLATES + 1):
            project.writer.submit(_cells(project.document(ImageId(number)), np.random.default_rng(number)))
        project.writer.flush()
    _multiply(path / "project.db", labelled)


def _images(count: int, root: Path) -> Iterator[NewImage]:
    plane = NewPlane("0", SIDE_PX, SIDE_PX)
    first = NewImage("", root, 200_000, 1, "", (plane,), 3, "uint8", "png")
    for n in range(count):
        yield replace(first, path=f"batch {n // 1000:03}/field {n:06}.png", quick_hash=f"{n:016x}")


def _draw(root: Path) -> None:
    from PIL import Image

    file = root / "batch 000" / "field 000000.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (SIDE_PX, SIDE_PX, 3), np.uint8)
    Image.fromarray(pixels).save(file)


def _cells(document: Document, rng: np.random.Generator) -> Edit:
    """A hundred discs of 8 to 24 pixels in radius on a jittered grid."""
    ids = np.zeros((SIDE_PX, SIDE_PX), np.uint32)
    ys, xs = np.mgrid[-24:25, -24:25]
    for n in range(OBJECTS_AN_IMAGE):
        y, x = 25 + 51 * (n // 10) + rng.integers(-8, 9), 25 + 51 * (n % 10) + rng.integers(-8, 9)
        inside = ys**2 + xs**2 <= rng.integers(8, 25) ** 2
        inside &= (ys + y >= 0) & (ys + y < SIDE_PX) & (xs + x >= 0) & (xs + x < SIDE_PX)
        ids[(ys + y)[inside], (xs + x)[inside]] = n + 1
    tiles = {}
    for ty, tx in tiles_of(document.raster.bounds(0)):
        part = np.ascontiguousarray(ids[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE])
        origins = np.where(part > 0, np.uint8(Origin.IMPORTED), np.uint8(0))
        tiles[0, ty, tx] = TileChange(EMPTY, frozen(part, origins))
    rows = tuple(RowChange(Table.OBJECTS, n + 1, None, {"class_id": _CELL}) for n in range(OBJECTS_AN_IMAGE))
    return Edit(document.image, Cause.IMPORT, tiles, rows, tool="import", author="benchmark")


def _multiply(database: Path, labelled: int) -> None:
    db = connect(database, Access.WRITE)
    try:
        db.execute("PRAGMA synchronous = 0")
        db.execute("PRAGMA cache_size = -1000000")
        for first in range(_TEMPLATES, labelled, 10_000):
            last = min(first + 10_000, labelled)
            db.execute("BEGIN IMMEDIATE")
            for statement in _COPIES:
                db.execute(
                    statement.format(
                        images=f"(SELECT id, group_id FROM images WHERE id > {first} AND id <= {last} ORDER BY id) i",
                        template=f"1 + (i.id - 1) % {_TEMPLATES}",
                        mask=(1 << 62) - 1,
                        first=first,
                        last=last,
                    )
                )
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.close()


def check(database: Path) -> str:
    """What SQLite's own check says of the file ('ok')."""
    db = sqlite3.connect(database)
    try:
        return str(db.execute("PRAGMA quick_check").fetchone()[0])
    finally:
        db.close()

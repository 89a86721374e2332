"""How many objects an image has: of each class as a row that the writer keeps, and in all as a column of its row.

An object counts where it has a pixel and its class, merges followed, is in use and neither background nor ignore. A
semantic class is one object of an image, however many rows it has. `object_counts` knows classes as objects were given
them and no kinds, so a stroke changes one row; a change of the classes brings the images that have them up to date.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from itertools import groupby

from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind
from segstudio.store.catalog.classes import read_classes
from segstudio.store.database.migrations import schema_of

__all__ = [
    "KEPT_SINCE",
    "add_objects",
    "counted",
    "counted_of_all",
    "follow_classes",
    "objects_by_class",
    "read_object_counts",
]

KEPT_SINCE = 3
"""The schema since which they are kept."""


def counted(objects: Iterable[tuple[int, int]], classes: ClassTable) -> int:
    """The objects of one image, from (class as given, objects with a pixel)."""
    found = objects_by_class(objects, classes)
    return sum(n if classes[class_id].kind is Kind.INSTANCE else 1 for class_id, n in found.items())


def objects_by_class(objects: Iterable[tuple[int, int]], classes: ClassTable) -> dict[ClassId, int]:
    """The same by class, as classes count today: rows of objects of each instance and semantic class."""
    found: dict[ClassId, int] = {}
    for given, n in objects:
        c = classes.effective(ClassId(given))
        if n and c is not None and c.kind in (Kind.INSTANCE, Kind.SEMANTIC):
            found[c.id] = found.get(c.id, 0) + n
    return found


def add_objects(db: sqlite3.Connection, image: ImageId, gained: Mapping[int, int]) -> None:
    """Count objects of an image that got their first pixel, or (below 0) lost their last, by class as given."""
    changed = {class_id: n for class_id, n in gained.items() if n}
    if not changed:
        return
    for class_id, n in changed.items():
        db.execute(
            "INSERT INTO object_counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET objects = objects + excluded.objects",
            (image, class_id, n),
        )
        if n < 0:
            db.execute("DELETE FROM object_counts WHERE image = ? AND class_id = ? AND objects = 0", (image, class_id))
    rows = read_object_counts(db, image)
    db.execute("UPDATE images SET objects = ? WHERE id = ?", (counted(rows, read_classes(db)), image))


def follow_classes(db: sqlite3.Connection, changed: Iterable[int]) -> None:
    """Count again in every image with a class that is one of these, or is merged into one; in one pass over all."""
    classes, wanted = read_classes(db), set(changed)
    affected = {c.id for c in classes.all if wanted & _chain(c.id, classes)}
    marks = ", ".join(map(str, map(int, affected)))
    if db.execute(f"SELECT 1 FROM counts WHERE class_id IN ({marks}) AND pixels > 0 LIMIT 1").fetchone() is None:
        return
    images = f"SELECT image FROM object_counts WHERE class_id IN ({marks})"
    rows = db.execute(
        f"SELECT image, class_id, objects FROM object_counts WHERE image IN ({images}) ORDER BY image, class_id"
    )
    found = [(n, image) for image, n in _by_image(rows, classes)]
    db.executemany("UPDATE images SET objects = ?1 WHERE id = ?2 AND objects <> ?1", found)


def _chain(class_id: ClassId, classes: ClassTable) -> set[int]:
    """A class and those that it is merged into, one through the other."""
    found: set[int] = set()
    at = classes.get(class_id)
    while at is not None and at.id not in found:
        found.add(at.id)
        at = None if at.merged_into is None else classes.get(at.merged_into)
    return found


def read_object_counts(db: sqlite3.Connection, image: ImageId) -> list[tuple[int, int]]:
    """Objects of an image that have a pixel, by class as given; of any schema."""
    if schema_of(db) >= KEPT_SINCE:
        return db.execute("SELECT class_id, objects FROM object_counts WHERE image = ?", (image,)).fetchall()
    count = "SELECT class_id, count(*) FROM objects WHERE image = ? AND area > 0 GROUP BY class_id"
    return db.execute(count, (image,)).fetchall()


def counted_of_all(db: sqlite3.Connection) -> dict[ImageId, int]:
    """The objects of every image that has one, from the objects themselves: for a schema that did not keep them so."""
    rows = db.execute(
        "SELECT image, class_id, count(*) FROM objects WHERE area > 0 GROUP BY image, class_id ORDER BY image"
    )
    return dict(_by_image(rows, read_classes(db)))


def _by_image(rows: Iterable[tuple[int, int, int]], classes: ClassTable) -> Iterable[tuple[ImageId, int]]:
    for image, mine in groupby(rows, key=lambda row: row[0]):
        yield ImageId(image), counted(((class_id, n) for _, class_id, n in mine), classes)

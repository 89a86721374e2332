"""Where the files of images are, changed: rows of roots and files, in the caller's transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segstudio.labels.model import ImageId, folded_name
from segstudio.store.catalog.images import relative_root

__all__ = ["Found", "write_places"]


@dataclass(frozen=True, slots=True)
class Found:
    """An image whose files were all found again, in their order: each path with '/' below the folder that was searched,
    and its time of change; `same_paths` as they were known.
    """

    image: ImageId
    files: tuple[tuple[str, int], ...]
    same_paths: bool


def write_places(
    db: sqlite3.Connection, project: Path, folder: Path, found: Sequence[Found], stayed: frozenset[ImageId]
) -> None:
    """Record that images are where they were found, below `folder`; of those that `stayed` a file is where it was.

    A root all of whose found files lie as they did below the folder, and of which nothing stayed, moves as a whole:
    what is still missing of it is looked for there from now on.
    """
    root_of = dict(db.execute("SELECT image, root FROM files WHERE position = 0"))
    kept = {root_of[image] for image in stayed if image in root_of}
    split = {root_of[image.image] for image in found if not image.same_paths}
    moved = {root_of[image.image] for image in found} - kept - split
    place = (str(folder), relative_root(folder, project))
    for root in moved:
        db.execute("UPDATE roots SET path = ?, relative = ? WHERE id = ?", (*place, root))
    new: int | None = None
    for image in found:
        root = root_of[image.image]
        if root not in moved:
            new = _root(db, place) if new is None else new
            root = new
        db.executemany(
            "UPDATE files SET root = ?, path = ?, name_key = ?, mtime_ns = ?, changed = '' "
            "WHERE image = ? AND position = ?",
            [
                (root, path, folded_name(path), mtime_ns, image.image, position)
                for position, (path, mtime_ns) in enumerate(image.files)
            ],
        )
        db.execute("UPDATE images SET problem = '' WHERE id = ?", (image.image,))


def _root(db: sqlite3.Connection, place: tuple[str, str]) -> int:
    known = db.execute("SELECT id FROM roots WHERE path = ?", place[:1]).fetchone()
    if known is not None:
        return int(known[0])
    made = db.execute("INSERT INTO roots (path, relative) VALUES (?, ?) RETURNING id", place).fetchone()
    return int(made[0])

"""The digest of an image's labels, kept in its row so that `info` need not hash every object.

An edit that changes labels makes it unknown (NULL) in its own transaction, at no cost; it is computed where an import
ends, and for the rest in the writer's pauses. A reader computes unknown ones and writes nothing.
"""

import hashlib
import sqlite3
import struct
from collections.abc import Callable, Mapping
from itertools import chain

from segstudio.labels.model import ImageId
from segstudio.store.database.migrations import schema_of
from segstudio.store.writing.write_connection import WriteConnection

__all__ = ["compute_digest", "fill_digests", "forget_digest", "keep_digest", "read_digest", "read_digests"]

KEPT_SINCE = 3
_KEY = struct.Struct("<III")
_CHUNK = 20_000
_TOGETHER = 200


class _Stopped(Exception):
    """There is more urgent work."""


def compute_digest(db: sqlite3.Connection, image: ImageId, stop: Callable[[], bool] = lambda: False) -> bytes:
    """Digest of an image's labels, from the digests of its tiles: nothing is decoded. Raises `_Stopped`.

    sha256 over plane, ty, tx (uint32 little-endian each) and the digest of every tile that holds a label, in order,
    then id and class (uint32 little-endian each) of every object with pixels, by id. Blank equals undone.
    """
    hasher = hashlib.sha256()
    for plane, ty, tx, found in db.execute(
        "SELECT plane, ty, tx, digest FROM tiles WHERE image = ? ORDER BY plane, ty, tx", (image,)
    ):
        hasher.update(_KEY.pack(plane, ty, tx) + found)
    last = -1
    while True:
        # By pieces: a statement is not left open, and an image may have millions.
        rows = db.execute(
            "SELECT id, class_id FROM objects WHERE image = ? AND id > ? AND area > 0 ORDER BY id LIMIT ?",
            (image, last, _CHUNK),
        ).fetchall()
        hasher.update(struct.pack(f"<{2 * len(rows)}I", *chain.from_iterable(rows)))
        if len(rows) < _CHUNK:
            return hasher.digest()
        last = rows[-1][0]
        if stop():
            raise _Stopped


def read_digest(db: sqlite3.Connection, image: ImageId) -> bytes:
    """The digest of an image's labels: the one that is kept, else computed."""
    if schema_of(db) >= KEPT_SINCE:
        row = db.execute("SELECT labels_sha256 FROM images WHERE id = ?", (image,)).fetchone()
        if row is not None and row[0] is not None:
            return row[0]
    return compute_digest(db, image)


def read_digests(db: sqlite3.Connection) -> Mapping[ImageId, bytes]:
    """The digest of every image's labels; only those that are not known are computed."""
    column = "labels_sha256" if schema_of(db) >= KEPT_SINCE else "NULL"
    blank = hashlib.sha256().digest()
    rows = db.execute(f"SELECT id, coalesce({column}, CASE labelled_pixels WHEN 0 THEN ? END) FROM images", (blank,))
    return {ImageId(id_): compute_digest(db, ImageId(id_)) if kept is None else kept for id_, kept in rows.fetchall()}


def forget_digest(db: sqlite3.Connection, image: ImageId) -> None:
    """The labels of an image change, in the open transaction."""
    # Setting what is NULL already would write the index again, a page a stroke.
    db.execute("UPDATE images SET labels_sha256 = NULL WHERE id = ? AND labels_sha256 IS NOT NULL", (image,))


def keep_digest(db: sqlite3.Connection, image: ImageId) -> None:
    """Compute the digest of an image and keep it, in the open transaction."""
    db.execute("UPDATE images SET labels_sha256 = ? WHERE id = ?", (compute_digest(db, image), image))


def fill_digests(connection: WriteConnection, stop: Callable[[], bool]) -> bool:
    """Compute unknown digests and keep them, outside a transaction and some images in each; whether all are known.

    Ends soon after `stop` holds. For the writer's thread: nothing else may change the labels meanwhile. Raises what
    `WriteConnection.transact` raises.
    """
    db = connection.db
    while True:
        rows = db.execute("SELECT id FROM images WHERE labels_sha256 IS NULL LIMIT ?", (_TOGETHER,)).fetchall()
        if not rows:
            return True
        found: list[tuple[bytes, int]] = []
        try:
            for (image,) in rows:
                if stop():
                    break
                found.append((compute_digest(db, ImageId(image), stop), image))
        except _Stopped:
            pass
        if found:
            _keep(connection, found)
        if len(found) < len(rows):
            return False


def _keep(connection: WriteConnection, found: list[tuple[bytes, int]]) -> None:
    connection.transact(lambda db: db.executemany("UPDATE images SET labels_sha256 = ? WHERE id = ?", found))

"""Proposals in cache/proposals.db: outside the journal, replaceable, and deletable at any time.

The newest proposal of a plane is the one that counts. The one first shown on it is kept beside it until Done, so
that effort can be counted. What people proposed (`runs.FROM_PEOPLE`) is replaced only on request. A plane
whose proposal a person rejected has none until one is written again. One process writes (the one that holds the
project); others read.
"""

import sqlite3
import threading
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import DiskRefused, ProjectDamaged, ReadOnly
from segstudio.labels.edit import now_utc
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import Proposal, ProposalRow, ProposalTile, decode_confidence, encode_confidence
from segstudio.labels.tiles.codec import decode_tile, encode_tile
from segstudio.runs import FROM_PEOPLE
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.disk_errors import refusal
from segstudio.text import _

__all__ = ["EncodedTile", "ProposalNote", "Proposals", "encoded"]

EncodedTile = tuple[bytes, bytes]
"""Labels (codec of tiles) and confidence (codec of proposals)."""

_VERSION = 1
_LOG_BYTES = 16 << 20
_TABLES = (
    "CREATE TABLE proposals (number INTEGER PRIMARY KEY AUTOINCREMENT, image INTEGER NOT NULL, plane INTEGER NOT NULL, "
    "version TEXT NOT NULL, made TEXT NOT NULL, first INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX proposals_plane ON proposals (image, plane, number)",
    "CREATE TABLE rows (number INTEGER NOT NULL REFERENCES proposals (number) ON DELETE CASCADE, id INTEGER NOT NULL, "
    "class_id INTEGER NOT NULL, score REAL NOT NULL, PRIMARY KEY (number, id)) WITHOUT ROWID",
    "CREATE TABLE tiles (number INTEGER NOT NULL REFERENCES proposals (number) ON DELETE CASCADE, ty INTEGER NOT NULL, "
    "tx INTEGER NOT NULL, labels BLOB NOT NULL, confidence BLOB NOT NULL, PRIMARY KEY (number, ty, tx))",
)
# Older programs do not look at it: it came without a new version, which would have cost what people proposed.
_REJECTED = (
    "CREATE TABLE IF NOT EXISTS rejected (image INTEGER NOT NULL, plane INTEGER NOT NULL, PRIMARY KEY (image, plane)) "
    "WITHOUT ROWID"
)
_NEWEST = "SELECT number, version FROM proposals WHERE image = ? AND plane = ? ORDER BY number DESC LIMIT 1"
_ALL_NEWEST = "SELECT image, plane, max(number), version FROM proposals GROUP BY image, plane"
_FIRST = "SELECT number, version FROM proposals WHERE image = ? AND plane = ? AND first = 1 LIMIT 1"


@dataclass(frozen=True, slots=True)
class ProposalNote:
    """That there is a proposal, without its pixels."""

    image: ImageId
    plane: int
    number: int
    version: str


def encoded(tile: ProposalTile) -> EncodedTile:
    """A proposed tile as bytes."""
    return encode_tile(tile.labels), encode_confidence(tile.confidence)


class Proposals:
    """The cache of proposals; without `write`, and where it is missing, there are none. Any thread may use it."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self._path = path
        self._write = write
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def write(
        self,
        image: ImageId,
        plane: int,
        version: str,
        rows: Mapping[int, ProposalRow],
        tiles: Mapping[tuple[int, int], EncodedTile],
        *,
        replace_people: bool = False,
    ) -> int | None:
        """Replace a plane's proposal; returns its number. What was shown first stays until `finish`.

        A model's proposal takes the place of a person's only with `replace_people`: without, None, and nothing is
        written. Raises `ReadOnly`, and `DiskRefused` where the disk does.
        """
        with self._writing() as db:
            if not replace_people and version not in FROM_PEOPLE and _is_from_people(db, image, plane):
                return None
            number = int(
                db.execute(
                    "INSERT INTO proposals (image, plane, version, made) VALUES (?, ?, ?, ?) RETURNING number",
                    (image, plane, version, now_utc()),
                ).fetchone()[0]
            )
            _insert_parts(db, number, rows, tiles)
            db.execute(
                "DELETE FROM proposals WHERE image = ? AND plane = ? AND number < ? AND first = 0",
                (image, plane, number),
            )
            db.execute("DELETE FROM rejected WHERE image = ? AND plane = ?", (image, plane))
            return number

    def extend(
        self, number: int, rows: Mapping[int, ProposalRow], tiles: Mapping[tuple[int, int], EncodedTile]
    ) -> bool:
        """Add tiles to the proposal of this number, which comes in part by part; its rows are `rows` from now on.

        False where it is the newest of its plane no longer, or was rejected: then nothing is written. Raises
        `ReadOnly`, and `DiskRefused` where the disk does.
        """
        with self._writing() as db:
            found = db.execute("SELECT image, plane FROM proposals WHERE number = ?", (number,)).fetchone()
            if found is None or _is_rejected(db, *found) or db.execute(_NEWEST, found).fetchone()[0] != number:
                return False
            db.execute("DELETE FROM rows WHERE number = ?", (number,))
            _insert_parts(db, number, rows, tiles)
            return True

    def read(self, image: ImageId, plane: int, known: Proposal | None = None) -> Proposal | None:
        """The newest proposal of a plane; None where there is none, or a person rejected it.

        Tiles that `known` holds of a proposal of the same number are not decoded again.
        """
        return None if self.is_rejected(image, plane) else self._read(_NEWEST, image, plane, known)

    def first(self, image: ImageId, plane: int) -> Proposal | None:
        """The proposal that was shown first since the plane was last done."""
        return self._read(_FIRST, image, plane)

    def notes(self) -> list[ProposalNote]:
        """The newest proposal of every plane that has one that was not rejected, without pixels."""
        with self._connection() as db:
            if db is None:
                return []
            rows = db.execute(_ALL_NEWEST)
            notes = [ProposalNote(ImageId(r[0]), r[1], r[2], r[3]) for r in rows]
            rejected: set[tuple[int, int]] = set()
            if _has_rejections(db):
                rejected.update(db.execute("SELECT image, plane FROM rejected"))
            return [note for note in notes if (note.image, note.plane) not in rejected]

    def from_people(self) -> frozenset[tuple[ImageId, int]]:
        """The planes (image, plane) whose newest proposal a person made."""
        with self._connection() as db:
            rows = () if db is None else db.execute(_ALL_NEWEST)
            return frozenset((ImageId(r[0]), r[1]) for r in rows if r[3] in FROM_PEOPLE)

    def reject(self, image: ImageId, plane: int) -> None:
        """A plane has no proposal from now on, until one is written again. Raises `ReadOnly`, `DiskRefused`.

        A person's proposal is kept: only the next one written replaces it.
        """
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO rejected VALUES (?, ?)", (image, plane))

    def is_rejected(self, image: ImageId, plane: int) -> bool:
        """Whether a person rejected what was proposed for a plane, and nothing was written since."""
        with self._connection() as db:
            return db is not None and _is_rejected(db, image, plane)

    def mark_shown(self, image: ImageId, plane: int, number: int) -> None:
        """A person has seen this proposal: it is the first one where none was shown before."""
        with self._connection() as db:
            if db is not None and self._write and db.execute(_FIRST, (image, plane)).fetchone() is None:
                db.execute("UPDATE proposals SET first = 1 WHERE number = ?", (number,))

    def finish(self, image: ImageId, planes: Collection[int]) -> None:
        """These planes are done: nothing counts as first shown on them any more, and only the newest proposal stays."""
        with self._connection() as db:
            if db is not None and self._write:
                for plane in planes:
                    db.execute("UPDATE proposals SET first = 0 WHERE image = ? AND plane = ?", (image, plane))
                    db.execute(
                        "DELETE FROM proposals WHERE image = ?1 AND plane = ?2 AND number < "
                        "(SELECT max(number) FROM proposals WHERE image = ?1 AND plane = ?2)",
                        (image, plane),
                    )

    def forget(self, image: ImageId, keep: Collection[str] = ()) -> None:
        """Delete what was proposed for an image, but by versions of these names: its file holds another content now."""
        with self._connection() as db:
            if db is not None and self._write:
                but = f" AND version NOT IN ({', '.join('?' * len(keep))})" if keep else ""
                db.execute(f"DELETE FROM proposals WHERE image = ?{but}", (image, *keep))
                db.execute("DELETE FROM rejected WHERE image = ?", (image,))

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        with self._lock:
            self._drop()

    def _read(self, which: str, image: ImageId, plane: int, known: Proposal | None = None) -> Proposal | None:
        with self._connection() as db:
            found = None if db is None else db.execute(which, (image, plane)).fetchone()
            if db is None or found is None:
                return None
            number, version = found
            rows = db.execute("SELECT id, class_id, score FROM rows WHERE number = ?", (number,)).fetchall()
            tiles = db.execute("SELECT ty, tx, labels, confidence FROM tiles WHERE number = ?", (number,)).fetchall()
        before: Mapping[tuple[int, int], ProposalTile] = {}
        if known is not None and known.number == number:
            before = known.tiles
        try:
            decoded = {
                (r[0], r[1]): before.get((r[0], r[1])) or ProposalTile(decode_tile(r[2]), decode_confidence(r[3]))
                for r in tiles
            }
        except ProjectDamaged:
            # It is a cache: what cannot be read is not there, and is proposed again.
            return None
        found_rows = {id_: ProposalRow(ClassId(class_id), score) for id_, class_id, score in rows}
        return Proposal(image, plane, number, version, found_rows, decoded)

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._connection() as db:
            if db is None or not self._write:
                raise ReadOnly(_("The project is open for reading only: a proposal cannot be saved."))
            yield db

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection | None]:
        """The connection in one transaction; None for a reader where there is no file."""
        with self._lock:
            try:
                db = self._opened()
                if db is None:
                    yield None
                    return
                yield from self._transaction(db)
            except sqlite3.Error as error:
                self._drop()
                sentence = refusal(error)
                if sentence is None:
                    raise
                raise DiskRefused(_("A proposal could not be saved or read. {sentence}", sentence=sentence)) from error

    def _transaction(self, db: sqlite3.Connection) -> Generator[sqlite3.Connection]:
        db.execute("BEGIN IMMEDIATE" if self._write else "BEGIN")
        try:
            yield db
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        log = self._path.with_name(f"{self._path.name}-wal")
        if self._write and log.exists() and log.stat().st_size > _LOG_BYTES:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _opened(self) -> sqlite3.Connection | None:
        if self._db is not None and self._file != _identity(self._path):
            # The cache was emptied: anything written to the deleted file would be lost.
            self._drop()
        if self._db is None:
            self._db = self._open_for_writing() if self._write else self._open_for_reading()
            self._file = _identity(self._path)
        return self._db

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open_for_reading(self) -> sqlite3.Connection | None:
        if not self._path.exists():
            return None
        for access in (Access.READ, Access.IMMUTABLE):
            try:
                db = connect(self._path, access)
                if db.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
                    return db
                db.close()
            except sqlite3.DatabaseError:
                continue
        return None

    def _open_for_writing(self) -> sqlite3.Connection:
        self._path.parent.mkdir(exist_ok=True)
        try:
            return self._made()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # the disk refuses; the file's content is unharmed
            # It is a cache: unusable files are made again.
            for name in (self._path.name, f"{self._path.name}-wal", f"{self._path.name}-shm"):
                self._path.with_name(name).unlink(missing_ok=True)
            return self._made()

    def _made(self) -> sqlite3.Connection:
        db = connect(self._path, Access.CREATE)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                db.execute("BEGIN IMMEDIATE")
                for statement in _TABLES:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
                db.execute("COMMIT")
            elif version != _VERSION:
                raise sqlite3.DatabaseError("another version's proposals")
            db.execute(_REJECTED)
        except sqlite3.Error:
            db.close()
            raise
        return db


def _insert_parts(
    db: sqlite3.Connection,
    number: int,
    rows: Mapping[int, ProposalRow],
    tiles: Mapping[tuple[int, int], EncodedTile],
) -> None:
    db.executemany(
        "INSERT INTO rows VALUES (?, ?, ?, ?)", [(number, id_, row.class_id, row.score) for id_, row in rows.items()]
    )
    db.executemany(
        "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?)", [(number, *key, *blobs) for key, blobs in tiles.items()]
    )


def _is_from_people(db: sqlite3.Connection, image: int, plane: int) -> bool:
    newest = db.execute(_NEWEST, (image, plane)).fetchone()
    return newest is not None and newest[1] in FROM_PEOPLE


def _has_rejections(db: sqlite3.Connection) -> bool:
    """Whether the table is there: a reader may look at the cache of an older program."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rejected'").fetchone() is not None


def _is_rejected(db: sqlite3.Connection, image: int, plane: int) -> bool:
    where = "SELECT 1 FROM rejected WHERE image = ? AND plane = ?"
    return _has_rejections(db) and db.execute(where, (image, plane)).fetchone() is not None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino

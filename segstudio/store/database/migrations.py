"""How an older project becomes a current one: a list of functions, run by the writer alone, all in one transaction.

Before the first, the database is copied by SQLite into the project's `backups` folder. A migration that fails leaves
the project unchanged, and its own version still opens it. A read-only opening reads an older project as it is.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import segstudio
from segstudio.durable import sync_folder
from segstudio.errors import DiskRefused
from segstudio.labels.edit import now_utc
from segstudio.labels.model import Seq
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.disk_space import must_have_room
from segstudio.text import N_, _

__all__ = [
    "BACKUPS",
    "DONE_PLANES_SINCE",
    "LOCKED_SINCE",
    "METADATA_SINCE",
    "MIGRATIONS",
    "OPACITY_SINCE",
    "UNDO_FLOOR",
    "Migration",
    "migrate",
    "migrate_copy",
    "schema_of",
    "undo_floor",
]

BACKUPS = "backups"
UNDO_FLOOR = "undo_floor"
"""The setting that holds the number of the last edit that can no longer be undone; absent where all can."""

LOCKED_SINCE = OPACITY_SINCE = 4
"""The schema from which on objects have the column `locked`, classes `opacity`; a reader of an older one does without.
"""

METADATA_SINCE = 5
"""The schema from which on images have the column `metadata`, planes `file`."""

DONE_PLANES_SINCE = 6
"""The schema from which on images have the column `done_planes`."""

_SPARE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Migration:
    """A step to `version`, taken by `apply` in an open transaction.

    `undo_crosses` is for a step that only adds columns to what edits change; across any other nothing is undone.
    """

    version: int
    apply: Callable[[sqlite3.Connection], None]
    undo_crosses: bool = False


def _to_2(db: sqlite3.Connection) -> None:
    """Whether a file's content is still what was labelled, and finding moved files by their content."""
    # changed: quick hash of the other content that was found in its place; '' while it is the labelled one.
    db.execute("ALTER TABLE files ADD COLUMN changed TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE INDEX files_content_hash ON files (content_hash) WHERE content_hash <> ''")
    db.execute("CREATE INDEX files_name ON files (name_key)")


_BLANK_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Digest of the labels of an image on which nothing is labelled: sha256 of nothing."""


def _to_3(db: sqlite3.Connection) -> None:
    """The digest of each image's labels, NULL while it is not known, and how many objects of each class it has."""
    db.execute(f"ALTER TABLE images ADD COLUMN labels_sha256 BLOB DEFAULT x'{_BLANK_SHA256}'")
    db.execute("CREATE INDEX images_digest_unknown ON images (id) WHERE labels_sha256 IS NULL")
    # Objects with a pixel by class as they were given it; derived, as images.objects is from it.
    db.execute(
        "CREATE TABLE object_counts (image INTEGER NOT NULL, class_id INTEGER NOT NULL, objects INTEGER NOT NULL, "
        "PRIMARY KEY (image, class_id)) WITHOUT ROWID"
    )
    classes = {row[0]: row[1:] for row in db.execute("SELECT id, kind, removed, merged_into FROM classes")}
    count = "SELECT class_id, count(*) FROM objects WHERE image = ? AND area > 0 GROUP BY class_id"
    # Image by image: grouping millions of objects at once would have to sort them in memory.
    for (image,) in db.execute("SELECT id FROM images WHERE objects > 0 OR labelled_pixels > 0").fetchall():
        rows = db.execute(count, (image,)).fetchall()
        db.executemany("INSERT INTO object_counts VALUES (?, ?, ?)", [(image, *row) for row in rows])
        update = "UPDATE images SET objects = ?, labels_sha256 = NULL WHERE id = ?"
        db.execute(update, (_objects_of_schema_3(rows, classes), image))


def _objects_of_schema_3(rows: Sequence[tuple[int, int]], classes: Mapping[int, tuple[str, int, int | None]]) -> int:
    """Objects as schema 3 counts them: background and ignore left out, a semantic class once, merges followed."""
    instances, semantic = 0, set[int]()
    for class_id, n in rows:
        at, seen = class_id, set[int]()
        while at in classes and classes[at][2] is not None and at not in seen:
            seen.add(at)
            at = int(classes[at][2] or 0)
        kind, removed, _ = classes.get(at, ("", 1, None))
        if kind == "instance" and not removed:
            instances += n
        elif kind == "semantic" and not removed:
            semantic.add(at)
    return instances + len(semantic)


def _to_4(db: sqlite3.Connection) -> None:
    """Locks of single objects, and how opaque each class is drawn."""
    db.execute("ALTER TABLE objects ADD COLUMN locked INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX objects_locked ON objects (image, id) WHERE locked = 1")
    db.execute("ALTER TABLE classes ADD COLUMN opacity REAL NOT NULL DEFAULT 1.0")


def _to_5(db: sqlite3.Connection) -> None:
    """Which file of its image a plane lies in, and what a file says about its pixels beside them, as JSON."""
    db.execute("ALTER TABLE planes ADD COLUMN file INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE images ADD COLUMN metadata TEXT NOT NULL DEFAULT ''")


def _to_6(db: sqlite3.Connection) -> None:
    """Which planes of an image are done while others are not (`labels.done_planes`); of one that is done all are."""
    db.execute("ALTER TABLE images ADD COLUMN done_planes TEXT NOT NULL DEFAULT ''")


MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, _to_2, undo_crosses=True),
    Migration(3, _to_3, undo_crosses=True),
    Migration(4, _to_4, undo_crosses=True),
    Migration(5, _to_5, undo_crosses=True),
    Migration(6, _to_6, undo_crosses=True),
)


def schema_of(db: sqlite3.Connection) -> int:
    """The schema that a database is of; for those who read older ones."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def undo_floor(db: sqlite3.Connection) -> Seq:
    """Number of the last edit that cannot be undone any more; 0 where all can."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (UNDO_FLOOR,)).fetchone()
    return Seq(0 if row is None else int(row[0]))


def migrate(
    db: sqlite3.Connection, project: Path, *, readable_from: int, migrations: Sequence[Migration] = MIGRATIONS
) -> str:
    """Bring a project to the newest schema; returns a sentence about it, '' where nothing was to do.

    `db` is the writer's connection, outside a transaction. Raises `DiskRefused`, with the project unchanged, where
    there is no room for the copy or the disk refuses.
    """
    before = schema_of(db)
    steps = [step for step in migrations if step.version > before]
    if not steps:
        return ""
    newest = steps[-1].version
    try:
        copy = _copy(db, project, newest)
        _run(db, steps, readable_from)
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(
            _("The project '{name}' could not be updated. {sentence}", name=project.name, sentence=sentence),
            safe=_("It is unchanged."),
        ) from error
    return _(
        "The project was updated to this version; a copy of its former state is in {copy}.",
        copy=copy.relative_to(project),
    )


def migrate_copy(db: sqlite3.Connection, *, readable_from: int) -> None:
    """Bring a database that is itself a copy to the newest schema; no further copy is kept.

    Raises `sqlite3.Error`, with the database unchanged.
    """
    steps = [step for step in MIGRATIONS if step.version > schema_of(db)]
    if steps:
        _run(db, steps, readable_from)


def _run(db: sqlite3.Connection, steps: Sequence[Migration], readable_from: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            step.apply(db)
            db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.version, now_utc(), segstudio.__version__))
            db.execute(f"PRAGMA user_version = {step.version}")
            if not step.undo_crosses:
                db.execute(
                    "INSERT OR REPLACE INTO settings SELECT ?, CAST(coalesce(max(seq), 0) AS TEXT) FROM edits",
                    (UNDO_FLOOR,),
                )
        db.execute("UPDATE settings SET value = ? WHERE key = 'readable_from'", (str(readable_from),))
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _copy(db: sqlite3.Connection, project: Path, version: int) -> Path:
    """Copy the database as it is, durably, to backups/before-schema-N.db; an earlier try's copy is replaced."""
    folder = project / BACKUPS
    folder.mkdir(exist_ok=True)
    pages, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
    sentence = N_(
        "The project '{name}' was made by an older version; the copy made before it is updated needs {needed} MB, and "
        "'{folder}' has {free} MB free."
    )
    safe, todo = _("It is unchanged."), _("Free some space and open it again.")
    must_have_room(folder, pages * size + _SPARE_BYTES, sentence, safe=safe, todo=todo, name=project.name)
    target = folder / f"before-schema-{version}.db"
    part = folder / f".{target.name}.part"
    part.unlink(missing_ok=True)
    try:
        db.execute("VACUUM INTO ?", (str(part),))
        with open(part, "rb+") as file:  # SQLite does not sync what it vacuums into
            os.fsync(file.fileno())
        os.replace(part, target)
        sync_folder(folder)
    finally:
        part.unlink(missing_ok=True)
    return target

"""The tables of project.db, their version, and the check of a project made by another version.

`user_version` counts schemas; the setting `readable_from` names the oldest schema number whose program may still read
the file. Objects, classes and images only ever gain columns. A project-wide value stands in `settings` as JSON. The
tables below are those of schema 1, as it was released; every later schema is what `migrations` made of it, in a new
project too, so that a new project and a migrated one are the same.
"""

import sqlite3

from segstudio.errors import NotAProject, ProjectNewer
from segstudio.store.database.migrations import MIGRATIONS, schema_of
from segstudio.text import _

__all__ = ["APPLICATION_ID", "READABLE_FROM", "SCHEMA_VERSION", "check_version", "create_tables"]

APPLICATION_ID = 0x53454753
"""'SEGS', in the header of the database file."""

SCHEMA_VERSION = MIGRATIONS[-1].version
READABLE_FROM = 1

_TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE migrations (version INTEGER PRIMARY KEY, time TEXT NOT NULL, program TEXT NOT NULL);

-- Images stay where they are: an image has 1..n files under roots. `relative` finds a root that moved with the project.
CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL, relative TEXT NOT NULL DEFAULT '');
CREATE TABLE groups (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, split TEXT CHECK (split IN ('train', 'held-out')),
    decided_at INTEGER);
CREATE INDEX groups_split ON groups (split) WHERE split IS NOT NULL;
-- corrected_pixels: how many of the proposed_pixels that were shown first a person had changed at the last Done.
CREATE TABLE images (
    id INTEGER PRIMARY KEY, position INTEGER NOT NULL, path TEXT NOT NULL, name_key TEXT NOT NULL,
    group_id INTEGER NOT NULL REFERENCES groups (id),
    channels INTEGER NOT NULL, dtype TEXT NOT NULL, family TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'new', removed INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
    next_object INTEGER NOT NULL DEFAULT 1, last_edit INTEGER NOT NULL DEFAULT 0,
    objects INTEGER NOT NULL DEFAULT 0, labelled_pixels INTEGER NOT NULL DEFAULT 0,
    corrected_pixels INTEGER, proposed_pixels INTEGER);
CREATE INDEX images_position ON images (position);
CREATE INDEX images_name ON images (name_key);
CREATE INDEX images_group ON images (group_id);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, image INTEGER NOT NULL REFERENCES images (id), position INTEGER NOT NULL,
    root INTEGER NOT NULL REFERENCES roots (id), path TEXT NOT NULL, name_key TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, quick_hash TEXT NOT NULL, content_hash TEXT NOT NULL DEFAULT '',
    UNIQUE (image, position));
CREATE INDEX files_quick_hash ON files (quick_hash);
CREATE TABLE planes (
    image INTEGER NOT NULL REFERENCES images (id), position INTEGER NOT NULL, key TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, PRIMARY KEY (image, position)) WITHOUT ROWID;

CREATE TABLE classes (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, color TEXT NOT NULL, kind TEXT NOT NULL,
    value INTEGER NOT NULL UNIQUE, position INTEGER NOT NULL, locked INTEGER NOT NULL DEFAULT 0,
    visible INTEGER NOT NULL DEFAULT 1, removed INTEGER NOT NULL DEFAULT 0,
    merged_into INTEGER REFERENCES classes (id));
CREATE UNIQUE INDEX classes_name ON classes (name_key) WHERE removed = 0 AND merged_into IS NULL;

-- area ... computed are derived: pixels in all, the box over all planes (half-open), pixels by origin.
CREATE TABLE objects (
    image INTEGER NOT NULL REFERENCES images (id), id INTEGER NOT NULL,
    class_id INTEGER NOT NULL REFERENCES classes (id),
    area INTEGER NOT NULL DEFAULT 0, x0 INTEGER, y0 INTEGER, x1 INTEGER, y1 INTEGER,
    painted INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0, imported INTEGER NOT NULL DEFAULT 0,
    filled INTEGER NOT NULL DEFAULT 0, computed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (image, id)) WITHOUT ROWID;
CREATE INDEX objects_class ON objects (class_id);
CREATE TABLE counts (
    image INTEGER NOT NULL REFERENCES images (id), class_id INTEGER NOT NULL REFERENCES classes (id),
    origin INTEGER NOT NULL, pixels INTEGER NOT NULL, PRIMARY KEY (image, class_id, origin)) WITHOUT ROWID;
CREATE INDEX counts_class ON counts (class_id, origin, pixels);

-- The truth: tiles that hold a label. `digest` is sha256 of the raw content; it stands before the data so that a
-- scan of digests reads no overflow page.
CREATE TABLE tiles (
    id INTEGER PRIMARY KEY, image INTEGER NOT NULL REFERENCES images (id), plane INTEGER NOT NULL,
    ty INTEGER NOT NULL, tx INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (image, plane, ty, tx));
-- Derived: pixels and box (image coordinates, half-open) of each object in each tile.
CREATE TABLE tile_objects (
    image INTEGER NOT NULL, object INTEGER NOT NULL, plane INTEGER NOT NULL, ty INTEGER NOT NULL, tx INTEGER NOT NULL,
    area INTEGER NOT NULL, x0 INTEGER NOT NULL, y0 INTEGER NOT NULL, x1 INTEGER NOT NULL, y1 INTEGER NOT NULL,
    PRIMARY KEY (image, object, plane, ty, tx)) WITHOUT ROWID;

-- The journal. `undoes` names the edit that is taken back; `inverse` is 1 for an undo, 0 for a new edit or a redo;
-- `taken_back` names the edit in force that undid this one. An edit that undoes stores neither rows nor deltas.
CREATE TABLE edits (
    seq INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, image INTEGER REFERENCES images (id), cause TEXT NOT NULL,
    tool TEXT NOT NULL, author TEXT NOT NULL, time TEXT NOT NULL, undoes INTEGER REFERENCES edits (seq),
    inverse INTEGER NOT NULL DEFAULT 0, taken_back INTEGER, batch INTEGER REFERENCES batches (id),
    rows BLOB, pixels INTEGER NOT NULL DEFAULT 0);
CREATE INDEX edits_new ON edits (image, seq) WHERE undoes IS NULL;
CREATE INDEX edits_undoable ON edits (image, seq) WHERE undoes IS NULL AND taken_back IS NULL;
CREATE INDEX edits_redoable ON edits (image, seq) WHERE inverse = 1 AND taken_back IS NULL;
CREATE INDEX edits_undoes ON edits (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX edits_batch ON edits (batch) WHERE batch IS NOT NULL;
CREATE TABLE deltas (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL REFERENCES edits (seq), plane INTEGER NOT NULL, ty INTEGER NOT NULL,
    tx INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (seq, plane, ty, tx));
CREATE TABLE batches (id INTEGER PRIMARY KEY, cause TEXT NOT NULL, author TEXT NOT NULL, time TEXT NOT NULL);
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, seq INTEGER NOT NULL, time TEXT NOT NULL, kind TEXT NOT NULL);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL, parent TEXT NOT NULL DEFAULT '', version TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT '', seed INTEGER NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0, summary TEXT NOT NULL DEFAULT '{}');
CREATE TABLE versions (
    name TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, learner TEXT NOT NULL, parent TEXT NOT NULL,
    run INTEGER REFERENCES runs (id), made TEXT NOT NULL, seq INTEGER NOT NULL, promoted INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '', steps INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    figures TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;
CREATE TABLE version_groups (
    version TEXT NOT NULL REFERENCES versions (name), group_id INTEGER NOT NULL REFERENCES groups (id),
    split TEXT NOT NULL, PRIMARY KEY (version, group_id)) WITHOUT ROWID;

-- Seconds a person spent on an image, a row a day.
CREATE TABLE times (
    image INTEGER NOT NULL REFERENCES images (id), author TEXT NOT NULL, day TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (image, author, day)) WITHOUT ROWID;
"""


def create_tables(db: sqlite3.Connection) -> None:
    """Make every table in the open transaction of an empty database."""
    # One statement at a time: executescript() would end the transaction.
    for statement in _without_comments(_TABLES).split(";"):
        if statement.strip():
            db.execute(statement)
    for step in MIGRATIONS:
        step.apply(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("INSERT INTO settings VALUES ('readable_from', ?)", (str(READABLE_FROM),))


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))


def check_version(db: sqlite3.Connection, name: str, *, write: bool) -> None:
    """Raise `NotAProject` where the database is none of ours, `ProjectNewer` where this version may not use it."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise NotAProject(_("'{name}' is not a SegStudio project.", name=name))
    if schema_of(db) <= SCHEMA_VERSION:
        return
    row = db.execute("SELECT value FROM settings WHERE key = 'readable_from'").fetchone()
    if row is None or int(row[0]) > SCHEMA_VERSION:
        raise ProjectNewer(
            _(
                "The project '{name}' was made by a newer version of SegStudio and cannot be opened by this one.",
                name=name,
            ),
            todo=_("Update SegStudio."),
        )
    if write:
        raise ProjectNewer(
            _("The project '{name}' was made by a newer version of SegStudio; this one can only read it.", name=name),
            todo=_("Update SegStudio to change it."),
        )

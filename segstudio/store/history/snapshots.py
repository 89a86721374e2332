"""Snapshots: names for numbers of edits, made by a person; daily ones are automatic (`store.history.daily`).

What a snapshot names is read from the journal (`store.history.historic_states`); making one copies nothing. All here
runs in the caller's transaction.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from segstudio.errors import UserError
from segstudio.labels.edit import now_utc
from segstudio.labels.model import Seq, folded_name
from segstudio.store.history.undo_horizon import is_kept
from segstudio.store.writing.journal import last_seq
from segstudio.text import _

__all__ = [
    "Snapshot",
    "SnapshotKind",
    "delete_snapshot",
    "find_snapshot",
    "keep_snapshot",
    "read_snapshots",
    "rename_snapshot",
]

_AUTHOR = "snapshot_author."
_LONGEST_NAME = 200


class SnapshotKind(StrEnum):
    """Who made a snapshot."""

    NAMED = "named"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A name for the labels as they stood after edit `seq`; `edits` were made since. `time` is UTC.

    `kept` is false where its state was dropped by `segstudio compact`.
    """

    id: int
    name: str
    seq: Seq
    time: str
    kind: SnapshotKind
    author: str
    edits: int
    kept: bool = True


def read_snapshots(db: sqlite3.Connection) -> list[Snapshot]:
    """All snapshots, newest first."""
    last = last_seq(db)
    rows = db.execute(
        "SELECT s.id, s.name, s.seq, s.time, s.kind, coalesce(a.value, '\"\"') FROM snapshots s "
        "LEFT JOIN settings a ON a.key = ? || s.id ORDER BY s.seq DESC, s.id DESC",
        (_AUTHOR,),
    )
    return [
        Snapshot(
            id=id_,
            name=name,
            seq=Seq(seq),
            time=time,
            kind=SnapshotKind(kind),
            author=msgspec.json.decode(author, type=str),
            edits=last - seq,
            kept=is_kept(db, Seq(seq)),
        )
        for id_, name, seq, time, kind, author in rows
    ]


def find_snapshot(db: sqlite3.Connection, name: str) -> Snapshot:
    """The snapshot of a name, without regard to case. Raises `UserError` where there is none."""
    folded = folded_name(name)
    for snapshot in read_snapshots(db):
        if folded_name(snapshot.name) == folded:
            return snapshot
    raise UserError(_("There is no snapshot '{name}' in this project.", name=name))


def keep_snapshot(db: sqlite3.Connection, name: str = "", author: str = "") -> Snapshot:
    """Give today's labels a name; '' is the local date and time. Raises `UserError` for a name that is taken."""
    name = _free_name(db, name) if name.strip() else _default_name(db)
    cursor = db.execute(
        "INSERT INTO snapshots (name, seq, time, kind) VALUES (?, ?, ?, ?)",
        (name, last_seq(db), now_utc(), SnapshotKind.NAMED.value),
    )
    id_ = cursor.lastrowid
    assert id_ is not None
    # The author of a snapshot that had this number before may still be there.
    note = (f"{_AUTHOR}{id_}", msgspec.json.encode(author).decode())
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", note)
    return _numbered(db, id_)


def rename_snapshot(db: sqlite3.Connection, id_: int, name: str) -> Snapshot:
    """Give a snapshot another name; a daily one is a person's from then on, and stays. Raises `UserError`."""
    found = _numbered(db, id_)
    if folded_name(found.name) != folded_name(name):
        name = _free_name(db, name)
    db.execute("UPDATE snapshots SET name = ?, kind = 'named' WHERE id = ?", (name.strip(), id_))
    return _numbered(db, id_)


def delete_snapshot(db: sqlite3.Connection, id_: int) -> Snapshot:
    """Take a name away; no label changes, and the journal stays. Raises `UserError` where it no longer exists."""
    found = _numbered(db, id_)
    db.execute("DELETE FROM snapshots WHERE id = ?", (id_,))
    db.execute("DELETE FROM settings WHERE key = ?", (f"{_AUTHOR}{id_}",))
    return found


def _default_name(db: sqlite3.Connection) -> str:
    plain = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
    name, n = plain, 1
    while _taken(db, name):
        n += 1
        name = f"{plain} ({n})"
    return name


def _free_name(db: sqlite3.Connection, name: str) -> str:
    stripped = name.strip()
    if not stripped or len(stripped) > _LONGEST_NAME or not stripped.isprintable():
        raise UserError(_("A snapshot needs a name of 1 to {longest} printable characters.", longest=_LONGEST_NAME))
    if _taken(db, stripped):
        raise UserError(_("There is already a snapshot '{name}'.", name=stripped), todo=_("Choose another name."))
    return stripped


def _taken(db: sqlite3.Connection, name: str) -> bool:
    folded = folded_name(name)
    return any(folded_name(row[0]) == folded for row in db.execute("SELECT name FROM snapshots"))


def _numbered(db: sqlite3.Connection, id_: int) -> Snapshot:
    for snapshot in read_snapshots(db):
        if snapshot.id == id_:
            return snapshot
    raise UserError(_("This snapshot is no longer in the project."))

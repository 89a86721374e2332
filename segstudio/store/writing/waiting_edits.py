"""Edits that the disk refused until the project was closed: kept in the user's state folder, replayed at the opening.

Only who holds the lock of a place writes its file (`waiting_files`). An edit that is in the journal already is left
out, so a crash between replay and removal does no harm. Edits that no longer fit are set aside in a separate file; the
rest is saved.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused
from segstudio.labels.edit import Edit, encode_edit
from segstudio.labels.model import Seq
from segstudio.store.database.connections import Readers
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import UNREADABLE, refusal
from segstudio.store.queries import read_setting
from segstudio.store.writing import waiting_words as words
from segstudio.store.writing.outbox_replay import decoded, replay_edits
from segstudio.store.writing.waiting_files import (
    ASIDE,
    Wire,
    folder,
    is_for,
    named,
    old_name,
    place_text,
    read_file,
    read_waiting,
    set_aside_files_of,
    waiting_file,
    waiting_files_of,
)
from segstudio.text import _

__all__ = [
    "Unsaved",
    "keep",
    "notes_on",
    "read_waiting",
    "replay",
    "replay_edits",
    "set_aside",
    "set_aside_files_of",
    "unsaved",
    "waiting_file",
    "waiting_files_of",
]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """How many edits wait for a project that its journal does not hold, and a sentence; 0 and '' where none does."""

    edits: int
    sentence: str


# --- keeping


def keep(uuid: str, project: Path, edits: Sequence[tuple[Seq, Edit]]) -> Path:
    """Write edits that could not be saved, after any that wait already; one that does is not written twice.

    Only for the holder of the project's lock. What cannot be read in the place of the file is set aside. Raises
    `DiskRefused` where this is refused too.
    """
    path = waiting_file(uuid, project)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        together = dict.fromkeys([*_earlier(path), *_encoded(edits)])
        write_durably(path, msgspec.msgpack.encode(Wire(place_text(project), list(together))))
    except OSError as error:
        raise words.not_kept(len(edits), path.parent, error) from error
    return path


def set_aside(uuid: str, project: Path, edits: Sequence[tuple[Seq, Edit]]) -> Path:
    """Write edits that do not follow what is saved to a file that no opening replays. Raises `DiskRefused`."""
    own = waiting_file(uuid, project)
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        return _set_aside(own, place_text(project), _encoded(edits))
    except OSError as error:
        raise words.not_kept(len(edits), own.parent, error) from error


def _encoded(edits: Sequence[tuple[Seq, Edit]]) -> list[tuple[int, bytes]]:
    return [(int(seq), encode_edit(edit)) for seq, edit in edits]


def _earlier(path: Path) -> list[tuple[int, bytes]]:
    try:
        return read_file(path).edits
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError):
        _move_aside(path, path)
        return []


def _move_aside(path: Path, own: Path) -> Path:
    aside = own.with_suffix(f".{os.urandom(4).hex()}{ASIDE}")
    os.replace(path, aside)
    return aside


# --- what waits


def unsaved(db: sqlite3.Connection, uuid: str, project: Path) -> Unsaved:
    """The edits that opening for writing would save. Changes nothing; unreadable files are in the sentence."""
    edits, said = 0, list[str]()
    try:
        paths = named(uuid)
    except OSError as error:
        return Unsaved(0, words.unreadable(folder(), error))
    for path in paths:
        try:
            wire = read_file(path)
        except FileNotFoundError:
            continue  # saved at this moment
        except (OSError, msgspec.DecodeError) as error:
            said.append(words.unreadable(path, error))
            continue
        if is_for(path, wire, uuid, project):
            edits += _missing(db, wire)
    if edits:
        said.insert(0, words.waits(edits, project.name))
    return Unsaved(edits, " ".join(said))


def _missing(db: sqlite3.Connection, wire: Wire) -> int:
    """How many edits of a file the journal does not hold; all of them where it cannot be read."""
    known = "SELECT 1 FROM edits WHERE id = ?"
    edits = [decoded(blob) for blob in {blob for _, blob in wire.edits}]
    try:
        return sum(edit is None or db.execute(known, (edit.id,)).fetchone() is None for edit in edits)
    except UNREADABLE:
        return len(edits)


def notes_on(projects: Iterable[Path]) -> tuple[str, ...]:
    """A sentence for each project in these folders for which edits wait; for callers that read them in other ways."""
    said: list[str] = []
    for project in projects:
        with closing(Readers(project / DATABASE)) as readers, readers.transaction() as db:
            said.append(unsaved(db, str(read_setting(db, "uuid")), project).sentence)
    return tuple(filter(None, said))


# --- replaying


def replay(db: sqlite3.Connection, uuid: str, project: Path) -> str:
    """Write what waits into the project, each file in one transaction; sentences about it, '' where nothing waits.

    It takes what was kept for its own place, and for a place where the project no longer is. What no longer fits, and
    what rests on it, is set aside in another file, not lost; so is what cannot be read. Raises `DiskRefused` where the
    disk still refuses: then all of it keeps waiting.
    """
    said: list[str] = []
    try:
        paths = named(uuid)
    except OSError as error:
        return words.unreadable(folder(), error)
    for path in paths:
        try:
            said.append(_replay_file(db, path, uuid, project))
        except DiskRefused as error:
            error.safe = " ".join(filter(None, (*said, error.safe)))
            raise
    return " ".join(filter(None, said))


def _replay_file(db: sqlite3.Connection, path: Path, uuid: str, project: Path) -> str:
    try:
        wire = read_file(path)
    except FileNotFoundError:
        return ""  # another copy of the project has taken it
    except OSError as error:
        return words.unreadable(path, error)
    except msgspec.DecodeError as error:
        own = waiting_file(uuid, project)
        return _set_unreadable_aside(path, own) if path in (own, old_name(uuid)) else words.unreadable(path, error)
    if not is_for(path, wire, uuid, project):
        return words.elsewhere(_missing(db, wire), wire.project)
    sentence = _write(db, path, wire, waiting_file(uuid, project), project)
    with suppress(OSError):  # left behind it does no harm: all of it is in the journal or set aside
        path.unlink()
    return sentence


def _write(db: sqlite3.Connection, path: Path, wire: Wire, own: Path, project: Path) -> str:
    aside = None
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            replayed = replay_edits(db, wire.edits)
            if replayed.aside:
                # Before the commit: an edit is always in one of the two.
                aside = _set_aside(own, place_text(project), replayed.aside)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(sentence, safe=_("The edits waiting for it are kept in {path}.", path=path)) from error
    return words.outcome(replayed, aside)


def _set_unreadable_aside(path: Path, own: Path) -> str:
    try:
        path = _move_aside(path, own)
    except OSError as refused:
        return words.unreadable(path, refused)
    return words.set_aside(path)


def _set_aside(own: Path, project: str, edits: Sequence[tuple[int, bytes]]) -> Path:
    """Keep edits under a name that their content gives: a crash and a second replay make no second file."""
    data = msgspec.msgpack.encode(Wire(project, list(edits)))
    aside = own.with_suffix(f".{hashlib.sha256(data).hexdigest()[:8]}{ASIDE}")
    write_durably(aside, data)
    return aside

"""Edits that the disk refused until the project was closed: kept in the user's state folder, replayed at the opening.

One file a project, named by its uuid. An edit that is in the journal already is left out, so a crash between replay
and removal does no harm. What no longer fits is set aside in a file of its own, with all that rests on it; the rest is
saved.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import platformdirs

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused, EditConflict, ProjectDamaged
from segstudio.labels.edit import Edit, Table, TileChange, decode_edit, encode_edit
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tile import expanded
from segstudio.store.journal import last_seq, write_edit
from segstudio.store.refusal import refusal

__all__ = ["Replayed", "keep", "read_waiting", "replay", "replay_edits", "waiting_file", "waiting_files_of"]


class _Wire(msgspec.Struct):
    project: str
    edits: list[tuple[int, bytes]]


def waiting_file(uuid: str) -> Path:
    """Where the waiting edits of a project are kept."""
    return platformdirs.user_state_path("segstudio") / "waiting" / f"{uuid}.edits"


def keep(uuid: str, project: Path, edits: Sequence[tuple[Seq, Edit]]) -> Path:
    """Write edits that could not be saved, after any that wait already. Raises `DiskRefused` where this fails too."""
    path = waiting_file(uuid)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        earlier = _read(path).edits if path.exists() else []
        wire = _Wire(str(project), earlier + [(int(seq), encode_edit(edit)) for seq, edit in edits])
        write_durably(path, msgspec.msgpack.encode(wire))
    except OSError as error:
        raise DiskRefused(
            f"{_counted(len(edits))} could not be saved, neither in the project nor in {path.parent}: "
            f"{error.strerror or error}."
        ) from error
    return path


def _read(path: Path) -> _Wire:
    return msgspec.msgpack.decode(path.read_bytes(), type=_Wire)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many edits were saved now, and those that no longer fit, as they were kept."""

    saved: int
    aside: tuple[tuple[int, bytes], ...] = ()


def read_waiting(path: Path) -> list[tuple[int, bytes]]:
    """Planned number and encoded edit of everything in a file. Raises `OSError`, `msgspec.DecodeError`."""
    return _read(path).edits


def waiting_files_of(project: Path) -> list[Path]:
    """Files of edits that wait for the project in this folder, whatever its uuid: for one whose database is gone."""
    found: list[Path] = []
    for path in sorted(waiting_file("any").parent.glob("*.edits")):
        try:
            if _read(path).project == str(project):
                found.append(path)
        except (OSError, msgspec.DecodeError):
            continue
    return found


def replay(db: sqlite3.Connection, uuid: str, project: Path) -> str:
    """Write what waits into the project in one transaction; returns a sentence about it, '' where nothing waits.

    A copy of the project gets nothing while the one that was painted in is still in its place. What no longer fits,
    and what rests on it, is set aside in another file, not lost. Raises `DiskRefused` where the disk still refuses:
    then all of it goes on waiting.
    """
    path = waiting_file(uuid)
    if not path.exists():
        return ""
    try:
        wire = _read(path)
    except msgspec.DecodeError:
        aside = path.with_suffix(f".{os.urandom(4).hex()}.conflict")
        os.replace(path, aside)
        return f"The edits that could not be saved earlier cannot be read; they are kept in {aside}."
    if wire.project != str(project) and Path(wire.project).exists():
        return ""
    aside = None
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            replayed = replay_edits(db, wire.edits)
            if replayed.aside:
                # Before the commit: an edit is always in one of the two.
                aside = _set_aside(path, wire.project, replayed.aside)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(sentence, safe=f"The edits that wait for it are kept in {path}.") from error
    path.unlink()
    return _sentence(replayed, aside)


def _set_aside(path: Path, project: str, edits: Sequence[tuple[int, bytes]]) -> Path:
    """Keep edits under a name that their content gives: a crash and a second replay make no second file."""
    data = msgspec.msgpack.encode(_Wire(project, list(edits)))
    aside = path.with_suffix(f".{hashlib.sha256(data).hexdigest()[:8]}.conflict")
    write_durably(aside, data)
    return aside


def _sentence(replayed: Replayed, aside: Path | None) -> str:
    saved = ""
    if replayed.saved:
        verb = "is" if replayed.saved == 1 else "are"
        saved = f"{_counted(replayed.saved)} that the disk refused when the project was closed {verb} saved now"
    if aside is None:
        return f"{saved}." if saved else ""
    verb, whose = ("fits", "it is") if len(replayed.aside) == 1 else ("fit", "they are")
    left = f"{_counted(len(replayed.aside))} no longer {verb} this project; {whose} kept in {aside}."
    return f"{saved}, but {left}" if saved else left


def _counted(edits: int) -> str:
    return "1 edit" if edits == 1 else f"{edits} edits"


@dataclass(slots=True)
class _Missing:
    """What the edits that were set aside would have made: whatever rests on it is set aside too."""

    numbers: set[int] = field(default_factory=set[int])
    objects: set[tuple[ImageId | None, int]] = field(default_factory=set[tuple[ImageId | None, int]])
    classes: set[int] = field(default_factory=set[int])

    def add(self, planned: int, edit: Edit | None) -> None:
        self.numbers.add(planned)
        for row in () if edit is None else edit.rows:
            if edit is not None and row.before is None and row.table is Table.OBJECTS:
                self.objects.add((edit.image, row.key))
            elif row.before is None and row.table is Table.CLASSES:
                self.classes.add(row.key)

    def holds_up(self, edit: Edit) -> bool:
        """Whether an edit rests on what is missing. A tile or row that differs is noticed when it is written."""
        if edit.undoes is not None and edit.undoes in self.numbers:
            return True
        for row in edit.rows:
            if row.table is Table.CLASSES and row.key in self.classes:
                return True
            if row.table is Table.OBJECTS and row.before is not None and (edit.image, row.key) in self.objects:
                return True
            if row.table is Table.OBJECTS and (row.after or {}).get("class_id") in self.classes:
                return True
        # Somebody else may have given the same number to another object meanwhile.
        mine = {id_ for image, id_ in self.objects if image == edit.image}
        return bool(mine) and any(mine & set(_ids(change)) for change in edit.tiles.values())


def _ids(change: TileChange) -> Iterator[int]:
    for tile in (change.before, change.after):
        yield from np.unique(expanded(tile)[0]).tolist()


def replay_edits(db: sqlite3.Connection, edits: Sequence[tuple[int, bytes]]) -> Replayed:
    """Write encoded edits, with the numbers they were to have, in the open transaction, each by itself.

    One that does not fit what is stored changes nothing and is returned, as is all that rests on it. Raises
    `sqlite3.Error` where the disk refuses.
    """
    numbers: dict[int, Seq] = {}
    missing = _Missing()
    aside: list[tuple[int, bytes]] = []
    saved = 0
    for planned, blob in edits:
        edit = _decoded(blob)
        known = None if edit is None else db.execute("SELECT seq FROM edits WHERE id = ?", (edit.id,)).fetchone()
        if known is not None:
            numbers[planned] = Seq(known[0])
        elif edit is not None and not missing.holds_up(edit) and (seq := _write(db, edit, numbers)) is not None:
            numbers[planned] = seq
            saved += 1
        else:
            missing.add(planned, edit)
            aside.append((planned, blob))
    return Replayed(saved, tuple(aside))


def _decoded(blob: bytes) -> Edit | None:
    try:
        return decode_edit(blob)
    except (ProjectDamaged, ValueError):
        return None


def _write(db: sqlite3.Connection, edit: Edit, numbers: dict[int, Seq]) -> Seq | None:
    """The number an edit was written under; None, and nothing written, where it does not fit."""
    # Somebody may have written meanwhile: then the numbers are others than was planned.
    seq = Seq(last_seq(db) + 1)
    undoes = None if edit.undoes is None else numbers.get(edit.undoes, edit.undoes)
    db.execute("SAVEPOINT edit")
    try:
        write_edit(db, seq, replace(edit, undoes=undoes))
    except (EditConflict, sqlite3.IntegrityError):
        db.execute("ROLLBACK TO edit")
        return None
    finally:
        if db.in_transaction:
            db.execute("RELEASE edit")
    return seq

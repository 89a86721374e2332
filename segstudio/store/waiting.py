"""Edits that the disk refused until the project was closed: kept in the user's state folder, replayed at the opening.

One file a project, named by its uuid. An edit that is in the journal already is left out, so a crash between replay
and removal does no harm.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import platformdirs

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused, EditConflict, ProjectDamaged
from segstudio.labels.edit import Edit, decode_edit, encode_edit
from segstudio.labels.model import Seq
from segstudio.store.journal import last_seq, write_edit
from segstudio.store.refusal import refusal

__all__ = ["keep", "replay", "waiting_file"]


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


def replay(db: sqlite3.Connection, uuid: str, project: Path) -> str:
    """Write what waits into the project in one transaction; returns a sentence about it, '' where nothing waits.

    A copy of the project gets nothing while the one that was painted in is still in its place. What no longer fits is
    set aside under another name, not lost. Raises `DiskRefused` where the disk still refuses: then it goes on waiting.
    """
    path = waiting_file(uuid)
    if not path.exists():
        return ""
    try:
        wire = _read(path)
        if wire.project != str(project) and Path(wire.project).exists():
            return ""
        written = _write(db, [(Seq(seq), decode_edit(blob)) for seq, blob in wire.edits])
    except (EditConflict, ProjectDamaged, sqlite3.IntegrityError, ValueError):
        aside = path.with_suffix(f".{os.urandom(4).hex()}.conflict")
        os.replace(path, aside)
        return f"Edits that could not be saved earlier no longer fit this project; they are kept in {aside}."
    except sqlite3.Error as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(sentence, safe=f"The edits that wait for it are kept in {path}.") from error
    path.unlink()
    if not written:
        return ""
    saved = "is" if written == 1 else "are"
    return f"{_counted(written)} that the disk refused when the project was closed {saved} saved now."


def _counted(edits: int) -> str:
    return "1 edit" if edits == 1 else f"{edits} edits"


def _write(db: sqlite3.Connection, edits: Sequence[tuple[Seq, Edit]]) -> int:
    numbers: dict[Seq | None, Seq] = {}
    db.execute("BEGIN IMMEDIATE")
    try:
        for planned, edit in edits:
            if db.execute("SELECT 1 FROM edits WHERE id = ?", (edit.id,)).fetchone() is None:
                # Somebody may have written meanwhile: then the numbers are others than was planned.
                seq = numbers[planned] = Seq(last_seq(db) + 1)
                write_edit(db, seq, replace(edit, undoes=numbers.get(edit.undoes, edit.undoes)))
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return len(numbers)

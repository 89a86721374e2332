"""Encoded edits written again into a project that may have changed meanwhile: each on its own, where it still fits.

Edits that no longer fit are returned with all that depend on them; the rest is saved.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import Edit, Table, TileChange, decode_edit
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.tile import expanded
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.migrations import undo_floor
from segstudio.store.history.undo_horizon import floor_of
from segstudio.store.writing.journal import last_seq, write_edit

__all__ = ["Replayed", "decoded", "replay_edits"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many edits were saved now, and those that no longer fit, as they were kept."""

    saved: int
    aside: tuple[tuple[int, bytes], ...] = ()


@dataclass(slots=True)
class _Missing:
    """What the edits that were set aside would have made: anything that depends on it is set aside too."""

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
        """Whether an edit depends on something missing. A tile or row that differs is noticed when it is written."""
        if edit.undoes is not None and edit.undoes in self.numbers:
            return True
        for row in edit.rows:
            if row.table is Table.CLASSES and row.key in self.classes:
                return True
            if row.table is Table.OBJECTS and row.before is not None and (edit.image, row.key) in self.objects:
                return True
            if row.table is Table.OBJECTS and (row.after or {}).get("class_id") in self.classes:
                return True
        # Another writer may have given the same number to another object meanwhile.
        mine = {id_ for image, id_ in self.objects if image == edit.image}
        return bool(mine) and any(mine & set(_ids(change)) for change in edit.tiles.values())


def _ids(change: TileChange) -> Iterator[int]:
    for tile in (change.before, change.after):
        yield from np.unique(expanded(tile)[0]).tolist()


def replay_edits(db: sqlite3.Connection, edits: Sequence[tuple[int, bytes]]) -> Replayed:
    """Write encoded edits, with the numbers they were to have, in the open transaction, each on its own.

    One that does not fit what is stored changes nothing and is returned, as is all that rests on it. Raises
    `sqlite3.Error` where the disk refuses.
    """
    numbers: dict[int, Seq] = {}
    missing = _Missing()
    aside: list[tuple[int, bytes]] = []
    saved = 0
    for planned, blob in edits:
        edit = decoded(blob)
        known = None if edit is None else db.execute("SELECT seq FROM edits WHERE id = ?", (edit.id,)).fetchone()
        if known is not None:
            numbers[planned] = Seq(known[0])
        elif edit is not None and not missing.holds_up(edit) and (seq := _write(db, edit, numbers)) is not None:
            numbers[planned] = seq
            saved += 1
        else:
            missing.add(planned, edit)
            if all(blob != other for _, other in aside):  # kept twice
                aside.append((planned, blob))
    return Replayed(saved, tuple(aside))


def decoded(blob: bytes) -> Edit | None:
    """An edit as it was kept; None where it cannot be read."""
    try:
        return decode_edit(blob)
    except (ProjectDamaged, ValueError):
        return None


def _write(db: sqlite3.Connection, edit: Edit, numbers: dict[int, Seq]) -> Seq | None:
    """The number an edit was written under; None, and nothing written, where it does not fit."""
    # Another writer may have written meanwhile: then the numbers differ from the planned ones.
    seq = Seq(last_seq(db) + 1)
    undoes = None if edit.undoes is None else numbers.get(edit.undoes, edit.undoes)
    if undoes is not None and not _can_be_taken_back(db, undoes, edit):
        return None
    db.execute("SAVEPOINT edit")
    try:
        write_edit(db, seq, replace(edit, undoes=undoes))
    except Exception as error:
        if refusal(error) is not None:
            raise
        # It conflicts with what is stored, or a fault of the program made it: no reason to refuse the project.
        db.execute("ROLLBACK TO edit")
        return None
    finally:
        if db.in_transaction:
            db.execute("RELEASE edit")
    return seq


def _can_be_taken_back(db: sqlite3.Connection, undoes: Seq, edit: Edit) -> bool:
    """Whether the journal still holds the effect that an undo, or redo, reverses: else it could not be reversed again.

    A repair, or `segstudio compact`, may have dropped it meanwhile; undo begins after the floor that they leave.
    """
    if undoes <= max(floor_of(db), undo_floor(db)):
        return False
    effect = "coalesce((SELECT undoes FROM edits WHERE seq = ?), ?)"
    kept = set(db.execute(f"SELECT plane, ty, tx FROM deltas WHERE seq = {effect}", (undoes, undoes)).fetchall())
    rows = db.execute(f"SELECT rows IS NOT NULL FROM edits WHERE seq = {effect}", (undoes, undoes)).fetchone()
    return kept.issuperset(edit.tiles) and (not edit.rows or rows == (1,))

"""From which edit on undo, and following labels back, hold: after compacting, a repair, or a migration.

Up to the *floor* the journal may hold no deltas of single edits, or others than their own
(`store.history.historic_states`). A reader of
the deltas of an edit to take it back, or to make it again, asks here first.
"""

import sqlite3

import msgspec

from segstudio.errors import UserError
from segstudio.labels.model import Seq
from segstudio.store.database.migrations import undo_floor
from segstudio.text import _

__all__ = [
    "COMPACTED_POINTS",
    "compacted_points",
    "floor_of",
    "has_deltas",
    "is_kept",
    "must_be_kept",
    "must_be_reversible",
    "must_hold_own",
    "undo_ends_at",
]

COMPACTED_POINTS = "compacted_points"
"""The setting that holds `compacted_points`; projects of earlier builds have its last, `compacted_to`, beside it."""


def compacted_points(db: sqlite3.Connection) -> tuple[Seq, ...]:
    """The numbers up to that of the last compacting whose states are kept, rising; the last is that. Empty: all are."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (COMPACTED_POINTS,)).fetchone()
    return () if row is None else tuple(Seq(seq) for seq in msgspec.json.decode(row[0], type=list[int]))


def floor_of(db: sqlite3.Connection) -> Seq:
    """From where on the journal leads back edit by edit: after this one; 0 where it does from the first."""
    return max((Seq(0), *compacted_points(db)[-1:]))


def undo_ends_at(db: sqlite3.Connection) -> Seq:
    """The last edit that undo does not know any more: at the floor, or at a migration that undo does not cross."""
    return max(floor_of(db), undo_floor(db))


def is_kept(db: sqlite3.Connection, seq: Seq) -> bool:
    """Whether the labels as they stood after this edit can still be read."""
    return seq >= floor_of(db) or seq in compacted_points(db)


def must_be_kept(db: sqlite3.Connection, seq: Seq) -> None:
    """Raise `UserError` where the state after this edit was dropped by `segstudio compact`."""
    if not is_kept(db, seq):
        raise UserError(
            _(
                "The labels as they were after edit {edit} are no longer kept: the project was compacted up to edit "
                "{floor}.",
                edit=seq,
                floor=floor_of(db),
            ),
            safe=_("The current labels are untouched."),
        )


def must_hold_own(db: sqlite3.Connection, root: Seq) -> None:
    """Raise `UserError` where the deltas of this new edit are gone, or are those of several joined.

    Of those up to the last compacting only edits that were undone or redone after it have kept their own.
    """
    floor = floor_of(db)
    if root <= floor and not (_changed_after(db, root, floor) and has_deltas(db, root)):
        raise _lost(root, floor)


def must_be_reversible(db: sqlite3.Connection, root: Seq) -> None:
    """Raise `UserError` where this new edit cannot be undone or redone: `must_hold_own`, or a migration."""
    must_hold_own(db, root)
    if root <= undo_floor(db):
        raise _lost(root, undo_floor(db))


def _lost(root: Seq, floor: Seq) -> UserError:
    return UserError(
        _(
            "Edit {edit} can no longer be undone or redone: the project was compacted, repaired or updated, and the "
            "history up to edit {floor} was not kept.",
            edit=root,
            floor=floor,
        ),
        safe=_("Nothing was changed."),
        todo=_("If there is a snapshot, it can still be restored."),
    )


def _changed_after(db: sqlite3.Connection, root: Seq, floor: Seq) -> bool:
    """Whether an undo or a redo of the edit came after the floor."""
    found = db.execute(
        "SELECT 1 FROM edits u WHERE u.undoes = :root AND (u.seq > :floor OR EXISTS "
        "(SELECT 1 FROM edits r WHERE r.undoes = u.seq AND r.seq > :floor)) LIMIT 1",
        {"root": root, "floor": floor},
    ).fetchone()
    return found is not None


def has_deltas(db: sqlite3.Connection, root: Seq) -> bool:
    """Whether the edit has what it must have: an undo that waited may name one whose deltas a repair lost."""
    if db.execute("SELECT 1 FROM deltas WHERE seq = ? LIMIT 1", (root,)).fetchone() is not None:
        return True
    row = db.execute("SELECT pixels FROM edits WHERE seq = ?", (root,)).fetchone()
    return row is None or not row[0]

"""Which images lost labels when a project was repaired, so that a merge does not take the loss for somebody's erasing.

A repaired project keeps its past under the same numbers and ids, but not what was lost. So its last common edit with a
copy says nothing about these images: there what either side knows is taken.
"""

import sqlite3
from collections.abc import Iterable
from uuid import uuid4

import msgspec

__all__ = ["REPAIRS", "lost_apart", "note_loss"]

REPAIRS = "repairs"
"""The setting that lists the repairs in which labels were lost: a random id, and the images (null: it may be any)."""


class _Repair(msgspec.Struct, frozen=True):
    id: str
    images: list[int] | None


def note_loss(db: sqlite3.Connection, images: Iterable[int] | None) -> None:
    """Add to the setting the images that lost labels in this repair; None where they are not known."""
    entry = _Repair(uuid4().hex, None if images is None else sorted(set(images)))
    value = msgspec.json.encode([*_repairs(db), entry]).decode()
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (REPAIRS, value))


def lost_apart(a: sqlite3.Connection, b: sqlite3.Connection) -> frozenset[int] | None:
    """Images that lost labels in a repair that only one of two copies went through; None where it may be any."""
    of_a, of_b = ({repair.id: repair for repair in _repairs(db)} for db in (a, b))
    apart = [(of_a.get(id_) or of_b[id_]).images for id_ in of_a.keys() ^ of_b.keys()]
    if any(images is None for images in apart):
        return None
    return frozenset(image for images in apart for image in images or ())


def _repairs(db: sqlite3.Connection) -> list[_Repair]:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (REPAIRS,)).fetchone()
    try:
        return [] if row is None else msgspec.json.decode(row[0], type=list[_Repair])
    except msgspec.DecodeError:
        return [_Repair("", None)]  # of a damaged project: a repair was there

"""The roles of groups as they are stored: decided when one first gets labels, moved where no version forbids it.

What a version has trained on is never held out afterwards; what it was measured on is kept with the version, whatever
role the group has today. While a run learns no group that trains is moved: the run's version will have learned from it.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from segstudio.errors import UserError
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.store.catalog.split import LEAST_TRAIN, Candidate, Split, decide, in_turn, stand_in
from segstudio.text import _

__all__ = [
    "LEARNING",
    "Moved",
    "begin_learning",
    "decide_split",
    "decided_since",
    "end_learning",
    "hold_out",
    "hold_out_all",
    "keep_learning",
]

LEARNING = "learning"
"""The setting that describes the run that learns, or is to be resumed; absent while there is none."""

_AS_A_WHOLE = frozenset({Cause.IMPORT, Cause.MERGE})

_CANDIDATES = """
SELECT g.id, g.key, min(i.status = 'done'), max(i.last_edit)
FROM groups g JOIN images i ON i.group_id = g.id
WHERE g.split = 'train' AND i.removed = 0 AND i.labelled_pixels > 0
AND g.id NOT IN (SELECT group_id FROM version_groups WHERE split = 'train') GROUP BY g.id
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """Paths of the images that are held out from now on, and of those that are learned from.

    `refused` says of the others, one by one, what stood against it.
    """

    held_out: tuple[str, ...] = ()
    learned_from: tuple[str, ...] = ()
    refused: tuple[UserError, ...] = ()


def decide_split(db: sqlite3.Connection, seq: Seq, image: ImageId, cause: Cause) -> None:
    """Decide the role of an image's group where it is not decided yet: it has got its first labels by edit `seq`."""
    group, key, split = db.execute(
        "SELECT g.id, g.key, g.split FROM images i JOIN groups g ON g.id = i.group_id WHERE i.id = ?", (image,)
    ).fetchone()
    if split is not None:
        return
    chosen = decide(key, *_counts(db))
    if chosen is Split.HELD_OUT and cause not in _AS_A_WHOLE:
        chosen = Split.TRAIN  # a person is working on it
        other = None if _learning(db) else stand_in(_candidates(db))
        if other is not None:
            _set(db, other.id, Split.HELD_OUT, seq)
    _set(db, group, chosen, seq)


def begin_learning(db: sqlite3.Connection, run: Mapping[str, Any]) -> None:
    """A run begins: no group that trains is moved until `end_learning`. Where none is held out although enough groups
    train, one is from now on, and not the image that was edited last while another will do.
    """
    train, held_out = _counts(db)
    if held_out == 0 and train > LEAST_TRAIN:
        found = _candidates(db)
        newest = max((candidate.last_edit for candidate in found), default=0)
        chosen = stand_in(c for c in found if c.last_edit < newest) or stand_in(found)
        if chosen is not None:
            _set(db, chosen.id, Split.HELD_OUT, _last_seq(db))
    keep_learning(db, run)


def keep_learning(db: sqlite3.Connection, run: Mapping[str, Any]) -> None:
    """Keep what is needed to resume the run, in plain JSON values."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (LEARNING, msgspec.json.encode(run).decode()))


def end_learning(db: sqlite3.Connection) -> None:
    """No run is under way, and none is to be resumed."""
    db.execute("DELETE FROM settings WHERE key = ?", (LEARNING,))


def hold_out_all(db: sqlite3.Connection, images: Collection[ImageId], *, held: bool) -> Moved:
    """`hold_out` for several images at once: where one lets go of the role, none of the others takes it.

    What is refused stays as it is, and the others are moved.
    """
    spared = frozenset(
        db.execute("SELECT group_id FROM images WHERE id = ?", (image,)).fetchone()[0] for image in images
    )
    others = _Others(db, spared)
    out: list[str] = []
    into: list[str] = []
    refused: list[UserError] = []
    for image in images:
        try:
            moved = hold_out(db, image, held=held, others=others)
        except UserError as error:
            refused.append(error)
        else:
            out += moved.held_out
            into += moved.learned_from
    return Moved(tuple(out), tuple(into), tuple(refused))


class _Others:
    """The groups that may take the held-out role, none of `spared`, and how many have it: read once for many images."""

    def __init__(self, db: sqlite3.Connection, spared: Collection[int] = frozenset()) -> None:
        self._db, self._spared = db, spared
        self._candidates: list[Candidate] | None = None
        self._held_out: int | None = None

    def take(self) -> Candidate | None:
        """The one that takes the role from a group that is about to let go of it; None where none can and another
        group is held out. Raises `LookupError` where the group is the last one."""
        if self._candidates is None:
            self._candidates = in_turn(found for found in _candidates(self._db) if found.id not in self._spared)
        if self._candidates:
            return self._candidates.pop()
        if self._held_out is None:
            self._held_out = _counts(self._db)[1]
        if self._held_out == 1:
            raise LookupError
        self._held_out -= 1
        return None


def hold_out(db: sqlite3.Connection, image: ImageId, *, held: bool, others: _Others | None = None) -> Moved:
    """Hold the group of an image out, or let it be learned from: then another labelled group, one of `others`, takes
    the role, if one can; it must where no other is held out.

    Raises `UserError`, with nothing changed, where a version, or a run under way, forbids it.
    """
    group, path, split = db.execute(
        "SELECT g.id, i.path, g.split FROM images i JOIN groups g ON g.id = i.group_id WHERE i.id = ?", (image,)
    ).fetchone()
    wanted = Split.HELD_OUT if held else Split.TRAIN
    if split == wanted:
        return Moved()
    if _learning(db):
        raise UserError(
            _("A run is under way: the held-out images cannot change until it has ended."),
            todo=_("Stop it, or wait."),
        )
    if held:
        _must_be_unlearned(db, group, path)
        _set(db, group, wanted, _last_seq(db))
        return Moved(held_out=_paths(db, group))
    try:
        other = (others or _Others(db)).take() if split == Split.HELD_OUT else None
    except LookupError:
        raise UserError(
            _("'{path}' stays held out: there is no other labelled image that no version has learned from.", path=path),
            todo=_("Label another image; the role can then move to it."),
        ) from None
    _set(db, group, wanted, _last_seq(db))
    if other is not None:
        _set(db, other.id, Split.HELD_OUT, _last_seq(db))
    return Moved(() if other is None else _paths(db, other.id), _paths(db, group))


def decided_since(db: sqlite3.Connection, seq: Seq) -> frozenset[ImageId]:
    """The images of groups whose role was decided, or moved, at this edit or later."""
    rows = db.execute("SELECT i.id FROM groups g JOIN images i ON i.group_id = g.id WHERE g.decided_at >= ?", (seq,))
    return frozenset(ImageId(row[0]) for row in rows)


def _must_be_unlearned(db: sqlite3.Connection, group: int, path: str) -> None:
    rows = db.execute("SELECT version FROM version_groups WHERE group_id = ? AND split = 'train'", (group,)).fetchall()
    if rows:
        names = ", ".join(sorted(row[0] for row in rows))
        raise UserError(
            _(
                "'{path}' cannot be held out: {names} learned from it, so its figures would be too good.",
                path=path,
                names=names,
            )
        )


def _counts(db: sqlite3.Connection) -> tuple[int, int]:
    """How many groups train, and how many are held out."""
    # Groups whose images were all taken out no longer hold anything out or train.
    found = dict(
        db.execute(
            "SELECT g.split, count(*) FROM groups g WHERE g.split IS NOT NULL AND EXISTS "
            "(SELECT 1 FROM images i WHERE i.group_id = g.id AND i.removed = 0) GROUP BY g.split"
        ).fetchall()
    )
    return int(found.get(Split.TRAIN.value, 0)), int(found.get(Split.HELD_OUT.value, 0))


def _candidates(db: sqlite3.Connection) -> list[Candidate]:
    return [Candidate(r[0], r[1], bool(r[2]), int(r[3])) for r in db.execute(_CANDIDATES)]


def _learning(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM settings WHERE key = ?", (LEARNING,)).fetchone() is not None


def _set(db: sqlite3.Connection, group: int, split: Split, seq: int) -> None:
    db.execute("UPDATE groups SET split = ?, decided_at = ? WHERE id = ?", (split.value, seq, group))


def _paths(db: sqlite3.Connection, group: int) -> tuple[str, ...]:
    rows = db.execute("SELECT path FROM images WHERE group_id = ? AND removed = 0 ORDER BY position", (group,))
    return tuple(row[0] for row in rows)


def _last_seq(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM edits").fetchone()[0])

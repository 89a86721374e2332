"""What can be undone and redone from an image: its own edits and project-wide ones, newest first.

`History` is a plain value kept in step with the edits that are submitted; `load_history` reads it at opening by index,
without a scan. An undo names the edit it undoes; a redo names the undo it undoes. Redo exists until a new edit
in the list.
"""

import sqlite3
from bisect import insort
from collections.abc import Iterable, Mapping

from segstudio.labels.edit import Edit
from segstudio.labels.model import ImageId, Seq
from segstudio.store.database.migrations import undo_floor
from segstudio.store.history.undo_horizon import undo_ends_at

__all__ = ["History", "load_history"]

_LIMIT = 1000


class History:
    """`undoable` has new edits not undone, newest last; `redoable` the undo edits in force, next to redo last.

    `more` says that older edits were not read: `load_history(..., before=...)` has them.
    """

    def __init__(
        self,
        image: ImageId,
        undoable: Iterable[Seq] = (),
        redoable: Mapping[Seq, Seq] | None = None,
        passed: Mapping[Seq, Seq] | None = None,
        more: bool = False,
        floor: int = 0,
        kept_after: int = 0,
    ) -> None:
        """Undo edits are given with the edits that they undo; `passed` ones can be redone from other images.

        `floor` is where `segstudio compact` has cut the list off, 0 where it is whole. Edits up to `kept_after` cannot
        be undone, also not when they are made again.
        """
        self.image = image
        self.more = more
        self.floor = Seq(floor)
        self._kept_after = kept_after
        self._undoable = sorted(undoable)
        self._target = dict(redoable or {})
        self._passed = dict(passed or {})

    @property
    def undoable(self) -> tuple[Seq, ...]:
        """Edits that can be undone, newest last."""
        return tuple(self._undoable)

    @property
    def redoable(self) -> tuple[Seq, ...]:
        """Undo edits that can be undone, the next one last."""
        return tuple(self._target)

    def next_undo(self) -> Seq | None:
        """The edit that undo undoes."""
        return self._undoable[-1] if self._undoable else None

    def next_redo(self) -> Seq | None:
        """The undo edit that redo undoes."""
        return next(reversed(self._target), None)

    def record(self, seq: Seq, edit: Edit) -> None:
        """Take in an edit that was submitted; one of another image changes nothing."""
        if edit.image not in (self.image, None):
            return
        if edit.undoes is None:
            self._undoable.append(seq)
            # A new edit of this image ends redo here; a project-wide undo can still be redone from another image.
            self._passed.update(self._target)
            self._target.clear()
        elif edit.undoes in self._target:
            self._made_again(self._target.pop(edit.undoes))
        elif edit.undoes in self._passed:
            self._made_again(self._passed.pop(edit.undoes))
        else:
            if edit.undoes in self._undoable:
                self._undoable.remove(edit.undoes)
            self._target[seq] = edit.undoes

    def _made_again(self, seq: Seq) -> None:
        if seq > self._kept_after:
            insort(self._undoable, seq)

    def extend(self, older: "History") -> None:
        """Put older edits, read later, before the ones that are here."""
        self._undoable = sorted({*older.undoable, *self._undoable})
        self.more = older.more


def load_history(db: sqlite3.Connection, image: ImageId, limit: int = _LIMIT, before: Seq | None = None) -> History:
    """The newest `limit` entries of an image's history, or those older than an edit; by index, never a scan.

    Nothing from before a migration that changed what edits change, or from before what was compacted, but what was
    undone since and kept its deltas.
    """
    floor, lost = undo_ends_at(db), undo_floor(db)
    kept = f"seq > {floor}" if before is None else f"seq > {floor} AND seq < {int(before)}"
    undoable = _newest(db, "seq", f"undoes IS NULL AND taken_back IS NULL AND {kept}", image, limit + 1)
    redoable = f"inverse = 1 AND taken_back IS NULL AND seq > {floor} AND undoes > {lost}"
    in_force = _newest(db, "seq, undoes", redoable, image, limit)
    # A self-undone edit stands for a refused one: nothing was changed, so redo stays.
    newest_new = _newest(db, "seq", "undoes IS NULL AND taken_back IS NOT seq", image, 1)
    ended = newest_new[0][0] if newest_new else 0
    undone = [(Seq(row[0]), Seq(row[1])) for row in reversed(in_force)]
    return History(
        image,
        [Seq(row[0]) for row in undoable[:limit]],
        redoable={seq: target for seq, target in undone if seq > ended},
        passed={seq: target for seq, target in undone if seq < ended},
        more=len(undoable) > limit,
        floor=_cut_off(db, image, floor),
        kept_after=floor,
    )


def _cut_off(db: sqlite3.Connection, image: ImageId, floor: Seq) -> Seq:
    condition = "image = ? AND undoes IS NULL AND taken_back IS NULL AND seq <= ?"
    found = db.execute(f"SELECT 1 FROM edits WHERE {condition} LIMIT 1", (image, floor)).fetchone()
    return Seq(0) if found is None else floor


def _newest(db: sqlite3.Connection, columns: str, condition: str, image: ImageId, limit: int) -> list[tuple[int, ...]]:
    """Rows of the image's own and of project-wide edits, newest first."""
    found: list[tuple[int, ...]] = []
    for owner in (f"image = {int(image)}", "image IS NULL"):
        found += db.execute(
            f"SELECT {columns} FROM edits WHERE {owner} AND {condition} ORDER BY seq DESC LIMIT {int(limit)}"
        ).fetchall()
    return sorted(found, reverse=True)[:limit]

"""Walking the journal: which edits an image went through, where their deltas stand, and what each of them did.

Every edit, an undo or a redo included, is the change of its *root*: the new edit that it makes, undoes or makes
again. Only new edits have rows and deltas of their own. Up to the last of the `compacted_points`
(`store.history.undo_horizon`) one delta a tile leads from one kept state to the next: it stands at an edit of the image
between them, the *anchor*, while an edit that was undone or redone after the floor keeps its own.

The rules are functions of values, so that they hold for a database (`effects`, `deltas_of`) and for what repair can
still read of a damaged one.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import RowChange, TileKey
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.tile import Tile, digest
from segstudio.store.writing.journal import decode_rows
from segstudio.text import _

__all__ = ["Effect", "Standing", "TileStep", "deltas_of", "effects", "kept_among", "row_changes", "rows_of", "stepped"]

_LAST = Seq(1 << 62)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one edit did: its root's change, the other way round where `inverse`."""

    seq: Seq
    root: Seq
    inverse: bool


class TileStep(NamedTuple):
    """One tile's way over an edit: digests before and after, and the number (id) of the delta that leads there."""

    key: TileKey
    before: bytes
    after: bytes
    delta: int

    def turned(self) -> "TileStep":
        """The same way back."""
        return TileStep(self.key, self.after, self.before, self.delta)


_EFFECTS = """
SELECT seq, seq, 0 FROM edits WHERE {owner} AND undoes IS NULL AND seq > :low AND seq <= :high
UNION ALL
SELECT u.seq, t.seq, 1 FROM edits t JOIN edits u ON u.undoes = t.seq
WHERE t.{owner} AND t.undoes IS NULL AND t.seq <= :high AND u.seq > :low AND u.seq <= :high
UNION ALL
SELECT r.seq, t.seq, 0 FROM edits t JOIN edits u ON u.undoes = t.seq JOIN edits r ON r.undoes = u.seq
WHERE t.{owner} AND t.undoes IS NULL AND t.seq <= :high AND r.seq > :low AND r.seq <= :high
ORDER BY 1
"""


def effects(db: sqlite3.Connection, image: ImageId | None, low: Seq, high: Seq = _LAST) -> list[Effect]:
    """The edits of an image (or the project-wide ones) after `low` and up to `high`, oldest first.

    By index: the cost is that of the image's own edits.
    """
    owner = "image IS NULL" if image is None else f"image = {int(image)}"
    rows = db.execute(_EFFECTS.format(owner=owner), {"low": low, "high": high})
    return [Effect(Seq(seq), Seq(root), bool(inverse)) for seq, root, inverse in rows]


def kept_among(done: Iterable[Effect], floor: Seq) -> set[Seq]:
    """Edits up to the floor that one of `done` undid, or made again, after it: their deltas stay as they are."""
    return {effect.root for effect in done if effect.seq > floor >= effect.root}


class Standing:
    """Where the deltas of one image's edits stand, given the states that are kept and `kept_among`.

    `done` are the image's edits, of each span between two kept states all or none.
    """

    def __init__(self, done: Iterable[Effect], points: Sequence[Seq], kept: Set[Seq]) -> None:
        self._points, self._kept = points, kept
        self._floor = points[-1] if points else Seq(0)
        self._anchored = {self._span(effect) for effect in done if self.joined(effect)}

    def joined(self, effect: Effect) -> bool:
        """Whether the pixels of an edit may be in another edit's deltas, or cancelled by them."""
        return effect.seq <= self._floor and effect.seq not in self._kept

    def at(self, effect: Effect) -> Effect | None:
        """The effect whose root's deltas lead over an edit; None before the first kept state, and where an anchor of
        the same span has them."""
        if effect.seq > self._floor:
            return effect
        if not self._span(effect):
            return None
        if self._span(effect) not in self._anchored:
            return effect
        return Effect(effect.seq, effect.seq, inverse=False) if self.joined(effect) else None

    def _span(self, effect: Effect) -> int:
        return bisect_left(self._points, effect.seq)


def deltas_of(db: sqlite3.Connection, effect: Effect) -> Iterator[TileStep]:
    """How each tile came over an edit, in the order in which they were written; none is decoded."""
    rows = db.execute("SELECT plane, ty, tx, before, after, id FROM deltas WHERE seq = ? ORDER BY id", (effect.root,))
    for plane, ty, tx, before, after, delta in rows.fetchall():
        step = TileStep((plane, ty, tx), before, after, delta)
        yield step.turned() if effect.inverse else step


def rows_of(db: sqlite3.Connection, effect: Effect, *, back: bool = False) -> tuple[RowChange, ...]:
    """The row changes of an edit in the order in which they were made; with `back` those that lead back over it."""
    blob = db.execute("SELECT rows FROM edits WHERE seq = ?", (effect.root,)).fetchone()[0]
    return row_changes(blob, turned=effect.inverse != back)


def row_changes(blob: bytes | None, *, turned: bool) -> tuple[RowChange, ...]:
    """The row changes that a new edit's journal row holds, or, `turned`, those that take them back, in their order.

    Raises `ProjectDamaged` where they cannot be read.
    """
    rows = decode_rows(blob)
    return tuple(row.inverted() for row in reversed(rows)) if turned else rows


def stepped(tile: Tile, step: TileStep, data: bytes) -> Tile:
    """The tile after a step, proved by its digests. Raises `ProjectDamaged` where it does not lead there."""
    after = apply_delta(tile, data)
    if digest(tile) != step.before or digest(after) != step.after:
        raise ProjectDamaged(_("The journal of this project is damaged: an edit cannot be followed."))
    return after

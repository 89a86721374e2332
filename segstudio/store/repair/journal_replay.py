"""What the journal of a damaged project says of its tiles and objects: a second witness beside the rows themselves.

Nothing is taken from it where it has holes, except that a content was once in a place. What compacting dropped is no
hole: up to the floor the deltas are those between the states that are kept (`store.history.journal_walk`), with
none before the first.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.model import Seq
from segstudio.labels.tiles.tile import EMPTY, EMPTY_DIGEST, Tile
from segstudio.store.history.journal_walk import Effect, Standing, TileStep, kept_among, row_changes, stepped

__all__ = ["EditNote", "Journal", "Place", "Testimony", "testimony"]

Place = tuple[int, int, int, int]
"""Image, plane, ty, tx."""


class EditNote(NamedTuple):
    """What is held in memory of an edit."""

    seq: int
    image: int | None
    undoes: int | None
    pixels: int


class Journal(Protocol):
    """Where the rest of it is read."""

    def edit_rows(self, seq: int) -> bytes | None:
        """The rows of an edit, encoded; None where it has none, or they cannot be read."""
        ...

    def delta(self, number: int) -> bytes | None:
        """A delta's data; None where it cannot be read."""
        ...


@dataclass(slots=True)
class Testimony:
    """`tiles`: digest that each place had at last; `steps`: its deltas, in order.

    `turns`: the edits whose rows each image went through, and whether the other way round; `classes`: columns of each
    class that was made and not undone. `complete`: every edit after the first kept state is there, and every delta
    follows the one before it; `whole`: that is the very beginning.
    """

    complete: bool = True
    whole: bool = True
    tiles: dict[Place, bytes] = field(default_factory=dict[Place, bytes])
    steps: dict[Place, list[TileStep]] = field(default_factory=dict[Place, list[TileStep]])
    turns: dict[int, list[tuple[int, bool]]] = field(default_factory=dict[int, list[tuple[int, bool]]])
    classes: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])

    def saw(self, place: Place, content: bytes) -> bool:
        """Whether a content, by its digest, was once in a place."""
        return any(content in (step.before, step.after) for step in self.steps.get(place, ()))

    def objects(self, image: int, journal: Journal) -> tuple[dict[int, int], set[int]]:
        """The class that each object of an image had at last, and which were locked."""
        found: dict[int, int] = {}
        locked: set[int] = set()
        for seq, turned in self.turns.get(image, ()):
            for row in _rows(journal.edit_rows(seq), turned) or ():
                if row.table is not Table.OBJECTS:
                    continue
                if row.after is None:
                    found.pop(row.key, None)
                    locked.discard(row.key)
                    continue
                if "class_id" in row.after:
                    found[row.key] = int(row.after["class_id"] or 0)
                if "locked" in row.after:
                    (locked.add if row.after["locked"] else locked.discard)(row.key)
        return found, locked

    def rebuilt(self, place: Place, journal: Journal) -> Tile | None:
        """The tile of a place: its deltas from nothing, each proved by its digests; None where the chain breaks."""
        tile: Tile = EMPTY
        for step in self.steps.get(place, ()):
            data = journal.delta(step.delta)
            if data is None:
                return None
            try:
                tile = stepped(tile, step, data)
            except ProjectDamaged:
                return None
        return tile


def testimony(
    edits: Sequence[EditNote],
    deltas: Mapping[int, Sequence[TileStep]],
    journal: Journal,
    *,
    complete: bool,
    points: Sequence[Seq],
) -> Testimony:
    """Replay the journal without its pixels; `deltas` by the number of their edit.

    `complete` says whether all rows of both tables could be read; `points` are the states that are kept up to the floor
    of a project that was compacted, rising.
    """
    first = points[0] if points else 0
    kept = [edit.seq for edit in edits if edit.seq > first]
    out = Testimony(complete and kept == list(range(first + 1, first + len(kept) + 1)), whole=first == 0)
    by_seq = {edit.seq: edit for edit in edits}
    done = [(edit, _effect(edit, by_seq)) for edit in edits]
    standing = _standing(done, points)
    for edit, effect in done:
        if effect is None:
            out.complete = out.complete and edit.seq <= first
            continue
        where = standing[edit.image]
        stands = where.at(effect)
        own = stands is not None and stands.root == effect.root
        if own and by_seq[effect.root].pixels and effect.root not in deltas and not where.joined(effect):
            out.complete = False  # they are lost
        if stands is not None:
            _replay_tiles(out, edit.image, stands, deltas.get(stands.root, ()))
        _replay_rows(out, edit.image, effect, journal.edit_rows(effect.root))
    return out


def _effect(edit: EditNote, by_seq: Mapping[int, EditNote]) -> Effect | None:
    """What an edit did; None where the new edit that it undoes, or makes again, is missing."""
    root: EditNote | None = edit
    turned = False
    while root is not None and root.undoes is not None:
        turned = not turned
        root = by_seq.get(root.undoes)
    return None if root is None else Effect(Seq(edit.seq), Seq(root.seq), turned)


def _standing(done: Sequence[tuple[EditNote, Effect | None]], points: Sequence[Seq]) -> Mapping[int | None, Standing]:
    by_image: defaultdict[int | None, list[Effect]] = defaultdict(list)
    for edit, effect in done:
        # One whose root is lost still shows that its span was joined at an anchor.
        by_image[edit.image].append(effect or Effect(Seq(edit.seq), Seq(edit.seq), inverse=False))
    floor = points[-1] if points else Seq(0)
    kept = kept_among((effect for _, effect in done if effect is not None), floor)
    return {image: Standing(found, points, kept) for image, found in by_image.items()}


def _replay_tiles(out: Testimony, image: int | None, effect: Effect, deltas: Sequence[TileStep]) -> None:
    for delta in deltas:
        if image is None:
            out.complete = False
            continue
        step = delta.turned() if effect.inverse else delta
        place = (image, *step.key)
        steps = out.steps.setdefault(place, [])
        if out.tiles.get(place, EMPTY_DIGEST if out.whole else step.before) != step.before:
            out.complete = False
        elif steps:
            step = step._replace(before=steps[-1].after)  # equal bytes are held once
        out.tiles[place] = step.after
        steps.append(step)


def _replay_rows(out: Testimony, image: int | None, effect: Effect, blob: bytes | None) -> None:
    rows = _rows(blob, effect.inverse)
    if rows is None:
        out.complete = False
        return
    if image is not None and any(row.table is Table.OBJECTS for row in rows):
        out.turns.setdefault(image, []).append((effect.root, effect.inverse))
    for row in rows:
        if row.table is not Table.CLASSES:
            continue
        if row.after is None:
            out.classes.pop(row.key, None)
        else:
            out.classes[row.key] = {**out.classes.get(row.key, {}), **row.after}


def _rows(blob: bytes | None, turned: bool) -> tuple[RowChange, ...] | None:
    """The row changes of an edit, the other way round where it is turned; None if unreadable."""
    try:
        return row_changes(blob, turned=turned)
    except ProjectDamaged:
        return None

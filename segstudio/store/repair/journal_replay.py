"""What the journal of a damaged project says of its tiles and objects: a second witness beside the rows themselves.

Nothing is taken from it where it has holes, but that a content once stood in a place. What compacting dropped is no
hole: up to the floor the deltas are those between the states that are kept (`store.history.historic_states`), with
none before the first.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from segstudio.errors import ProjectDamaged
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.tile import EMPTY, EMPTY_DIGEST, Tile, digest

__all__ = ["DeltaNote", "EditNote", "Journal", "Place", "Testimony", "testimony"]

Place = tuple[int, int, int, int]
"""Image, plane, ty, tx."""

_RowsWire = list[tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]]


class EditNote(NamedTuple):
    """What is held in memory of an edit."""

    seq: int
    image: int | None
    undoes: int | None
    pixels: int


class DeltaNote(NamedTuple):
    """What is held in memory of a delta: where it is, what it leads from and to, and under which number it is read."""

    plane: int
    ty: int
    tx: int
    before: bytes
    after: bytes
    number: int


class Journal(Protocol):
    """Where the rest of it is read."""

    def edit_rows(self, seq: int) -> bytes | None:
        """The rows of an edit, encoded; None where it has none, or they cannot be read."""
        ...

    def delta(self, number: int) -> bytes | None:
        """A delta's data; None where it cannot be read."""
        ...


_Step = tuple[bytes, bytes, int]
"""Digests before and after, and the number of the delta."""


@dataclass(slots=True)
class Testimony:
    """`tiles`: digest that each place had at last; `steps`: its deltas, in order.

    `turns`: the edits whose rows each image went through, and whether the other way round; `classes`: columns of each
    class that was made and not taken back. `complete`: every edit after the first kept state is there, and every delta
    follows the one before it; `whole`: that is the very beginning.
    """

    complete: bool = True
    whole: bool = True
    tiles: dict[Place, bytes] = field(default_factory=dict[Place, bytes])
    steps: dict[Place, list[_Step]] = field(default_factory=dict[Place, list[_Step]])
    turns: dict[int, list[tuple[int, bool]]] = field(default_factory=dict[int, list[tuple[int, bool]]])
    classes: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])

    def saw(self, place: Place, content: bytes) -> bool:
        """Whether a content, by its digest, once stood in a place."""
        return any(content in step[:2] for step in self.steps.get(place, ()))

    def objects(self, image: int, journal: Journal) -> dict[int, int]:
        """The class that each object of an image had at last."""
        found: dict[int, int] = {}
        for seq, turned in self.turns.get(image, ()):
            for table, key, new in _turned(journal.edit_rows(seq), turned) or ():
                if table == "objects" and new is None:
                    found.pop(key, None)
                elif table == "objects" and new is not None and "class_id" in new:
                    found[key] = new["class_id"]
        return found

    def rebuilt(self, place: Place, journal: Journal) -> Tile | None:
        """The tile of a place: its deltas from nothing, each proved by its digests; None where the chain breaks."""
        tile: Tile = EMPTY
        for before, after, number in self.steps.get(place, ()):
            data = journal.delta(number)
            if data is None or digest(tile) != before:
                return None
            try:
                tile = apply_delta(tile, data)
            except ProjectDamaged:
                return None
            if digest(tile) != after:
                return None
        return tile


def testimony(
    edits: Sequence[EditNote],
    deltas: Mapping[int, Sequence[DeltaNote]],
    journal: Journal,
    *,
    complete: bool,
    points: Sequence[int],
) -> Testimony:
    """Replay the journal without its pixels; `deltas` by the number of their edit.

    `complete` says whether all rows of both tables could be read; `points` are the states that are kept up to the floor
    of a project that was compacted, rising.
    """
    first = points[0] if points else 0
    kept = [edit.seq for edit in edits if edit.seq > first]
    out = Testimony(complete and kept == list(range(first + 1, first + len(kept) + 1)), whole=first == 0)
    by_seq = {edit.seq: edit for edit in edits}
    chosen = _Chosen(edits, by_seq, points)
    for edit in edits:
        target, turned = _root(edit, by_seq)
        if target is None:
            out.complete = out.complete and edit.seq <= first
            continue
        which = chosen.deltas(edit, target.seq)
        if which == target.seq and target.pixels and which not in deltas and not chosen.joined(edit):
            out.complete = False  # they are lost
        if which is not None:
            _replay_tiles(out, edit.image, deltas.get(which, ()), turned and which == target.seq)
        _replay_rows(out, edit.image, target.seq, journal.edit_rows(target.seq), turned)
    return out


def _root(edit: EditNote, by_seq: Mapping[int, EditNote]) -> tuple[EditNote | None, bool]:
    """The new edit that an edit makes, takes back or makes again, and whether it takes it back; None where it lacks."""
    target: EditNote | None = edit
    turned = False
    while target is not None and target.undoes is not None:
        turned = not turned
        target = by_seq.get(target.undoes)
    return target, turned


class _Chosen:
    """Which deltas lead over an edit: those of its root, or, up to the floor, those that joined it with others."""

    def __init__(self, edits: Sequence[EditNote], by_seq: Mapping[int, EditNote], points: Sequence[int]) -> None:
        self._points = points
        self._floor = points[-1] if points else 0
        self._kept: set[int] = set()
        for edit in edits:
            root, _ = _root(edit, by_seq)
            if edit.seq > self._floor and root is not None and root.seq <= self._floor:
                self._kept.add(root.seq)
        low = [edit for edit in edits if edit.seq <= self._floor and edit.seq not in self._kept]
        self._anchored = {(edit.image, self._span(edit)) for edit in low}

    def _span(self, edit: EditNote) -> int:
        return bisect_left(self._points, edit.seq)

    def joined(self, edit: EditNote) -> bool:
        """Whether its pixels may be in another edit's deltas, or cancelled by them."""
        return edit.seq <= self._floor and edit.seq not in self._kept

    def deltas(self, edit: EditNote, root: int) -> int | None:
        """The number at which they stand."""
        if edit.seq > self._floor:
            return root
        if not self._span(edit):
            return None  # before the first state that is kept
        if (edit.image, self._span(edit)) not in self._anchored:
            return root
        return edit.seq if self.joined(edit) else None


def _replay_tiles(out: Testimony, image: int | None, deltas: Sequence[DeltaNote], turned: bool) -> None:
    for delta in deltas:
        if image is None:
            out.complete = False
            continue
        place = (image, delta.plane, delta.ty, delta.tx)
        before, after = (delta.after, delta.before) if turned else (delta.before, delta.after)
        steps = out.steps.setdefault(place, [])
        if out.tiles.get(place, EMPTY_DIGEST if out.whole else before) != before:
            out.complete = False
        elif steps:
            before = steps[-1][1]  # equal bytes are held once
        out.tiles[place] = after
        steps.append((before, after, delta.number))


def _replay_rows(out: Testimony, image: int | None, seq: int, blob: bytes | None, turned: bool) -> None:
    rows = _turned(blob, turned)
    if rows is None:
        out.complete = False
        return
    if image is not None and any(table == "objects" for table, _, _ in rows):
        out.turns.setdefault(image, []).append((seq, turned))
    for table, key, new in rows:
        if table != "classes":
            continue
        if new is None:
            out.classes.pop(key, None)
        else:
            out.classes[key] = {**out.classes.get(key, {}), **new}


def _turned(blob: bytes | None, turned: bool) -> list[tuple[str, int, dict[str, Any] | None]] | None:
    """Table, key and new columns of an edit's rows, the other way round where it is turned; None if unreadable."""
    if blob is None:
        return []
    try:
        rows = msgspec.msgpack.decode(blob, type=_RowsWire)
    except msgspec.DecodeError:
        return None
    return [(t, key, before) for t, key, before, _ in reversed(rows)] if turned else [(t, k, a) for t, k, _, a in rows]

"""What the journal of a damaged project says of its tiles and objects: a second witness beside the rows themselves.

Nothing is taken from it where it has holes, but that a content once stood in a place. What compacting dropped is no
hole: up to the floor the deltas are those between the states that are kept (`store.past`), with none before the first.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from segstudio.errors import ProjectDamaged
from segstudio.labels.codec import apply_delta
from segstudio.labels.tile import EMPTY, EMPTY_DIGEST, Tile, digest
from segstudio.store.salvage import Row

__all__ = ["Place", "Testimony", "testimony"]

Place = tuple[int, int, int, int]
"""Image, plane, ty, tx."""

_RowsWire = list[tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]]


@dataclass(slots=True)
class Testimony:
    """`tiles`: digest that each place had at last; `seen`: every digest it ever had; `steps`: its deltas, in order.

    `objects`: class of each (image, object) at last; `classes`: columns of each class that was made and not taken back.
    `complete`: every edit after the first kept state is there, and every delta follows the one before it; `whole`: that
    is the very beginning.
    """

    complete: bool = True
    whole: bool = True
    tiles: dict[Place, bytes] = field(default_factory=dict[Place, bytes])
    seen: defaultdict[Place, set[bytes]] = field(default_factory=lambda: defaultdict[Place, set[bytes]](set))
    steps: defaultdict[Place, list[Row]] = field(default_factory=lambda: defaultdict[Place, list[Row]](list))
    objects: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    classes: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])

    def rebuilt(self, place: Place) -> Tile | None:
        """The tile of a place: its deltas from nothing, each proved by its digests; None where the chain breaks."""
        tile: Tile = EMPTY
        for step in self.steps.get(place, ()):
            if digest(tile) != step["before"]:
                return None
            try:
                tile = apply_delta(tile, step["data"])
            except ProjectDamaged:
                return None
            if digest(tile) != step["after"]:
                return None
        return tile


def testimony(edits: Sequence[Row], deltas: Iterable[Row], *, complete: bool, points: Sequence[int]) -> Testimony:
    """Replay the journal without its pixels.

    `complete` says whether all rows of both tables could be read; `points` are the states that are kept up to the floor
    of a project that was compacted, rising.
    """
    first = points[0] if points else 0
    kept = [edit["seq"] for edit in edits if edit["seq"] > first]
    out = Testimony(complete and kept == list(range(first + 1, first + len(kept) + 1)), whole=first == 0)
    by_seq = {edit["seq"]: edit for edit in edits}
    chosen = _Chosen(edits, by_seq, points)
    of_edit: defaultdict[int, list[Row]] = defaultdict(list)
    for delta in deltas:
        of_edit[delta["seq"]].append(delta)
    for edit in edits:
        target, turned = _root(edit, by_seq)
        if target is None:
            out.complete = out.complete and edit["seq"] <= first
            continue
        which = chosen.deltas(edit, target["seq"])
        if which == target["seq"] and target["pixels"] and which not in of_edit and not chosen.joined(edit):
            out.complete = False  # they are lost
        if which is not None:
            _replay_tiles(out, edit["image"], of_edit.get(which, []), turned and which == target["seq"])
        _replay_rows(out, edit["image"], target["rows"], turned)
    return out


def _root(edit: Row, by_seq: Mapping[int, Row]) -> tuple[Row | None, bool]:
    """The new edit that an edit makes, takes back or makes again, and whether it takes it back; None where it lacks."""
    target: Row | None = edit
    turned = False
    while target is not None and target["undoes"] is not None:
        turned = not turned
        target = by_seq.get(target["undoes"])
    return target, turned


class _Chosen:
    """Which deltas lead over an edit: those of its root, or, up to the floor, those that joined it with others."""

    def __init__(self, edits: Sequence[Row], by_seq: Mapping[int, Row], points: Sequence[int]) -> None:
        self._points = points
        self._floor = points[-1] if points else 0
        self._kept: set[int] = set()
        for edit in edits:
            root, _ = _root(edit, by_seq)
            if edit["seq"] > self._floor and root is not None and root["seq"] <= self._floor:
                self._kept.add(root["seq"])
        low = [edit for edit in edits if edit["seq"] <= self._floor and edit["seq"] not in self._kept]
        self._anchored = {(edit["image"], self._span(edit)) for edit in low}

    def _span(self, edit: Row) -> int:
        return bisect_left(self._points, edit["seq"])

    def joined(self, edit: Row) -> bool:
        """Whether its pixels may be in another edit's deltas, or cancelled by them."""
        return edit["seq"] <= self._floor and edit["seq"] not in self._kept

    def deltas(self, edit: Row, root: int) -> int | None:
        """The number at which they stand."""
        if edit["seq"] > self._floor:
            return root
        if not self._span(edit):
            return None  # before the first state that is kept
        if (edit["image"], self._span(edit)) not in self._anchored:
            return root
        return edit["seq"] if self.joined(edit) else None


def _replay_tiles(out: Testimony, image: int | None, deltas: list[Row], turned: bool) -> None:
    for delta in deltas:
        if image is None:
            out.complete = False
            continue
        place = (image, delta["plane"], delta["ty"], delta["tx"])
        before, after = delta["before"], delta["after"]
        if turned:
            before, after = after, before
        if out.tiles.get(place, EMPTY_DIGEST if out.whole else before) != before:
            out.complete = False
        out.tiles[place] = after
        out.seen[place] |= {before, after}
        out.steps[place].append({"before": before, "after": after, "data": delta["data"]})


def _replay_rows(out: Testimony, image: int | None, blob: bytes | None, turned: bool) -> None:
    if blob is None:
        return
    try:
        rows = msgspec.msgpack.decode(blob, type=_RowsWire)
    except msgspec.DecodeError:
        out.complete = False
        return
    for table, key, before, after in reversed(rows) if turned else rows:
        new = before if turned else after
        if table == "objects" and image is not None:
            if new is None:
                out.objects.pop((image, key), None)
            elif "class_id" in new:
                out.objects[image, key] = new["class_id"]
        elif table == "classes":
            if new is None:
                out.classes.pop(key, None)
            else:
                out.classes[key] = {**out.classes.get(key, {}), **new}

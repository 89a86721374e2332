"""What the journal of a damaged project says of its tiles and objects: a second witness beside the rows themselves.

Nothing is taken from it where it has holes, but that a content once stood in a place.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from segstudio.errors import ProjectDamaged
from segstudio.labels.codec import apply_delta
from segstudio.labels.tile import EMPTY, Tile, digest
from segstudio.store.salvage import Row

__all__ = ["Place", "Testimony", "testimony"]

Place = tuple[int, int, int, int]
"""Image, plane, ty, tx."""

_RowsWire = list[tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]]
_EMPTY_DIGEST = digest(EMPTY)


@dataclass(slots=True)
class Testimony:
    """`tiles`: digest that each place had at last; `seen`: every digest it ever had; `steps`: its deltas, in order.

    `objects`: class of each (image, object) at last; `classes`: columns of each class that was made and not taken back.
    `complete`: every edit is there, and every delta follows the one before it.
    """

    complete: bool = True
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


def testimony(edits: Sequence[Row], deltas: Iterable[Row], *, complete: bool) -> Testimony:
    """Replay the journal without its pixels. `complete` says whether all rows of both tables could be read."""
    out = Testimony(complete=complete and [edit["seq"] for edit in edits] == list(range(1, len(edits) + 1)))
    by_seq = {edit["seq"]: edit for edit in edits}
    of_edit: defaultdict[int, list[Row]] = defaultdict(list)
    for delta in deltas:
        of_edit[delta["seq"]].append(delta)
    for edit in edits:
        target = edit
        turned = False
        while target is not None and target["undoes"] is not None:
            turned = not turned
            target = by_seq.get(target["undoes"])
        if target is None:
            out.complete = False
            continue
        if target["pixels"] and target["seq"] not in of_edit:
            out.complete = False  # dropped by compacting, or lost
        _replay_tiles(out, edit["image"], of_edit.get(target["seq"], []), turned)
        _replay_rows(out, edit["image"], target["rows"], turned)
    return out


def _replay_tiles(out: Testimony, image: int | None, deltas: list[Row], turned: bool) -> None:
    for delta in deltas:
        if image is None:
            out.complete = False
            continue
        place = (image, delta["plane"], delta["ty"], delta["tx"])
        before, after = delta["before"], delta["after"]
        if turned:
            before, after = after, before
        if out.tiles.get(place, _EMPTY_DIGEST) != before:
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

"""The objects of a plane as a table of columns: what they count as today, and what they measure. Values, no disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.measure.sums import Sums, added
from segstudio.labels.model import ClassId, ClassTable, Kind, ObjectId, Origin

__all__ = ["COLUMNS", "ORIGIN_NAMES", "ObjectTable", "object_table"]

ORIGIN_NAMES = {origin: origin.name.lower() for origin in Origin if origin is not Origin.NONE}
"""The names by which scripts read origins."""

COLUMNS = ("id", "locked", "class", "area", "box", "origin", "mean")

_LEFT_OUT = (Kind.BACKGROUND, Kind.IGNORE)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectTable:
    """A row an object, by rising id: `class_ids` int32 (n,) is the class that it counts as, `sums` what it measures.

    Background and ignore are no objects; neither is what counts as nothing today. A semantic class is one object: where
    it has several ids, merged classes for instance, its row is under the lowest, and `joined` has all of them by that.
    `areas` int64 (n,) are pixels, `means` float64 (n, c) those of the image's values, NaN where there is none.
    `locked` bool (n,) are those that are locked by themselves, in one of their ids at least.
    """

    sums: Sums
    class_ids: NDArray[np.int32]
    joined: Mapping[ObjectId, tuple[ObjectId, ...]]
    areas: NDArray[np.int64]
    means: NDArray[np.float64]
    locked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def ids(self) -> NDArray[np.uint32]:
        """Object ids (n,), rising."""
        return self.sums.ids

    def rect(self, row: int) -> Rect:
        """The box of a row in image pixels."""
        x0, y0, x1, y1 = (int(edge) for edge in self.sums.boxes[row])
        return Rect(x0, y0, x1 - x0, y1 - y0)

    def parts(self, row: int) -> tuple[ObjectId, ...]:
        """Every object id that a row stands for."""
        id_ = ObjectId(int(self.ids[row]))
        return self.joined.get(id_, (id_,))

    def origin(self, row: int) -> tuple[Origin, float]:
        """Who made most of a row's pixels, and of how much of it (0..1)."""
        pixels = self.sums.origins[row]
        most = int(pixels.argmax())
        return Origin(most), float(pixels[most] / max(int(self.areas[row]), 1))

    def ordered(
        self,
        column: str,
        *,
        falling: bool = False,
        class_id: ClassId | None = None,
        locked: bool = False,
        like: str = "",
        names: ClassTable,
    ) -> NDArray[np.intp]:
        """The rows to show, in order. `column` is one of `COLUMNS`; equal ones follow each other by id.

        `class_id` chooses those of one class, `locked` those that are locked, `like` those whose class or whose id
        contains it, without regard to case.
        """
        kept = np.ones(len(self), np.bool_) if class_id is None else self.class_ids == class_id
        if locked:
            kept = kept & self.locked
        if like:
            folded = like.strip().casefold()
            named = [c.id for c in names if folded in c.name.casefold()]
            kept = kept & (np.isin(self.class_ids, named) | (np.char.find(self.ids.astype(str), folded) >= 0))
        rows = np.flatnonzero(kept)
        keys = self._keys(column, names)
        order = np.lexsort([key[rows] for key in reversed(keys)]) if keys else np.arange(len(rows))
        if not falling:
            return rows[order]
        if not keys:
            return rows[::-1]
        # Rows that are equal stay by rising id.
        begins = np.zeros(len(rows), np.bool_)
        for key in keys:
            values = key[rows][order]
            begins[1:] |= values[1:] != values[:-1]
        ranks: NDArray[np.intp] = np.cumsum(begins, dtype=np.intp)
        return rows[order][np.argsort(-ranks, kind="stable")]

    def _keys(self, column: str, classes: ClassTable) -> list[NDArray[Any]]:
        """What a column is sorted by, the first first; [] for ids, by which rows stand already."""
        boxes = self.sums.boxes
        match column:
            case "locked":
                return [~self.locked]
            case "class":
                return [class_lookup(classes, lambda c: c.position)[self.class_ids]]
            case "area":
                return [self.areas]
            case "box":
                return [boxes[:, 1], boxes[:, 0]]
            case "origin":
                most = self.sums.origins.argmax(axis=1)
                return [most, -self.sums.origins.max(axis=1, initial=0) / np.maximum(self.areas, 1)]
            case "mean":
                return [self.means.mean(axis=1) if self.means.shape[1] else np.zeros(len(self))]
            case _:
                return []


def object_table(
    sums: Sums, class_of: NDArray[np.int32], classes: ClassTable, locked: NDArray[np.bool_] | None = None
) -> ObjectTable:
    """The table of measured objects; `class_of` is by object id, as `Document.class_lookup` gives it, and so is
    `locked` (`lock_lookup`), None where nothing is."""
    today = np.take(class_lookup(classes), np.take(class_of, sums.ids, mode="clip"), mode="clip")
    wanted = np.isin(today, [c.id for c in classes if c.kind not in _LEFT_OUT])
    ids, owners = sums.ids[wanted], today[wanted]
    keys, joined = ids.copy(), dict[ObjectId, tuple[ObjectId, ...]]()
    for one in (c for c in classes if c.kind is Kind.SEMANTIC):
        mine = owners == one.id
        parts = ids[mine]
        if len(parts) > 1:
            keys[mine] = parts[0]
            joined[ObjectId(int(parts[0]))] = tuple(ObjectId(int(part)) for part in parts)
    kept = Sums(ids, sums.boxes[wanted], sums.origins[wanted], sums.sums[wanted], sums.counts[wanted])
    if joined:
        kept = added([kept], kept.sums.shape[1], keys)
        owners = owners[np.searchsorted(ids, kept.ids)]
    counted = np.maximum(kept.counts, 1)
    means = np.where(kept.counts > 0, kept.sums / counted, np.nan)
    return ObjectTable(kept, owners, joined, kept.areas, means, _locked(kept.ids, joined, locked))


def _locked(
    ids: NDArray[np.uint32], joined: Mapping[ObjectId, tuple[ObjectId, ...]], locked: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    if locked is None or not locked.any():
        return np.zeros(len(ids), np.bool_)
    rows = np.take(locked, ids, mode="clip")
    for lowest, parts in joined.items():
        rows[np.searchsorted(ids, lowest)] = np.take(locked, parts, mode="clip").any()
    return rows

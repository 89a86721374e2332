"""The objects of a plane as a table of columns: what they count as today, and what they measure. Values, no disk."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.measure.sums import Sums, added
from segstudio.labels.model import ClassTable, Kind, ObjectId, Origin

__all__ = ["ORIGIN_NAMES", "ObjectTable", "object_table"]

ORIGIN_NAMES = {origin: origin.name.lower() for origin in Origin if origin is not Origin.NONE}
"""The names by which scripts read origins."""

_LEFT_OUT = (Kind.BACKGROUND, Kind.IGNORE)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectTable:
    """A row an object, by rising id: `class_ids` int32 (n,) is the class that it counts as, `sums` what it measures.

    Background and ignore are no objects; neither is what counts as nothing today. A semantic class is one object: where
    it has several ids, merged classes for instance, its row is under the lowest, and `joined` has all of them by that.
    """

    sums: Sums
    class_ids: NDArray[np.int32]
    joined: Mapping[ObjectId, tuple[ObjectId, ...]]

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def ids(self) -> NDArray[np.uint32]:
        """Object ids (n,), rising."""
        return self.sums.ids

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of the image's stored values (n, c); NaN where there is none."""
        known = np.where(self.sums.counts > 0, self.sums.counts, 1)
        return np.where(self.sums.counts > 0, self.sums.sums / known, np.nan)

    def rect(self, row: int) -> Rect:
        """The box of a row in image pixels."""
        x0, y0, x1, y1 = (int(edge) for edge in self.sums.boxes[row])
        return Rect(x0, y0, x1 - x0, y1 - y0)

    def parts(self, row: int) -> tuple[ObjectId, ...]:
        """Every object id that a row stands for."""
        id_ = ObjectId(int(self.ids[row]))
        return self.joined.get(id_, (id_,))


def object_table(sums: Sums, class_of: NDArray[np.int32], classes: ClassTable) -> ObjectTable:
    """The table of measured objects; `class_of` is by object id, as `Document.class_lookup` gives it."""
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
    return ObjectTable(kept, owners, joined)

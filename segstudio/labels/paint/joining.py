"""New parts of a plane that meet objects begun by hand become part of them, instead of objects of their own; those
that are locked are left alone.

A part that meets one such object of its class is that object's: a person painted the core, the proposal gave the rest.
One that meets several is shared: each pixel goes to the object whose pixels next to the part are nearest (by pixel
centres; of equally near ones to the lowest id). Planes are looked at block by block, as components are.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.model import ClassTable, Origin
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.components import Components, TiledComponents
from segstudio.labels.paint.nearest import nearest_set
from segstudio.labels.paint.policy import effective_lookup, locked_lookup
from segstudio.labels.tiles.raster import read_tiles

__all__ = ["Joins"]

_AROUND = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
Places = NDArray[np.int64]


class Joins:
    """First `look` at every block of the plane, then `settle`, then `paint` every block."""

    def __init__(self, document: Document, plane: int, classes: ClassTable) -> None:
        self._raster, self._plane = document.raster, plane
        owner = effective_lookup(document, classes)
        instances = [c.id for c in classes if not c.one_object]
        free = np.isin(owner, instances) & ~locked_lookup(document, classes)
        self._class_of = np.where(free, owner, np.int32(0))
        self._by_hand = np.zeros(len(owner), np.bool_)
        self._met: list[Places] = []
        self._joined: dict[int, dict[int, Places]] = {}

    @property
    def possible(self) -> bool:
        """Whether there is an object that a part could join."""
        return bool(self._class_of.any())

    def look(self, rect: Rect, labels: NDArray[np.int32], first: int, class_ids: NDArray[np.int32]) -> None:
        """Note which objects the parts of a block meet: `labels` and `first` as `TiledComponents.add` gives them."""
        wide = rect.grown(1).intersected(self._raster.bounds(self._plane))
        tiles = {(ty, tx): self._raster.look((self._plane, ty, tx)) for ty, tx in tiles_of(wide)}
        ids, origins = read_tiles(tiles, wide)
        owners = self._class_of[ids]
        if not owners.any():
            return
        self._by_hand[ids[(origins == Origin.PAINTED) & (owners != 0)]] = True
        if labels.any():
            inside = (rect.x - wide.x, rect.y - wide.y)
            self._meet(wide, inside, ids, owners, labels, first, class_ids)

    def _meet(
        self,
        wide: Rect,
        inside: tuple[int, int],
        ids: NDArray[np.uint32],
        owners: NDArray[np.int32],
        labels: NDArray[np.int32],
        first: int,
        class_ids: NDArray[np.int32],
    ) -> None:
        """The pixels of objects that have a pixel of a part of their class beside them."""
        import cv2

        x, y = inside
        h, w = labels.shape
        # One more pixel all around, so that every neighbour is within the arrays.
        parts, wanted = np.zeros((wide.h + 2, wide.w + 2), np.int32), np.zeros((wide.h + 2, wide.w + 2), np.int32)
        parts[y + 1 : y + 1 + h, x + 1 : x + 1 + w] = labels
        wanted[y + 1 : y + 1 + h, x + 1 : x + 1 + w] = class_ids
        near = cv2.dilate((parts > 0).astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
        rows, columns = np.nonzero(near & (owners != 0))
        for dy, dx in _AROUND:
            part = parts[rows + 1 + dy, columns + 1 + dx]
            meets = (part > 0) & (wanted[rows + 1 + dy, columns + 1 + dx] == owners[rows, columns])
            at = rows[meets], columns[meets]
            met = [part[meets].astype(np.int64) + first, ids[at].astype(np.int64), at[0] + wide.y, at[1] + wide.x]
            self._met.append(np.stack(met, axis=1))

    def settle(self, components: TiledComponents) -> None:
        """All blocks were looked at and added: find out which component joins what."""
        met = np.concatenate(self._met) if self._met else np.zeros((0, 4), np.int64)
        met = met[self._by_hand[met[:, 1]]]
        self._met = []
        provisional, which = np.unique(met[:, 0], return_inverse=True)
        names = np.array([components.name(label) for label in provisional.tolist()], np.int64)
        met[:, 0] = names[which] if len(names) else met[:, 0]
        met = np.unique(met, axis=0)
        borders = np.flatnonzero(np.any(np.diff(met[:, :2], axis=0) != 0, axis=1)) + 1
        for rows in np.split(met, borders) if len(met) else []:
            self._joined.setdefault(int(rows[0, 0]), {})[int(rows[0, 1])] = rows[:, 2:]

    def object_of(self, name: int) -> int:
        """The one object that a component joins, or the first of several; 0 where it joins none."""
        return next(iter(self._joined.get(name, ())), 0)

    def paint(self, rect: Rect, found: Components, ids: NDArray[np.uint32]) -> None:
        """Share the components of a block that meet several objects: write these into its object ids (h, w)."""
        shared = [len(self._joined.get(name, ())) > 1 for name in found.names.tolist()]
        if not any(shared):
            return
        numbers = np.where(shared, np.arange(len(shared), dtype=np.int32), np.int32(0))[found.labels]
        for number, box in boxes_of(numbers).items():
            objects = self._joined[int(found.names[number])]
            inside = np.argwhere(numbers[box.y : box.bottom, box.x : box.right] == number)
            points = np.add(inside, (box.y, box.x))
            nearest = nearest_set(np.add(points, (rect.y, rect.x)), list(objects.values()))
            ids[tuple(points.T)] = np.array(list(objects), np.uint32)[nearest]

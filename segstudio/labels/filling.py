"""Whole-plane changes that are too large for memory: `compose.paint_class_ids` tile by tile, as parts of an edit."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.components import TiledComponents
from segstudio.labels.compose import painted_tile
from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table, TileChange
from segstudio.labels.model import ClassId, ClassTable, ObjectId, Origin
from segstudio.labels.policy import effective_lookup
from segstudio.labels.streamed import Part
from segstudio.labels.tile import expanded, same

__all__ = ["ClassIdsOf", "filling"]

ClassIdsOf = Callable[[Rect], NDArray[np.int32]]
"""Class id (h, w) of each pixel of a rectangle within the plane; 0 = leave alone."""


def filling(
    document: Document,
    plane: int,
    class_ids_of: ClassIdsOf,
    classes: ClassTable,
    origin: Origin,
    *,
    only_unknown: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Iterator[Part]:
    """The rows and tiles that `paint_class_ids` would change on a plane, one tile in memory at a time.

    The document is read, and told of new objects; its raster is left as it is. Each tile is asked for twice where an
    instance class is in use, else once; `step` is called for each. Raises KeyError for a class that was never made.
    """
    fill = _Fill(document, plane, class_ids_of, classes, only_unknown)
    keys = list(document.raster.keys(plane))
    components = TiledComponents(document.raster.bounds(plane).w) if fill.has_instances else None
    if components is not None:
        for key in keys:
            step()
            part = fill.part(key)
            components.add(part, fill.instances(fill.wanted(part)))
        components.begin_again()
    for key in keys:
        step()
        wanted = fill.wanted(fill.part(key))
        of = None if components is None else components.of(fill.instances(wanted))
        ids, rows = fill.object_ids(wanted, of)
        yield from rows
        before = document.raster.look(key)
        after = painted_tile(before, ids, origin)
        if not same(before, after):
            yield key, TileChange(before, after)


class _Fill:
    """What is the same for every tile of a plane, and the objects made so far."""

    def __init__(
        self, document: Document, plane: int, class_ids_of: ClassIdsOf, classes: ClassTable, only_unknown: bool
    ) -> None:
        self._document = document
        self._plane = plane
        self._class_ids_of = class_ids_of
        self._today = np.full(max((c.id for c in classes.all), default=0) + 1, -1, np.int32)
        self._today[0] = 0
        self._instance = np.zeros(len(self._today), np.bool_)
        for c in classes.all:
            today = classes.effective(c.id)
            self._today[c.id] = 0 if today is None else today.id
            self._instance[c.id] = not c.one_object
        self._unknown = effective_lookup(document, classes) == 0 if only_unknown else None
        self._single: dict[int, ObjectId] = {}
        self._made: dict[int, ObjectId] = {}
        self.has_instances = any(not c.one_object for c in classes)

    def part(self, key: tuple[int, int, int]) -> Rect:
        """The tile's pixels that belong to the plane."""
        return tile_rect(*key[1:]).intersected(self._document.raster.bounds(self._plane))

    def wanted(self, part: Rect) -> NDArray[np.int32]:
        """Class ids (h, w) to be written, as classes count today; 0 = leave alone."""
        class_ids = self._class_ids_of(part)
        if class_ids.min(initial=0) < 0 or class_ids.max(initial=0) >= len(self._today):
            raise KeyError(int(class_ids.max()))
        wanted = self._today[class_ids]
        if wanted.min(initial=0) < 0:
            raise KeyError(int(class_ids[wanted < 0][0]))
        if self._unknown is None:
            return wanted
        tile = self._document.raster.look((self._plane, part.y // TILE, part.x // TILE))
        ids = expanded(tile)[0][: part.h, : part.w]
        return np.where(self._unknown[ids], wanted, np.int32(0))

    def instances(self, wanted: NDArray[np.int32]) -> NDArray[np.int32]:
        """The class ids of instance classes alone."""
        return np.where(self._instance[wanted], wanted, np.int32(0))

    def object_ids(
        self, wanted: NDArray[np.int32], components: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.uint32], list[RowChange]]:
        """Object id (h, w) of each pixel, 0 = leave alone, and the rows of the objects that had to be made."""
        rows: list[RowChange] = []
        lookup = np.zeros(len(self._today), np.uint32)
        for class_id in (int(c) for c in np.flatnonzero(np.bincount(wanted.ravel())) if c):
            if not self._instance[class_id]:
                lookup[class_id] = self._single_object(class_id, rows)
        ids = lookup[wanted]
        if components is None or not components.any():
            return ids, rows
        present, first = np.unique(components, return_index=True)
        owners = wanted.reshape(-1)[first].tolist()
        objects = np.zeros(len(present), np.uint32)
        for i, (component, class_id) in enumerate(zip(present.tolist(), owners, strict=True)):
            if component and component not in self._made:
                self._made[component] = self._new_object(class_id, rows)
            objects[i] = self._made.get(component, 0)
        return ids | objects[np.searchsorted(present, components)], rows

    def _single_object(self, class_id: int, rows: list[RowChange]) -> ObjectId:
        if class_id not in self._single:
            found = self._document.single_object(ClassId(class_id))
            self._single[class_id] = self._new_object(class_id, rows) if found is None else found
        return self._single[class_id]

    def _new_object(self, class_id: int, rows: list[RowChange]) -> ObjectId:
        object_id = ObjectId(self._document.next_object)
        row = RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id})
        self._document.apply_row(row)
        rows.append(row)
        return object_id

"""What all operations on objects end in: tiles repainted, objects made, and the image in progress, as parts of an edit.

They take the way of fills: computed over a frozen copy, collected into one edit where that fits into memory, else
streamed by the writer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import RowChange, Table, TileChange, TileKey
from segstudio.labels.model import ClassId, ObjectId, Origin, Status
from segstudio.labels.paint.region import Place
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import Tile, frozen, same, writable_copy

__all__ = ["NewObjects", "Painted", "Report", "changed_tile", "painted", "whole"]


@dataclass(slots=True)
class NewObjects:
    """Makes objects for an edit of a document: `rows` are those made since they were last taken."""

    document: Document
    ids: list[ObjectId] = field(default_factory=list[ObjectId])
    rows: list[RowChange] = field(default_factory=list[RowChange])

    def make(self, class_id: ClassId) -> ObjectId:
        """A new object of a class."""
        object_id = ObjectId(self.document.next_object + len(self.ids))
        self.ids.append(object_id)
        self.rows.append(RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id}))
        return object_id

    def take_rows(self) -> list[RowChange]:
        """The rows of objects made since the last call."""
        rows, self.rows = self.rows, []
        return rows


@dataclass(slots=True)
class Report:
    """What an operation came to, for a sentence; filled in while its parts are taken.

    `number` is of what it made or changed, `left` of what it had to leave alone; `selects` are the objects that it is
    about from now on.
    """

    number: int = 0
    left: int = 0
    pixels: int = 0
    selects: set[ObjectId] = field(default_factory=set[ObjectId])


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """Pixels that become an object's, 0 = unknown: those of a rectangle of the plane where `mask` (h, w) is True.

    `origin` None keeps who made each of them.
    """

    rect: Rect
    mask: NDArray[np.bool_]
    object_id: int
    origin: Origin | None = None


def painted(document: Document, plane: int, layers: Iterable[Painted]) -> Iterator[tuple[TileKey, TileChange]]:
    """The tiles that these layers, all within the plane, change; painted one upon the other."""
    by_place: dict[Place, list[Painted]] = {}
    for layer in layers:
        for place in tiles_of(layer.rect):
            by_place.setdefault(place, []).append(layer)
    for place in sorted(by_place):
        key = (plane, *place)
        before = document.raster.glance(key)
        ids, origins = writable_copy(before)
        for layer in by_place[place]:
            _put(layer, place, ids, origins)
        yield from changed_tile(key, before, ids, origins)


def _put(layer: Painted, place: Place, ids: NDArray[np.uint32], origins: NDArray[np.uint8]) -> None:
    part, rect, tile = layer.rect.intersected(tile_rect(*place)), layer.rect, tile_rect(*place)
    where = layer.mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
    target = np.s_[part.y - tile.y : part.bottom - tile.y, part.x - tile.x : part.right - tile.x]
    ids[target][where] = layer.object_id
    if layer.object_id == 0:
        origins[target][where] = Origin.NONE
    elif layer.origin is not None:
        origins[target][where] = layer.origin


def changed_tile(
    key: TileKey, before: Tile, ids: NDArray[np.uint32], origins: NDArray[np.uint8]
) -> Iterator[tuple[TileKey, TileChange]]:
    """The change of a tile to these arrays, which it takes over; none where they are the same."""
    after = frozen(ids, origins)
    if not same(before, after):
        yield key, TileChange(before, after)


def whole(document: Document, parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, and the image in progress where it was new and a pixel changes."""
    changed = False
    for part in parts:
        changed = changed or not isinstance(part, RowChange)
        yield part
    if changed and document.status is Status.NEW:
        row = document.marks.change(document.image, Marks(Status.IN_PROGRESS))
        if row is not None:
            yield row

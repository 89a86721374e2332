"""Whole planes filled with classes: the one way of accept, Done and import, as parts of an edit.

Parts are made block by block, so that a plane may be larger than memory: small results are `collected` into one edit,
large ones streamed by the writer. A semantic class goes to the image's one object of it; each 8-connected component
of an instance class is a new object, but where only what is unlabelled is filled it joins objects begun by hand.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import NothingLabelled
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.edit import TileChange, TileKey
from segstudio.labels.model import ClassTable, LabelClass, Origin, Status
from segstudio.labels.paint.components import Components, TiledComponents
from segstudio.labels.paint.filled_objects import FilledObjects
from segstudio.labels.paint.joining import Joins
from segstudio.labels.paint.policy import effective_lookup
from segstudio.labels.tiles.raster import read_tiles
from segstudio.labels.tiles.streamed import TILE_BYTES, Part
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile, frozen, same, writable_copy
from segstudio.text import _

__all__ = [
    "ClassIdsOf",
    "Filling",
    "NumbersOf",
    "Outcome",
    "OutsideOf",
    "most_bytes",
    "parts_of",
    "steps_of",
]

ClassIdsOf = Callable[[Rect], NDArray[np.int32]]
"""Class id (h, w) of each pixel of a rectangle within the plane; 0 = leave alone."""

NumbersOf = Callable[[Rect], NDArray[np.uint32]]
"""Number (h, w) of the object that each pixel of a rectangle belongs to, where its class has several."""

OutsideOf = Callable[[int, Rect], NDArray[np.bool_] | None]
"""Which pixels (h, w) of a rectangle of a plane lie outside the picture; None where none does."""

_BLOCK = 8 * TILE
"""Side of what is computed at once: a plane up to this size in one go, some 100 MB."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What an image is filled with: class ids by plane, with which origin, over what is labelled or only beside it.

    Pixels of a class that was merged away get the class it counts as; those of a removed one are left alone. With
    `only_unknown` labelled pixels stay as they are, those of removed classes count as unknown, and components of
    instance classes join objects begun by hand (`Joins`); while `locks` count, a class that is locked, or whose only
    object in the image is, gets no pixel. Otherwise each 8-connected component becomes an object, but on a plane with
    `numbers` each number does; its pixels are of one class. `status` is what the planes `marked` become, None = all;
    without it an image that was new is in progress where a pixel changes. With `never_empty` a plane that would be left
    without one known pixel stays as it is, and the filling is refused where all would. What lies `outside` the picture
    is left alone.
    """

    planes: Mapping[int, ClassIdsOf]
    classes: ClassTable
    origin: Origin
    only_unknown: bool = False
    status: Status | None = None
    marked: Collection[int] | None = None
    never_empty: bool = False
    locks: bool = True
    numbers: Mapping[int, NumbersOf] = field(default_factory=dict[int, NumbersOf])
    outside: OutsideOf | None = None


@dataclass(slots=True)
class Outcome:
    """What came of a filling, once its parts are taken: whether a pixel `changed`, and whether some stay unknown; which
    planes were left as they are because they are `empty`."""

    changed: bool = False
    short: bool = False
    empty: frozenset[int] = frozenset()


def _ignore(_tiles: int) -> None:
    """The step of a caller that does not count them."""


def parts_of(
    document: Document, work: Filling, *, step: Callable[[int], None] = _ignore, outcome: Outcome | None = None
) -> Iterator[Part]:
    """The rows and tiles that a filling changes, one block of a plane in memory at a time; the document is only read.

    A plane is asked for twice where it is larger than a block and an instance class is in use. `step` is told how many
    tiles are done, `steps_of` in all. Raises KeyError for a class that was never made, `NothingLabelled`.
    """
    objects, found = FilledObjects(document), outcome or Outcome()
    changed: set[int] = set()
    for plane, class_ids_of in work.planes.items():
        filled = _Plane(document, plane, class_ids_of, work, objects, found)
        yield from filled.parts(step)
        if filled.changed:
            changed.add(plane)
    found.changed = bool(changed)
    planes = len(document.raster.sizes)
    marked = frozenset(range(planes) if work.marked is None else work.marked)
    if work.never_empty:
        found.empty = frozenset(p for p in marked - changed if not _has_labels(document, work.classes, p))
        marked -= found.empty
        if not marked:
            raise NothingLabelled(_("Nothing is labelled in this image."), safe=_("It was not marked done."))
    row = document.marks.change(document.image, document.marks.after(work.status, marked, planes, edited=found.changed))
    if row is not None:
        yield row


def steps_of(document: Document, work: Filling) -> int:
    """How many tiles `parts_of` tells of."""
    several = _has_instances(work.classes)
    return sum(
        (2 if several and plane not in work.numbers else 1) * sum(1 for _ in document.raster.keys(plane))
        for plane in work.planes
    )


def _has_labels(document: Document, classes: ClassTable, plane: int) -> bool:
    """Whether a pixel of the plane is known. Reads tiles until one is found."""
    known = effective_lookup(document, classes) != 0
    for key in document.raster.keys(plane):
        tile = document.raster.look(key)
        if bool(known[tile.id] if isinstance(tile, Constant) else known[tile.ids].any()):
            return True
    return False


def most_bytes(
    document: Document, planes: Iterable[int], dense: Mapping[int, Iterable[tuple[int, int]]] | None = None
) -> int:
    """What an edit that fills these planes may hold at most, without computing it.

    `dense` names, of planes where that is known, the tiles (ty, tx) that are filled otherwise than with one class.
    There it is those, what is labelled, and what is cut by the border; elsewhere it is every tile.
    """
    touched: set[TileKey] = set()
    raster = document.raster
    for plane in planes:
        if dense is None or plane not in dense:
            touched.update(raster.keys(plane))
            continue
        w, h = raster.sizes[plane]
        touched.update((plane, h // TILE, tx) for tx in range(w // TILE + 1))
        touched.update((plane, ty, w // TILE) for ty in range(h // TILE + 1))
        touched.update(key for key in (*raster.stored, *raster.in_memory()) if key[0] == plane)
        touched.update((plane, ty, tx) for ty, tx in dense[plane])
    return 2 * TILE_BYTES * len(touched)


def _left(wanted: NDArray[np.int32], outside: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """The pixels within the picture that get no class."""
    return wanted == 0 if outside is None else (wanted == 0) & ~outside


def _has_instances(classes: ClassTable) -> bool:
    return any(not c.one_object for c in classes)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Part of a plane: its tiles as they are, the class ids (h, w) to be written (0 = leave alone), and which occur."""

    rect: Rect
    before: Mapping[tuple[int, int], Tile]
    wanted: NDArray[np.int32]
    present: NDArray[np.intp]


class _Plane:
    """One plane of a filling, block by block."""

    def __init__(
        self,
        document: Document,
        plane: int,
        class_ids_of: ClassIdsOf,
        work: Filling,
        objects: FilledObjects,
        outcome: Outcome,
    ) -> None:
        self._raster, self._plane, self._class_ids_of = document.raster, plane, class_ids_of
        self._work, self._objects, self._outcome = work, objects, outcome
        self._today, self._instance = _class_lookups(work, document)
        self._unknown = effective_lookup(document, work.classes) == 0 if work.only_unknown else None
        self._numbers_of = work.numbers.get(plane)
        self._joins = Joins(document, plane, work.classes)
        self._joining = work.only_unknown and self._joins.possible
        self._by_name: dict[int, int] = {}
        self._last: _Block | None = None
        self.changed = False
        """Whether a pixel of the plane changed, once its parts are taken."""

    def parts(self, step: Callable[[int], None]) -> Iterator[Part]:
        """Rows and tiles; `step` is told of each block in each pass."""
        bounds = self._raster.bounds(self._plane)
        rects = list(_rects(bounds))
        several = _has_instances(self._work.classes)
        components = TiledComponents(bounds.w) if several and self._numbers_of is None else None
        if components is not None:
            for rect in rects:
                step(sum(1 for _ in tiles_of(rect)))
                instances = self._instances(self._block(rect))
                labels, first = components.add(rect, instances)
                if self._joining:
                    self._joins.look(rect, labels, first, instances)
            self._joins.settle(components)
            components.begin_again()
        for rect in rects:
            step(sum(1 for _ in tiles_of(rect)))
            block = self._block(rect)
            ids = self._object_ids(block)
            if components is not None:
                found = components.of(rect, self._instances(block))
                self._paint_components(found, ids)
                self._joins.paint(rect, found, ids)
            elif several:
                self._paint_numbered(block, ids)
            yield from self._objects.take_rows()
            if block.present.any():
                yield from self._tiles(block, ids)

    def _block(self, rect: Rect) -> _Block:
        """What is to be written in a rectangle. The last one is kept: a plane of one block is computed once."""
        if self._last is None or self._last.rect != rect:
            wanted, present = self._counted(self._class_ids_of(rect))
            if wanted.shape != (rect.h, rect.w):
                raise ValueError(f"class ids {wanted.shape} for {rect.w} x {rect.h} pixels")
            before = {(ty, tx): self._raster.look((self._plane, ty, tx)) for ty, tx in tiles_of(rect)}
            outside = None if self._work.outside is None else self._work.outside(self._plane, rect)
            if outside is not None:
                wanted = np.where(outside, np.int32(0), wanted)
                present = _present(wanted, len(self._today))
            if self._unknown is not None:
                wanted, present = self._unknown_alone(rect, before, wanted, present, outside)
            self._last = _Block(rect, before, wanted, present)
        return self._last

    def _counted(self, class_ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Class ids as they count today, and which occur; the same array where that changes none."""
        present = _present(class_ids, len(self._today))
        today = self._today[present]
        if today.min(initial=0) < 0:
            raise KeyError(int(present[today < 0][0]))
        if np.array_equal(today, present):
            return class_ids, present
        return self._today[class_ids], np.unique(today).astype(np.intp)

    def _unknown_alone(
        self,
        rect: Rect,
        before: Mapping[tuple[int, int], Tile],
        wanted: NDArray[np.int32],
        present: NDArray[np.intp],
        outside: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Class ids, and which occur, where only unknown pixels are filled. Notes whether some stay unknown within the
        picture.
        """
        assert self._unknown is not None
        found = self._outcome
        if all(tile == EMPTY for tile in before.values()):
            left = not present.all()
            found.short = found.short or (left and bool(_left(wanted, outside).any()))
            return wanted, present
        unknown = self._unknown[read_tiles(before, rect)[0]]
        if not found.short and not present.all():
            found.short = bool((unknown & _left(wanted, outside)).any())
        alone = np.where(unknown, wanted, np.int32(0))
        return alone, _present(alone, len(self._today))

    def _instances(self, block: _Block) -> NDArray[np.int32]:
        """The class ids of instance classes alone."""
        if not self._instance[block.present].any():
            return np.broadcast_to(np.int32(0), block.wanted.shape)
        return np.where(self._instance[block.wanted], block.wanted, np.int32(0))

    def _object_ids(self, block: _Block) -> NDArray[np.uint32]:
        """The object (h, w) of each pixel of a class that has one object an image; 0 elsewhere."""
        lookup = np.zeros(len(self._today), np.uint32)
        for class_id in block.present.tolist():
            if class_id and not self._instance[class_id]:
                lookup[class_id] = self._objects.single(class_id)
        return lookup[block.wanted]

    def _paint_components(self, found: Components, ids: NDArray[np.uint32]) -> None:
        """Write the objects of instance classes into `ids`, making those that are new."""
        if len(found.names) == 1:
            return
        lookup = np.zeros(len(found.names), np.uint32)
        for i, (name, class_id) in enumerate(zip(found.names.tolist(), found.class_ids.tolist(), strict=True)):
            if name:
                lookup[i] = self._object_named(name, class_id)
        np.bitwise_or(ids, lookup[found.labels], out=ids)

    def _paint_numbered(self, block: _Block, ids: NDArray[np.uint32]) -> None:
        """Write the objects of instance classes into `ids` as they are numbered, making those that are new."""
        assert self._numbers_of is not None
        if not self._instance[block.present].any():
            return
        instances = self._instance[block.wanted]
        numbers, at, which = np.unique(self._numbers_of(block.rect)[instances], return_index=True, return_inverse=True)
        owners = block.wanted[instances][at]
        lookup = [self._object_named(n, c) for n, c in zip(numbers.tolist(), owners.tolist(), strict=True)]
        ids[instances] = np.array(lookup, np.uint32)[which]

    def _object_named(self, name: int, class_id: int) -> int:
        """The object of a component or a number, made when it is first met, unless it joins one."""
        if name not in self._by_name:
            self._by_name[name] = self._joins.object_of(name) or self._objects.made(class_id)
        return self._by_name[name]

    def _tiles(self, block: _Block, ids: NDArray[np.uint32]) -> Iterator[tuple[TileKey, TileChange]]:
        """The tiles of a block that its object ids (h, w), 0 = leave alone, change."""
        for (ty, tx), before in block.before.items():
            part = tile_rect(ty, tx).intersected(block.rect)
            y, x = part.y - block.rect.y, part.x - block.rect.x
            after = _painted(before, ids[y : y + part.h, x : x + part.w], self._work.origin)
            if not same(before, after):
                self.changed = True
                yield (self._plane, ty, tx), TileChange(before, after)


def _class_lookups(work: Filling, document: Document) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """By class id: what it counts as today (0 = is not painted, -1 = was never made); whether it has instances."""

    def painted(c: LabelClass) -> int:
        if not (work.only_unknown and work.locks):
            return c.id
        closed = c.locked or (c.one_object and document.single_object(c.id) in document.locked)
        return 0 if closed else c.id

    today = class_lookup(work.classes, painted)
    made = [0, *(c.id for c in work.classes.all)]
    today[np.isin(np.arange(len(today)), made, invert=True)] = -1
    instance = np.zeros(len(today), np.bool_)
    instance[[c.id for c in work.classes.all if not c.one_object]] = True
    return today, instance


def _present(class_ids: NDArray[np.int32], limit: int) -> NDArray[np.intp]:
    """The class ids that occur. Raises KeyError for one that is not 0 ... limit - 1."""
    lowest, highest = int(class_ids.min(initial=0)), int(class_ids.max(initial=0))
    if lowest < 0 or highest >= limit:
        raise KeyError(lowest if lowest < 0 else highest)
    found = np.zeros(limit, np.bool_)
    for y in range(0, len(class_ids), TILE):  # a band at a time: an index array is widened to 8 bytes a pixel
        found[class_ids[y : y + TILE]] = True
    return np.flatnonzero(found)


def _rects(bounds: Rect) -> Iterator[Rect]:
    """The plane in squares of whole tiles, row by row."""
    for y in range(0, bounds.h, _BLOCK):
        for x in range(0, bounds.w, _BLOCK):
            yield Rect(x, y, _BLOCK, _BLOCK).intersected(bounds)


def _painted(before: Tile, new: NDArray[np.uint32], origin: Origin) -> Tile:
    """The tile with the object ids of its upper left part (h, w) that are not 0 written into it."""
    mask = new != 0
    if not mask.any():
        return before
    if new.shape == (TILE, TILE) and new[0, 0] and (new == new[0, 0]).all():
        return Constant(int(new[0, 0]), int(origin))
    ids, origins = writable_copy(before)
    h, w = new.shape
    np.copyto(ids[:h, :w], new, where=mask)
    np.copyto(origins[:h, :w], np.uint8(origin), where=mask)
    return frozen(ids, origins)

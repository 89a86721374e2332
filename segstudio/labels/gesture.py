"""A gesture: the only writer of an Edit. It keeps a tile's content at first touch and ends once, by commit or abort.

While it lasts, the tiles it has touched are writable arrays inside the raster, so that the canvas sees every dab.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey, joined_rows
from segstudio.labels.model import Cause, ClassId, ObjectId, Origin, Status
from segstudio.labels.paint.coverage import coverage
from segstudio.labels.paint.region import Region
from segstudio.labels.paint.stroke import Spans, without
from segstudio.labels.tiles.raster import Memento
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, Tile, expanded, frozen, same, writable_copy

__all__ = ["Gesture", "Paintable"]

Places = NDArray[np.intp]
"""Pixels of a tile as places in its flat arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Paintable:
    """Which pixels a gesture may change.

    `objects` says it by object id (0 = unknown); None = of every object. Objects newer than it are the gesture's own
    and may be changed. `within` gives the mask (TILE, TILE) of a tile outside which nothing may be changed, or None
    where everything may; None = it is not asked.
    """

    objects: NDArray[np.bool_] | None = None
    within: Callable[[TileKey], NDArray[np.bool_] | None] | None = None

    def also(self, within: Callable[[TileKey], NDArray[np.bool_] | None] | None) -> "Paintable":
        """The same, and only within these masks too."""
        mine = self.within
        if within is None or mine is None:
            return Paintable(self.objects, mine or within)

        def both(key: TileKey) -> NDArray[np.bool_] | None:
            a, b = mine(key), within(key)
            return a if b is None else b if a is None else a & b

        return Paintable(self.objects, both)

    def reaching(self, count: int) -> "Paintable":
        """The same for `count` object ids at least: the new ones may be changed."""
        if self.objects is None or len(self.objects) >= count:
            return self
        more = np.ones(count - len(self.objects), np.bool_)
        return Paintable(np.concatenate([self.objects, more]), self.within)


EVERYTHING = Paintable()


class Gesture:
    """Collects changes of one document until `commit` or `abort`; using it after that raises RuntimeError."""

    def __init__(self, document: Document, cause: Cause, *, tool: str = "", author: str = "") -> None:
        self._document = document
        self._cause = cause
        self._tool = tool
        self._author = author
        self._before: dict[TileKey, Memento] = {}
        self._open: dict[TileKey, Dense] = {}
        self._within: dict[TileKey, Rect] = {}
        self._rows: list[RowChange] = []
        self._ended = False
        self.rect: dict[int, Rect] = {}
        """What may have changed so far, by plane."""

    @property
    def ended(self) -> bool:
        """Whether it was committed or aborted."""
        return self._ended

    def writable(self, key: TileKey) -> Dense:
        """The tile's arrays, to be written in place; its old content is kept at the first call."""
        self._check()
        self._touched(key, self._part(key))
        return self._opened(key)

    def replace(self, key: TileKey, tile: Tile) -> None:
        """Put a whole new tile in place; what it holds beyond the image is left out."""
        self._check()
        self._touched(key, self._part(key))
        self._exchange(key, self._within_image(key, tile))

    def new_object(self, class_id: ClassId) -> ObjectId:
        """A fresh object of a class. Should the gesture leave it without a pixel, it was never made."""
        self._check()
        object_id = ObjectId(self._document.next_object)
        row = RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id})
        self._rows.append(row)  # first: whatever fails from here on, `abort` knows of it
        self._document.apply_row(row)
        return object_id

    def set_status(self, status: Status) -> None:
        """Change the image's status together with the pixels."""
        self._check()
        row = self._document.marks.change(self._document.image, Marks(status))
        if row is not None:
            self._rows.append(row)
            self._document.apply_row(row)

    def paint_spans(
        self,
        plane: int,
        spans: Spans,
        object_id: int,
        origin: Origin,
        *,
        paintable: Paintable = EVERYTHING,
        done: Spans | None = None,
    ) -> Rect:
        """Set object and origin in the covered pixels and return the rectangle that may have changed.

        Pixels of `done`, painted by the last call of this gesture with the same values, are passed over: with a large
        brush only the crescent that is new is written. Object 0 always has origin 0.
        """
        self._check()
        target = _target(object_id, origin)
        paintable = paintable.reaching(self._document.next_object)
        changed = Rect(0, 0, 0, 0)
        for piece in (spans,) if done is None else without(spans, done):
            for (ty, tx), cover in coverage(piece, self._document.raster.bounds(plane)):
                part = cover.rect.moved(tx * TILE, ty * TILE)
                self._touched((plane, ty, tx), part)
                self._paint((plane, ty, tx), None if cover.whole else lambda cover=cover: cover.flat, target, paintable)
                changed = changed.united(part)
        return changed

    def paint_region(
        self, plane: int, region: Region, object_id: int, origin: Origin, *, paintable: Paintable = EVERYTHING
    ) -> Rect:
        """Set object and origin in the pixels of a region and return the rectangle that may have changed.

        What lies beyond the image is passed over. Object 0 always has origin 0.
        """
        self._check()
        target = _target(object_id, origin)
        paintable = paintable.reaching(self._document.next_object)
        changed = Rect(0, 0, 0, 0)
        for (ty, tx), mask in region.tiles.items():
            key = (plane, ty, tx)
            part = self._part(key)
            if part.empty:
                continue
            self._touched(key, part)
            whole = mask is None and part.area == TILE * TILE
            self._paint(key, None if whole else lambda mask=mask, part=part: _flat(mask, part), target, paintable)
            changed = changed.united(part)
        return changed

    def _paint(
        self, key: TileKey, places: "Callable[[], Places] | None", target: Constant, paintable: Paintable
    ) -> None:
        """Set the given places of one tile, all of them for None; a tile in which nothing changes is not opened."""
        tile, objects = self._document.raster.tile(key), paintable.objects
        if isinstance(tile, Constant):
            if tile == target or (objects is not None and not objects[tile.id]):
                return
            objects = None
        within = None if paintable.within is None else paintable.within(key)
        if places is None and within is None:
            free = None if objects is None else objects[expanded(tile)[0]].reshape(-1)
            if free is None or free.all():
                self._exchange(key, target)
                return
            where = np.flatnonzero(free)
        else:
            where = np.arange(TILE * TILE) if places is None else places()
            if within is not None:
                where = where[within.reshape(-1)[where]]
            if objects is not None:
                where = where[objects[expanded(tile)[0].reshape(-1)[where]]]
        if len(where):
            held = self._opened(key)
            held.ids.reshape(-1)[where] = target.id
            held.origins.reshape(-1)[where] = target.origin

    def commit(self) -> Edit | None:
        """End the gesture; None where it changed nothing, and then the document is as it was before.

        Where it fails half-way the gesture has not ended: `abort` takes all of it back.
        """
        self._check()
        raster = self._document.raster
        changes: dict[TileKey, TileChange] = {}
        # A stroke across a large image at fit touches a thousand tiles: no call here without need.
        for key, before in self._before.items():
            held, touched = self._open.get(key), self._within[key]
            within = Rect(touched.x - key[2] * TILE, touched.y - key[1] * TILE, touched.w, touched.h)
            if held is None:
                after = raster.tile(key)
            else:
                after = self._within_image(key, frozen(held.ids, held.origins, within))
            # What was painted just now is a constant where it could be one: that need not be read again.
            filled = held is not None and isinstance(before.tile, Constant) and isinstance(after, Dense)
            if not filled and same(before.tile, after, within):
                raster.restore(key, before)
            else:
                changes[key] = TileChange(before.tile, after, within)
        raster.put_all({key: change.after for key, change in changes.items()})
        if changes and self._document.status is Status.NEW:
            self.set_status(Status.IN_PROGRESS)
        rows = joined_rows(self._kept_rows(changes))
        self._ended = True
        edit = Edit(self._document.image, self._cause, changes, rows, self._tool, self._author)
        return None if edit.empty else edit

    def abort(self) -> dict[int, Rect]:
        """End the gesture as if it had never been; returns what has to be drawn again, by plane."""
        self._check()
        for key, before in self._before.items():
            self._document.raster.restore(key, before)
        for row in reversed(self._rows):
            self._take_back(row)
        self._ended = True
        return dict(self.rect)

    def _kept_rows(self, changes: dict[TileKey, TileChange]) -> list[RowChange]:
        """Rows without those of new objects that own no pixel."""
        used: set[int] = set()
        new = [row.key for row in self._rows if row.table is Table.OBJECTS and row.before is None]
        for change in changes.values():
            if len(used) == len(new):
                break
            used |= _present(change.after, [key for key in new if key not in used])
        kept: list[RowChange] = []
        # The newest first, so that each finds its id the last one given and hands it back.
        for row in reversed(self._rows):
            if row.table is Table.OBJECTS and row.before is None and row.key not in used:
                self._take_back(row)
            else:
                kept.append(row)
        return kept[::-1]

    def _take_back(self, row: RowChange) -> None:
        self._document.apply_row(row.inverted())
        if row.table is Table.OBJECTS and row.before is None and row.key == self._document.next_object - 1:
            # It was the newest id and no edit holds it: the next gesture may have it.
            self._document.next_object -= 1

    def _opened(self, key: TileKey) -> Dense:
        tile = self._open.get(key)
        if tile is None:
            if key not in self._before:
                self._before[key] = self._document.raster.memento(key)
            tile = Dense(*writable_copy(self._document.raster.tile(key)))
            self._open[key] = tile
            self._document.raster.put(key, tile)
        return tile

    def _exchange(self, key: TileKey, tile: Tile) -> None:
        if key not in self._before:
            self._before[key] = self._document.raster.memento(key)
        self._open.pop(key, None)
        self._document.raster.put(key, tile)

    def _part(self, key: TileKey) -> Rect:
        """The tile's pixels that belong to the image."""
        return tile_rect(*key[1:]).intersected(self._document.raster.bounds(key[0]))

    def _within_image(self, key: TileKey, tile: Tile) -> Tile:
        if tile is EMPTY or self._document.raster.is_whole(key):
            return tile
        part = self._part(key)
        ids, origins = writable_copy(tile)
        for array in (ids, origins):
            array[part.h :] = 0
            array[:, part.w :] = 0
        return frozen(ids, origins)

    def _touched(self, key: TileKey, rect: Rect) -> None:
        """Pixels of a tile may change: a rectangle of the plane."""
        if not rect.empty:
            plane = key[0]
            self.rect[plane] = self.rect[plane].united(rect) if plane in self.rect else rect
            self._within[key] = self._within[key].united(rect) if key in self._within else rect

    def _check(self) -> None:
        if self._ended:
            raise RuntimeError("the gesture has ended")


def _target(object_id: int, origin: Origin) -> Constant:
    return Constant(int(object_id), int(origin) if object_id else 0)


def _flat(mask: NDArray[np.bool_] | None, part: Rect) -> Places:
    """Places of a tile's pixels in a mask, None = all, that lie in `part` of the plane."""
    y, x = part.y % TILE, part.x % TILE
    if part.area == TILE * TILE and mask is not None:
        return np.flatnonzero(mask)
    inside = np.zeros((TILE, TILE), np.bool_)
    inside[y : y + part.h, x : x + part.w] = True if mask is None else mask[y : y + part.h, x : x + part.w]
    return np.flatnonzero(inside)


def _present(tile: Tile, ids: list[int]) -> set[int]:
    if not isinstance(tile, Dense):
        return {tile.id}.intersection(ids)
    if len(ids) < 8:
        return {i for i in ids if bool((tile.ids == i).any())}
    return set(np.unique(tile.ids).tolist()).intersection(ids)

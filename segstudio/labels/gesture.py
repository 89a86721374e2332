"""A gesture: the only writer of an Edit. It keeps a tile's content at first touch and ends once, by commit or abort.

While it lasts, the tiles it has touched are writable arrays inside the raster, so that the canvas sees every dab.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, ClassId, ObjectId, Origin, Status
from segstudio.labels.stroke import Spans, spans_mask
from segstudio.labels.tile import Dense, Tile, frozen, same, writable_copy

__all__ = ["Gesture"]


class Gesture:
    """Collects changes of one document until `commit` or `abort`; using it after that raises RuntimeError."""

    def __init__(self, document: Document, cause: Cause, *, tool: str = "", author: str = "") -> None:
        self._document = document
        self._cause = cause
        self._tool = tool
        self._author = author
        self._before: dict[TileKey, Tile] = {}
        self._open: dict[TileKey, Dense] = {}
        self._rows: list[RowChange] = []
        self._ended = False
        self.rect: dict[int, Rect] = {}

    @property
    def ended(self) -> bool:
        """Whether it was committed or aborted."""
        return self._ended

    def writable(self, key: TileKey) -> Dense:
        """The tile's arrays, to be written in place; its old content is kept at the first call."""
        self._check()
        tile = self._open.get(key)
        if tile is None:
            self._before[key] = old = self._document.raster.tile(key)
            tile = self._open[key] = Dense(*writable_copy(old))
            self._document.raster.put(key, tile)
        return tile

    def replace(self, key: TileKey, tile: Tile) -> None:
        """Put a whole new tile in place."""
        self._check()
        if key not in self._before:
            self._before[key] = self._document.raster.tile(key)
        self._open.pop(key, None)
        self._document.raster.put(key, tile)

    def new_object(self, class_id: ClassId) -> ObjectId:
        """A fresh object of a class. Should the gesture leave it without a pixel, it was never made."""
        self._check()
        object_id = ObjectId(self._document.next_object)
        row = RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id})
        self._document.apply_row(row)
        self._rows.append(row)
        return object_id

    def set_status(self, status: Status) -> None:
        """Change the image's status together with the pixels."""
        self._check()
        if status is not self._document.status:
            row = RowChange(
                Table.IMAGES, self._document.image, {"status": self._document.status.value}, {"status": status.value}
            )
            self._document.apply_row(row)
            self._rows.append(row)

    def paint_spans(
        self,
        plane: int,
        spans: Spans,
        object_id: int,
        origin: Origin,
        *,
        allowed: NDArray[np.bool_] | None = None,
        done: Spans | None = None,
    ) -> Rect:
        """Set object and origin in the covered pixels and return the rectangle that may have changed.

        `allowed` says by object id what may be changed (None = all). Pixels of `done`, painted by the last call of
        this gesture with the same values, are passed over tile by tile: with a large brush only the crescent that is
        new is written.
        """
        bounds = spans.bounds.intersected(self._document.raster.bounds(plane))
        changed = Rect(0, 0, 0, 0)
        for ty, tx in tiles_of(bounds):
            whole = tile_rect(ty, tx)
            part = whole.intersected(bounds)
            if done is not None and _covers(done, part):
                continue
            mask = spans_mask(spans, part)
            tile = self.writable((plane, ty, tx))
            rows = slice(part.y - whole.y, part.bottom - whole.y)
            columns = slice(part.x - whole.x, part.right - whole.x)
            ids, origins = tile.ids[rows, columns], tile.origins[rows, columns]
            if allowed is not None:
                mask &= allowed[ids]
            np.copyto(ids, np.uint32(object_id), where=mask)
            np.copyto(origins, np.uint8(origin), where=mask)
            changed = changed.united(part)
        if not changed.empty:
            self.rect[plane] = self.rect[plane].united(changed) if plane in self.rect else changed
        return changed

    def commit(self) -> Edit | None:
        """End the gesture; None where it changed nothing, and then the document is as it was before."""
        self._check()
        raster = self._document.raster
        changes: dict[TileKey, TileChange] = {}
        for key, before in self._before.items():
            held = self._open.get(key)
            after = raster.tile(key) if held is None else frozen(held.ids, held.origins)
            if same(before, after):
                raster.put(key, before)
            else:
                raster.put(key, after)
                changes[key] = TileChange(before, after)
        rows = self._kept_rows(changes)
        status = self._document.status
        if changes and status is Status.NEW:
            self.set_status(Status.IN_PROGRESS)
            rows.append(self._rows[-1])
        self._ended = True
        edit = Edit(self._document.image, self._cause, changes, tuple(rows), self._tool, self._author)
        return None if edit.empty else edit

    def abort(self) -> dict[int, Rect]:
        """End the gesture as if it had never been; returns what has to be drawn again, by plane."""
        self._check()
        for key, before in self._before.items():
            self._document.raster.put(key, before)
        for row in reversed(self._rows):
            self._take_back(row)
        self._ended = True
        return dict(self.rect)

    def _kept_rows(self, changes: dict[TileKey, TileChange]) -> list[RowChange]:
        """Rows without those of new objects that own no pixel."""
        used: set[int] = set()
        new = [row.key for row in self._rows if row.table is Table.OBJECTS and row.before is None]
        if new:
            for change in changes.values():
                used.update(_present(change.after, new))
        kept: list[RowChange] = []
        for row in self._rows:
            if row.table is Table.OBJECTS and row.before is None and row.key not in used:
                self._take_back(row)
            else:
                kept.append(row)
        return kept

    def _take_back(self, row: RowChange) -> None:
        self._document.apply_row(row.inverted())
        if row.table is Table.OBJECTS and row.before is None and row.key == self._document.next_object - 1:
            # It was the newest id and no edit holds it: the next gesture may have it.
            self._document.next_object -= 1

    def _check(self) -> None:
        if self._ended:
            raise RuntimeError("the gesture has ended")


def run_gesture(gesture: Gesture, work: Callable[[Gesture], None]) -> Edit | None:
    """Run `work` and commit; abort where it raises."""
    try:
        work(gesture)
    except BaseException:
        gesture.abort()
        raise
    return gesture.commit()


def _present(tile: Tile, ids: list[int]) -> set[int]:
    if not isinstance(tile, Dense):
        return {tile.id}.intersection(ids)
    if len(ids) < 8:
        return {i for i in ids if bool((tile.ids == i).any())}
    return set(np.unique(tile.ids).tolist()).intersection(ids)


def _covers(spans: Spans, rect: Rect) -> bool:
    first, last = rect.y - spans.top, rect.bottom - spans.top
    if first < 0 or last > len(spans.left):
        return False
    return bool((spans.left[first:last] <= rect.x).all() and (spans.right[first:last] >= rect.right).all())

"""Watches for objects that a stroke cuts in two, and offers to make them two objects."""

from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import Changed
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.edit import Edit, TileKey
from segstudio.labels.model import Cause, ObjectId
from segstudio.labels.paint.objects.cuts import cut_objects
from segstudio.labels.paint.objects.rights import separable_of
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Tile
from segstudio.text import count

__all__ = ["CutWatch"]

_REACH = 4 * TILE
"""How far around a stroke an object may reach to be looked at."""
_MOST_TILES = 256


class CutWatch(QObject):
    """`offered` are the objects that the last stroke cut; any other change of the labels takes the offer back."""

    def __init__(self, ground: Ground, documents: Documents, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices, self._documents, self._worker = ground.notices, documents, worker
        self.offered: frozenset[ObjectId] = frozenset()
        documents.changed.connect(self._changed)

    def _changed(self, change: Changed) -> None:
        opened = self._documents.current
        if change.seq is None or opened is None or change.image not in (None, opened.document.image):
            return
        self.offered = frozenset()
        edit = self._documents.recent.get(change.seq)
        if edit is not None and change.cause in (Cause.PAINT, Cause.ERASE):
            document = opened.document
            self._look(edit, change.seq, document.raster, document.class_lookup().copy(), document.lock_lookup().copy())

    def _look(
        self, edit: Edit, seq: int, raster: Raster, class_of: NDArray[np.int32], locked: NDArray[np.bool_]
    ) -> None:
        plane, classes = self._documents.plane, self._documents.classes
        within = _around(edit, plane).intersected(raster.bounds(plane))
        near = _part(raster, plane, within)
        if near is None:
            return
        sizes = raster.sizes

        def look() -> set[ObjectId]:
            if seq != self._documents.submitted:
                return set()  # painted on since: nobody waits for it
            part = Raster(sizes)
            part.prime(near)
            return cut_objects(part, plane, edit, separable_of(class_of, locked, classes), within)

        self._worker.submit(look, lambda future: self._looked(seq, future))

    def _looked(self, seq: int, future: "Future[set[ObjectId]]") -> None:
        refused = refusal(future)
        if refused is not None:
            self._notices.say(refused.line)
            return
        found = frozenset(future.result())
        if found and seq == self._documents.submitted and not self._documents.gesture_active:
            self.offered = found
            self._notices.say(
                count(
                    len(found),
                    "The object is in separate parts now: Shift+D makes each an object.",
                    "{n} objects are in separate parts now: Shift+D makes each part an object.",
                )
            )


def _around(edit: Edit, plane: int) -> Rect:
    found = Rect(0, 0, 0, 0)
    for key in edit.tiles:
        if key[0] == plane:
            found = found.united(tile_rect(*key[1:]))
    return found if found.empty else found.grown(_REACH)


def _part(raster: Raster, plane: int, rect: Rect) -> dict[TileKey, Tile] | None:
    """The tiles of a rectangle; None where they are many, or not all in memory: no disk is waited for."""
    if (rect.w // TILE + 2) * (rect.h // TILE + 2) > 2 * _MOST_TILES:
        return None  # not even counted: a stroke across a large image ends as quickly as any
    keys = [(plane, ty, tx) for ty, tx in tiles_of(rect)]
    tiles = {key: raster.peek(key) for key in keys} if len(keys) <= _MOST_TILES else {}
    if not tiles or None in tiles.values():
        return None
    return {key: tile for key, tile in tiles.items() if tile is not None}

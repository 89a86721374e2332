"""The owner of the table of objects of the plane on screen: measured on a worker while somebody looks at it.

Every tile's sums are kept, so that an edit measures the tiles that it touched and no others.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import Changed
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.measure.sums import Sums, added, tile_sums
from segstudio.labels.measure.table import ObjectTable, object_table
from segstudio.labels.model import ClassTable
from segstudio.labels.paint.region import Place
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Dense, Tile

__all__ = ["ObjectRows", "measured_tiles"]

_TOGETHER_MS = 60
"""Edits in quick succession are measured together."""


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """What a measurement is about: frozen, for the worker.

    `raster`, a copy, has the tiles that are not among `tiles`, or are None there; `tiles` None means every tile.
    """

    number: int
    raster: Raster | None
    plane: int
    tiles: Mapping[Place, Tile | None] | None
    known: Mapping[Place, Sums]
    display: DisplayImage
    class_of: NDArray[np.int32]
    locked: NDArray[np.bool_]
    classes: ClassTable


class ObjectRows(QObject):
    """`table` has a row an object, None while it is not known; `changed` says that it is another, or none.

    `sought` carries the box (`Rect`) of an object that somebody wants to see: the canvas shows it.
    """

    changed = Signal()
    sought = Signal(object)

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._notices, self._documents, self._navigation = ground.notices, documents, navigation
        self._worker = Worker("objects", ground.main)
        self.table: ObjectTable | None = None
        self._watched = False
        self._number = 0
        self._busy = False
        self._outdated = True
        self._of: tuple[Document, int, object] | None = None
        self._sums: dict[Place, Sums] = {}
        self._dirty: set[Place] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOGETHER_MS)
        self._soon.timeout.connect(self._measure)
        navigation.imageLoading.connect(lambda _path: self._forget())
        navigation.imageFailed.connect(lambda _path, _why: self._forget())
        navigation.imageShown.connect(self._shown)
        documents.changed.connect(self._labels_changed)
        documents.historyChanged.connect(self._go_on)
        documents.classesChanged.connect(self._classes_changed)

    @property
    def measuring(self) -> bool:
        """Whether rows are on their way."""
        return self._watched and self._of is not None and (self._busy or self._outdated)

    def watch(self, wanted: bool) -> None:
        """Measure from now on, or no longer: nothing is computed that nobody looks at."""
        self._watched = wanted
        if wanted:
            self._measure()

    def seek(self, rect: Rect) -> None:
        """Show this part of the image."""
        self.sought.emit(rect)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._watched = False
        self._soon.stop()
        self._number += 1
        self._worker.close(wait_s)

    # -- what is out of date -----------------------------------------------------------------------------------------

    def _forget(self) -> None:
        """No image is on screen, or another one soon."""
        self._number += 1
        self._busy, self._outdated = False, True
        self._of, self._dirty = None, None
        self._sums = {}
        if self.table is not None:
            self.table = None
            self.changed.emit()

    def _shown(self) -> None:
        current, display = self._documents.current, self._navigation.display
        if current is None or display is None:
            self._forget()
            return
        document, plane, samples = current.document, self._navigation.plane, display.stored
        if self._of is None or self._of[0] is not document or self._of[1] != plane:
            self._forget()
        elif self._of[2] is not samples:
            self._dirty = None  # other pixels under the same labels
        self._of = document, plane, samples
        self._outdated = True
        self._measure()

    def _labels_changed(self, change: Changed) -> None:
        if self._of is None or change.image != self._of[0].image:
            return
        document, plane, _samples = self._of
        if change.plane == plane and self._dirty is not None:
            self._dirty.update(tiles_of(change.rect.intersected(document.raster.bounds(plane))))
        self._outdated = True
        self._go_on()

    def _classes_changed(self) -> None:
        self._outdated = True
        self._go_on()

    def _go_on(self) -> None:
        """Measure soon, unless a gesture is under way: its end says so."""
        if self._watched and self._outdated and not self._documents.gesture_active and not self._soon.isActive():
            self._soon.start()

    # -- measuring ---------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        display = self._navigation.display
        if not self._watched or not self._outdated or self._busy or self._of is None or display is None:
            return
        if self._documents.gesture_active:
            return
        document, plane, _samples = self._of
        raster, dirty = document.raster, self._dirty
        tiles = None if dirty is None else {place: raster.peek((plane, *place)) for place in dirty}
        copy = raster.copy() if tiles is None or any(tile is None for tile in tiles.values()) else None
        known = {} if tiles is None else {place: sums for place, sums in self._sums.items() if place not in tiles}
        self._number += 1
        request = _Request(
            self._number,
            copy,
            plane,
            tiles,
            known,
            display,
            document.class_lookup().copy(),
            document.lock_lookup().copy(),
            self._documents.classes,
        )
        self._busy, self._outdated, self._dirty = True, False, set()
        self._worker.submit(lambda: _answer(request, self._is_late(request)), lambda f: self._arrived(request, f))
        self.changed.emit()

    def _is_late(self, request: _Request) -> Callable[[], bool]:
        return lambda: request.number != self._number

    def _arrived(self, request: _Request, future: "Future[tuple[dict[Place, Sums], ObjectTable] | None]") -> None:
        if request.number != self._number:
            return
        self._busy = False
        try:
            answer = future.result()
        except UserError as error:
            self._dirty = None
            self._notices.say(error.line)
            self.changed.emit()
            return
        if answer is not None:
            self._sums, self.table = answer
        self.changed.emit()
        self._go_on()


def _answer(request: _Request, late: Callable[[], bool]) -> tuple[dict[Place, Sums], ObjectTable] | None:
    """For the worker: the sums of all tiles, and the table; None where nobody waits any more."""
    channels = request.display.channels
    sums = dict(request.known)
    bounds = Rect(0, 0, *request.display.size)
    for place, tile in _tiles(request):
        if late():
            return None
        part = tile_rect(*place).intersected(bounds)
        found = tile_sums(tile, part, request.display.samples(0, part))
        if len(found.ids):
            sums[place] = found
        sleep(0)  # the hand goes first
    return sums, object_table(added(sums.values(), channels), request.class_of, request.classes, request.locked)


def _tiles(request: _Request) -> Iterator[tuple[Place, Tile]]:
    """The tiles to measure. One that is not in memory is not kept there either: a whole plane may not fit."""
    raster, plane = request.raster, request.plane
    found = request.tiles
    if found is None:
        assert raster is not None
        found = {key[1:]: raster.peek(key) for key in raster.keys(plane)}
    for place, tile in found.items():
        if tile is None:
            assert raster is not None
            tile = raster.look((plane, *place))
            if isinstance(tile, Dense):
                raster.drop((plane, *place))
        yield place, tile


def measured_tiles(raster: Raster, plane: int, samples: Callable[[Rect], NDArray[Any]], channels: int) -> Sums:
    """The sums of a whole plane at once; `samples(rect)` are the image's values (h, w, c) there."""
    bounds = raster.bounds(plane)
    parts: list[Sums] = []
    for key in raster.keys(plane):
        part = tile_rect(*key[1:]).intersected(bounds)
        tile = raster.look(key)
        labelled = isinstance(tile, Dense) or tile.id
        if labelled:
            parts.append(tile_sums(tile, part, samples(part)))
    return added(parts, channels)

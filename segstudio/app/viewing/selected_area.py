"""Where the selected objects are: found on a worker in a copy of the labels, so that the window can zoom to them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.geometry import Rect, tile_rect
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant
from segstudio.text import _

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["SelectedArea", "area_of"]


class SelectedArea(QObject):
    """`found` carries the rectangle of image pixels around what is selected on the plane shown, after `find`."""

    found = Signal(object)

    def __init__(self, ground: Ground, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._documents, self._notices = documents, ground.notices
        self._worker = Worker("selected", ground.main)
        self._number = 0

    def find(self) -> None:
        """Look for what is selected; says so where nothing is. The newest question counts."""
        opened, ids = self._documents.current, self._documents.selection.ids
        if opened is None or not ids:
            self._notices.say(_("Nothing is selected"))
            return
        self._number += 1
        number, plane, raster = self._number, self._documents.plane, opened.document.raster.copy()
        wanted = np.array(sorted(ids), np.uint32)

        def late() -> bool:
            return number != self._number

        def arrived(future: "Future[Rect | None]") -> None:
            failed = refusal(future)
            if number != self._number or self._documents.current is not opened or self._documents.plane != plane:
                return
            if failed is not None:
                self._notices.say(failed.line)
            elif (rect := future.result()) is None:
                self._notices.say(_("What is selected has no pixel on this image"))
            else:
                self.found.emit(rect)

        self._worker.submit(lambda: area_of(raster, plane, wanted, late), arrived)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker; nobody waits for an answer any more."""
        self._number += 1
        self._worker.close(wait_s)


def area_of(
    raster: Raster, plane: int, ids: "np.ndarray[tuple[int], np.dtype[np.uint32]]", late: Callable[[], bool]
) -> Rect | None:
    """The rectangle around all pixels of these objects on a plane; None where there is none, or it is too late."""
    around = Rect(0, 0, 0, 0)
    bounds = raster.bounds(plane)
    for key in raster.keys(plane):
        if late():
            return None
        part = tile_rect(*key[1:]).intersected(bounds)
        tile = raster.peek(key)
        if isinstance(tile, Constant):
            around = around.united(part) if tile.id in ids else around
            continue
        hit = np.isin(raster.read(plane, part)[0], ids)
        rows, columns = np.flatnonzero(hit.any(1)), np.flatnonzero(hit.any(0))
        if len(rows):
            left, top = part.x + int(columns[0]), part.y + int(rows[0])
            size = int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
            around = around.united(Rect(left, top, *size))
    return None if around.empty else around

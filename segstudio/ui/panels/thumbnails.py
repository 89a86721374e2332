"""Small pictures of images, decoded one at a time on a thread of their own, newest wish first.

Only what was asked for lately is kept; a wish that nobody waits for any more is dropped before it is decoded.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from segstudio.errors import UserError

__all__ = ["THUMBNAIL_H", "THUMBNAIL_W", "Thumbnails", "thumbnail"]

THUMBNAIL_W = 112
THUMBNAIL_H = 72
_KEPT = 600
_WISHES = 200
_LARGEST_PX = 64_000_000


def thumbnail(file: Path, width: int, height: int) -> QImage | None:
    """The first plane of an image, reduced to fill width x height pixels or less; None where it cannot be shown."""
    import cv2

    from segstudio.geometry import Rect
    from segstudio.imaging.display import auto_levels, to_rgb
    from segstudio.imaging.source import open_image

    source = open_image(file)
    try:
        plane = source.info.planes[0]
        if plane.width * plane.height > _LARGEST_PX:
            return None
        pixels = source.read(0, Rect(0, 0, plane.width, plane.height))
    finally:
        source.close()
    scale = min(1.0, max(width / plane.width, height / plane.height))
    size = (max(1, round(plane.width * scale)), max(1, round(plane.height * scale)))
    step = max(1, int(1 / scale) // 4)
    small = to_rgb(pixels[::step, ::step], auto_levels(pixels))
    small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    return QImage(small.tobytes(), size[0], size[1], 3 * size[0], QImage.Format.Format_RGB888).copy()


class Thumbnails(QObject):
    """`get` gives what is there and wishes for what is not; `ready` tells which row has come. Ends with `close`."""

    ready = Signal(int)
    _decoded = Signal(int, int, object)

    def __init__(self, file_of: Callable[[int], Path | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file_of = file_of
        self._kept: OrderedDict[int, QPixmap | None] = OrderedDict()
        self._wishes: OrderedDict[int, Path] = OrderedDict()
        self._lock = threading.Condition()
        # Rows being decoded, or decoded and not arrived yet: a repaint in between must not ask for them again.
        self._under_way: set[int] = set()
        self._generation = 0
        self._size = (THUMBNAIL_W, THUMBNAIL_H)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._decoded.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def get(self, row: int, ratio: float) -> QPixmap | None:
        """The picture of a row, for a screen of this many pixels a point; None while it is not there, or never."""
        if row in self._kept:
            self._kept.move_to_end(row)
            return self._kept[row]
        self._size = (round(THUMBNAIL_W * ratio), round(THUMBNAIL_H * ratio))
        file = self._file_of(row)
        if file is not None and not self._closed:
            self._wish(row, file)
        return None

    def clear(self) -> None:
        """Forget everything: another list of images is shown."""
        with self._lock:
            self._generation += 1
            self._under_way.clear()
            self._wishes.clear()
        self._kept.clear()

    def close(self) -> None:
        """End the thread; what it is decoding is dropped."""
        with self._lock:
            self._closed = True
            self._wishes.clear()
            self._lock.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _wish(self, row: int, file: Path) -> None:
        with self._lock:
            if row in self._under_way:
                return
            self._wishes[row] = file
            self._wishes.move_to_end(row)
            while len(self._wishes) > _WISHES:
                self._wishes.popitem(last=False)
            self._lock.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._wishes and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                row, file = self._wishes.popitem(last=True)
                self._under_way.add(row)
                generation, size = self._generation, self._size
            try:
                image = thumbnail(file, *size)
            except (UserError, OSError, ValueError, MemoryError) as error:
                import logging

                logging.getLogger(__name__).info("no thumbnail of %s: %s", file, error)
                image = None
            if not self._closed:
                self._decoded.emit(generation, row, image)

    def _arrived(self, generation: int, row: int, image: QImage | None) -> None:
        if generation != self._generation or self._closed:
            return
        with self._lock:
            self._under_way.discard(row)
        self._kept[row] = None if image is None else QPixmap.fromImage(image)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.ready.emit(row)

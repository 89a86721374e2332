"""Thumbnails of images, decoded one at a time on their own thread: newest wish first, large images last.

A thumbnail belongs to an image and its content, not to a place in a list. Only recently requested ones are kept; old
wishes are dropped before they are decoded.
"""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from segstudio.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.app.viewing.display import DisplayImage
    from segstudio.app.viewing.thumbnails import Wish

__all__ = ["THUMBNAIL_H", "THUMBNAIL_W", "Thumbnails"]

THUMBNAIL_W = 64
THUMBNAIL_H = 44
_KEPT = 600
_WISHES = 200


class Thumbnails(QObject):
    """`get` returns a thumbnail or requests it; `ready` announces that one has come. `close` ends the thread."""

    ready = Signal()
    _decoded = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[Wish, QPixmap | None] = OrderedDict()
        self._wishes: OrderedDict[Wish, None] = OrderedDict()
        self._large: OrderedDict[Wish, None] = OrderedDict()
        self._lock = threading.Condition()
        # Being decoded, or decoded but not arrived yet: a repaint in between must not request it again, and what the
        # screen gave meanwhile is taken out, so that it is neither decoded nor announced once more.
        self._under_way: set[Wish] = set()
        self._generation = 0
        self._size = (THUMBNAIL_W, THUMBNAIL_H)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._decoded.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def get(self, wish: "Wish", ratio: float) -> QPixmap | None:
        """The thumbnail for a screen with this pixel ratio; None if there is none, or none yet."""
        if wish in self._kept:
            self._kept.move_to_end(wish)
            return self._kept[wish]
        self._size = (round(THUMBNAIL_W * ratio), round(THUMBNAIL_H * ratio))
        if not self._closed:
            self._ask(wish)
        return None

    def pending(self, wish: "Wish") -> bool:
        """Whether a thumbnail may still come."""
        return wish not in self._kept

    def offer(self, wish: "Wish", display: "DisplayImage") -> None:
        """Make the thumbnail from the image on screen if there is none yet: nothing has to be decoded for it."""
        if self._kept.get(wish) is None and not self._closed:
            from segstudio.app.viewing.thumbnails import reduced_display

            with self._lock:
                self._wishes.pop(wish, None)
                self._large.pop(wish, None)
                self._under_way.discard(wish)
            self._keep(wish, _image(reduced_display(display, *self._size)))

    def clear(self) -> None:
        """Forget everything, because another project is shown."""
        with self._lock:
            self._generation += 1
            self._under_way.clear()
            self._wishes.clear()
            self._large.clear()
        self._kept.clear()

    def close(self) -> None:
        """End the thread and drop what it is decoding."""
        with self._lock:
            self._closed = True
            self._wishes.clear()
            self._large.clear()
            self._lock.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _ask(self, wish: "Wish") -> None:
        with self._lock:
            if wish in self._under_way:
                return
            wishes = self._large if wish in self._large else self._wishes
            wishes[wish] = None
            wishes.move_to_end(wish)
            while len(wishes) > _WISHES:
                wishes.popitem(last=False)
            self._lock.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not (self._wishes or self._large or self._closed):
                    self._lock.wait()
                if self._closed:
                    return
                first = bool(self._wishes)
                wish, _ = (self._wishes if first else self._large).popitem(last=True)
                self._under_way.add(wish)
                generation, size = self._generation, self._size
            if first and self._put_off(wish):
                continue
            image = _decode(wish, size)
            if not self._closed:
                self._decoded.emit(generation, wish, image)

    def _put_off(self, wish: "Wish") -> bool:
        """Whether it is not decoded now: a large image while small ones wait, or one that is not wanted any more."""
        from segstudio.app.viewing.thumbnails import is_large

        try:
            large = is_large(wish.stored)
        except (UserError, OSError):
            large = False  # decoding it will tell why there is none
        with self._lock:
            if wish not in self._under_way:
                return True
            if not large or not self._wishes:
                return False
            self._under_way.discard(wish)
            self._large[wish] = None
            return True

    def _arrived(self, generation: int, wish: "Wish", image: QImage | None) -> None:
        with self._lock:
            if generation != self._generation or self._closed or wish not in self._under_way:
                return
            self._under_way.discard(wish)
        self._keep(wish, image)

    def _keep(self, wish: "Wish", image: QImage | None) -> None:
        self._kept[wish] = None if image is None else QPixmap.fromImage(image)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.ready.emit()


def _decode(wish: "Wish", size: tuple[int, int]) -> QImage | None:
    from segstudio.app.viewing.thumbnails import reduced_file

    try:
        pixels = reduced_file(wish.stored, *size)
    except (UserError, OSError, ValueError, MemoryError) as error:
        import logging

        logging.getLogger(__name__).info("no thumbnail of %s: %s", wish.stored.first, error)
        return None
    return None if pixels is None else _image(pixels)


def _image(pixels: "NDArray[np.uint8]") -> QImage:
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()

"""The screen-sized buffer: the image, its labels and proposal, and the picture that both make.

Image and labels are layers of their own because a stroke changes only the upper one. What was drawn of either is
blended into the picture once, so that a repaint is a copy of opaque pixels; all three are moved by where they begin.
Parts that are out of date are recorded as rectangles and drawn once per frame, just before painting.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect
from PySide6.QtGui import QImage, QPainter

from segstudio.geometry import Rect
from segstudio.ui.canvas.layers.image import NEUTRAL
from segstudio.ui.canvas.scene import Scene
from segstudio.ui.canvas.sliding import Sliding
from segstudio.ui.canvas.viewport import Viewport

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["Frame", "Left"]

_MANY = 24
_MUCH_PX = 200_000
"""Device pixels of image that are worth another thread."""

_LARGE = 0.5
"""The share of the view from which on it is painted as a picture."""

_WASTE_PX = 12_000
"""Device pixels that are drawn for nothing sooner than a rectangle is drawn on its own: some 0.1 ms of either."""


@dataclass(frozen=True, slots=True)
class Left:
    """Why something is left to draw: labels that were `late`, for lack of time, and parts with `faults`."""

    late: bool = False
    faults: tuple[Exception, ...] = ()


class Frame:
    """Device pixels of the view as arrays (h, w) of uint32, and as the images that Qt paints."""

    def __init__(self) -> None:
        self._stale_ground: list[Rect] = []
        self._stale_overlay: list[Rect] = []
        self._unblended: list[Rect] = []
        self.left = Left()
        self.resize(1, 1, 1.0)

    def resize(self, width: int, height: int, ratio: float) -> None:
        """Set the size in device pixels; everything is then out of date."""
        self._ratio = ratio
        self._ground = Sliding(width, height, NEUTRAL)
        self._overlay = Sliding(width, height, 0)
        self._picture = Sliding(width, height, NEUTRAL)
        self._make_images()
        self._unblended.clear()
        self.spoil_all()

    @property
    def ground(self) -> NDArray[np.uint32]:
        """The image as 0xffRRGGBB (h, w)."""
        return self._ground.pixels

    @property
    def overlay(self) -> NDArray[np.uint32]:
        """Labels and proposal as 0xAARRGGBB (h, w), premultiplied."""
        return self._overlay.pixels

    @property
    def picture(self) -> NDArray[np.uint32]:
        """Both blended, as 0xffRRGGBB (h, w)."""
        self._blend()
        return self._picture.pixels

    @property
    def rect(self) -> Rect:
        """The whole buffer."""
        h, w = self._picture.pixels.shape
        return Rect(0, 0, w, h)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to draw."""
        return not self._stale_ground and not self._stale_overlay

    def spoil_all(self) -> None:
        """Mark everything as out of date."""
        self._stale_ground = [self.rect]
        self._stale_overlay = [self.rect]

    def spoil_ground(self, rect: Rect | None = None) -> None:
        """Mark the image as out of date within a rectangle, or everywhere."""
        _note(self._stale_ground, self.rect if rect is None else rect.intersected(self.rect))

    def spoil_overlay(self, rects: Iterable[Rect] | None = None) -> tuple[Rect, ...]:
        """Mark labels and proposal as out of date within rectangles, or everywhere; returns what is out of date now."""
        for rect in (self.rect,) if rects is None else rects:
            _note(self._stale_overlay, rect.intersected(self.rect))
        return tuple(self._stale_overlay)

    def scroll(self, dx: int, dy: int) -> None:
        """Move the picture; only the strips that come into view are out of date."""
        w, h = self.rect.w, self.rect.h
        if abs(dx) >= w or abs(dy) >= h:
            self.spoil_all()
            return
        self._blend()
        for layer in (self._ground, self._overlay, self._picture):
            layer.slide(dx, dy)
        self._make_images()
        for stale in (self._stale_ground, self._stale_overlay):
            moved = [rect.moved(dx, dy).intersected(self.rect) for rect in stale]
            stale[:] = [rect for rect in moved if not rect.empty]
            if dx:
                _note(stale, Rect(0 if dx > 0 else w + dx, 0, abs(dx), h))
            if dy:
                _note(stale, Rect(0, 0 if dy > 0 else h + dy, w, abs(dy)))

    def catch_up(self, scene: Scene, viewport: Viewport, deadline: float = inf) -> bool:
        """Draw what is out of date; returns False if the deadline (`time.perf_counter`) or a fault left something.

        Parts that fail stay out of date, to be tried again at the next call; the rest is still drawn. `left` says why
        something is left.
        """
        faults: list[Exception] = []
        late = False
        for rect in (*self._stale_ground, *self._stale_overlay):
            _note(self._unblended, rect)

        def ground(rect: Rect) -> list[Rect]:
            scene.image.draw(viewport.transform, rect, self.ground)
            return []

        def overlay(rect: Rect) -> list[Rect]:
            nonlocal late
            drawn = scene.draw_labels(viewport.transform, rect, self.overlay, deadline)
            late = late or bool(drawn.late)
            faults.extend(drawn.faults)
            return [viewport.covering(part, 2) for part in (*drawn.late, *drawn.unread)]

        beside = self._stale_overlay and sum(rect.area for rect in self._stale_ground) > _MUCH_PX
        # The two share nothing: NumPy and OpenCV let another thread run meanwhile.
        drawing = _beside().submit(_drawn, self._stale_ground, ground) if beside else None
        found = _drawn(self._stale_overlay, overlay)
        under = _drawn(self._stale_ground, ground) if drawing is None else drawing.result()
        for stale, (left, errors) in ((self._stale_ground, under), (self._stale_overlay, found)):
            faults.extend(errors)
            stale.clear()
            for part in left:
                _note(stale, part.intersected(self.rect))
        self.left = Left(late, tuple(faults))
        return self.up_to_date

    def paint(self, painter: QPainter, part: Rect) -> None:
        """Paint a part, in device pixels, at the origin of the widget. A small one is blended on its way, as a brush
        needs it; the picture is made where all of it is to be seen."""
        if self._unblended and part.area < self.rect.area * _LARGE:
            painter.drawImage(QPointF(0, 0), self._shown_under)
            painter.drawImage(QPointF(0, 0), self._shown_above)
            return
        self._blend()
        painter.drawImage(QPointF(0, 0), self._shown)

    def _blend(self) -> None:
        """Make the picture anew where it is out of date. Qt does it faster than NumPy could."""
        if not self._unblended:
            return
        painter = QPainter(self._target)
        try:
            for rect in self._unblended:
                at, part = QPoint(rect.x, rect.y), QRect(rect.x, rect.y, rect.w, rect.h)
                painter.drawImage(at, self._under, part)
                painter.drawImage(at, self._above, part)
        finally:
            painter.end()
        self._unblended.clear()

    def _make_images(self) -> None:
        """The same memory as images: three in which a pixel is a pixel, and those that are painted."""
        self._under = _image(self.ground, QImage.Format.Format_RGB32)
        self._above = _image(self.overlay, QImage.Format.Format_ARGB32_Premultiplied)
        self._target = _image(self._picture.pixels, QImage.Format.Format_RGB32)
        self._shown = _image(self._picture.pixels, QImage.Format.Format_RGB32, self._ratio)
        self._shown_under = _image(self.ground, QImage.Format.Format_RGB32, self._ratio)
        self._shown_above = _image(self.overlay, QImage.Format.Format_ARGB32_Premultiplied, self._ratio)


def _drawn(stale: Iterable[Rect], draw: Callable[[Rect], list[Rect]]) -> tuple[list[Rect], list[Exception]]:
    """Draw rectangles; those that are left, and the faults, which keep nothing else from being drawn."""
    left: list[Rect] = []
    faults: list[Exception] = []
    for rect in stale:
        try:
            left.extend(draw(rect))
        except Exception as error:  # noqa: BLE001 - passed on, and the rest of the picture is drawn
            faults.append(error)
            left.append(rect)
    return left, faults


@cache
def _beside() -> "ThreadPoolExecutor":
    """The thread that draws images while labels are drawn: one for all windows, since they draw one after the other."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="canvas-draw")


def _image(layer: NDArray[np.uint32], form: QImage.Format, ratio: float = 1.0) -> QImage:
    height, width = layer.shape
    image = QImage(layer.data, width, height, width * 4, form)
    image.setDevicePixelRatio(ratio)
    return image


def _note(stale: list[Rect], rect: Rect) -> None:
    """Add a rectangle, merging rectangles that are close together, or all of them if there are many."""
    if rect.empty:
        return
    apart: list[Rect] = []
    area = rect.w * rect.h
    for other in stale:
        both = rect.united(other)
        if both.w * both.h <= area + other.w * other.h + _WASTE_PX:
            rect, area = both, both.w * both.h
        else:
            apart.append(other)
    if len(apart) >= _MANY:
        for other in apart:
            rect = rect.united(other)
        apart = []
    stale[:] = [*apart, rect]

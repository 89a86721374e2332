"""The outline of the brush: a circle, or square, of exactly its radius, in two tones to show on any background."""

from dataclasses import dataclass
from math import ceil, sqrt

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QRegion

__all__ = ["Ring", "RingPen"]

_DARK = QColor(0, 0, 0, 150)
_LIGHT = QColor(255, 255, 255, 235)
_DARK_PX = 3.0
_LIGHT_PX = 1.25
_TINY_PX = 3.0
_ARM_PX = 7.0
_GAP_PX = 3.0
_MARGIN_PX = 3
_LARGEST_KEPT_PX = 600


@dataclass(frozen=True, slots=True)
class Ring:
    """Centre and radius in view pixels; a radius too small to see gets a cross around it."""

    x: float
    y: float
    radius: float
    square: bool = False

    @property
    def tiny(self) -> bool:
        """Whether the circle is too small to see on its own."""
        return self.radius < _TINY_PX

    @property
    def reach(self) -> float:
        """How far from the centre pixels may be coloured."""
        return (self.radius + _GAP_PX + _ARM_PX if self.tiny else self.radius) + _MARGIN_PX

    def region(self) -> QRegion:
        """The pixels it may cover: its surroundings, without an inner square that it never reaches."""
        reach = self.reach
        outer = QRectF(self.x - reach, self.y - reach, 2 * reach, 2 * reach).toAlignedRect()
        half = int((self.radius - _MARGIN_PX) / (1 if self.square else sqrt(2))) - 1
        if half < 8:
            return QRegion(outer)
        inner = QRect(round(self.x) - half, round(self.y) - half, 2 * half, 2 * half)
        return QRegion(outer).subtracted(QRegion(inner))

    def paint(self, painter: QPainter) -> None:
        """Draw a dark broad line, then a light fine one on top."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_DARK, _DARK_PX), (_LIGHT, _LIGHT_PX)):
            painter.setPen(QPen(color, width))
            if self.square:
                painter.drawRect(QRectF(self.x - self.radius, self.y - self.radius, 2 * self.radius, 2 * self.radius))
            else:
                painter.drawEllipse(QPointF(self.x, self.y), self.radius, self.radius)
            if self.tiny:
                painter.drawLines(self._cross())

    def _cross(self) -> list[QLineF]:
        near, far = self.radius + _GAP_PX, self.radius + _GAP_PX + _ARM_PX
        return [
            QLineF(self.x + dx * near, self.y + dy * near, self.x + dx * far, self.y + dy * far)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]


class RingPen:
    """Paints rings; keeps the picture of the last one, because smooth circles are slow and a brush moves a lot.

    The centre is therefore rounded to a whole device pixel; the radius is exact.
    """

    def __init__(self) -> None:
        self._key = (0.0, 0.0, False)
        self._picture = QImage()

    def paint(self, painter: QPainter, ring: Ring, ratio: float) -> None:
        """Paint a ring on a screen with `ratio` device pixels per view pixel."""
        half = ceil(ring.reach * ratio)
        if half > _LARGEST_KEPT_PX:
            ring.paint(painter)
            return
        key = (ring.radius, ratio, ring.square)
        if self._key != key:
            self._key = key
            self._picture = _picture(ring, half, ratio)
        corner = QPointF((round(ring.x * ratio) - half) / ratio, (round(ring.y * ratio) - half) / ratio)
        painter.drawImage(corner, self._picture)


def _picture(ring: Ring, half: int, ratio: float) -> QImage:
    picture = QImage(2 * half, 2 * half, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    picture.setDevicePixelRatio(ratio)
    painter = QPainter(picture)
    Ring(half / ratio, half / ratio, ring.radius, ring.square).paint(painter)
    painter.end()
    return picture

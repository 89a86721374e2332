"""The brush's outline: a circle of exactly the brush's radius in two tones, so that it reads on any ground."""

from dataclasses import dataclass
from math import sqrt

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QRegion

__all__ = ["Ring"]

_DARK = QColor(0, 0, 0, 150)
_LIGHT = QColor(255, 255, 255, 235)
_DARK_PX = 3.0
_LIGHT_PX = 1.25
_TINY_PX = 3.0
_ARM_PX = 7.0
_GAP_PX = 3.0
_MARGIN_PX = 3


@dataclass(frozen=True, slots=True)
class Ring:
    """Centre and radius in view pixels; around a radius too small to see stands a cross."""

    x: float
    y: float
    radius: float

    @property
    def tiny(self) -> bool:
        """Whether the circle is too small to be seen by itself."""
        return self.radius < _TINY_PX

    def region(self) -> QRegion:
        """The pixels it may cover: all around it, without a square inside that it never reaches."""
        reach = (self.radius + _GAP_PX + _ARM_PX if self.tiny else self.radius) + _MARGIN_PX
        outer = QRectF(self.x - reach, self.y - reach, 2 * reach, 2 * reach).toAlignedRect()
        half = int((self.radius - _MARGIN_PX) / sqrt(2)) - 1
        if half < 8:
            return QRegion(outer)
        inner = QRect(round(self.x) - half, round(self.y) - half, 2 * half, 2 * half)
        return QRegion(outer).subtracted(QRegion(inner))

    def paint(self, painter: QPainter) -> None:
        """Dark and broad, then light and fine upon it."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_DARK, _DARK_PX), (_LIGHT, _LIGHT_PX)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(QPointF(self.x, self.y), self.radius, self.radius)
            if self.tiny:
                painter.drawLines(self._cross())

    def _cross(self) -> list[QLineF]:
        near, far = self.radius + _GAP_PX, self.radius + _GAP_PX + _ARM_PX
        return [
            QLineF(self.x + dx * near, self.y + dy * near, self.x + dx * far, self.y + dy * far)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]

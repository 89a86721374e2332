"""The layer of a close look: lines between pixels, and closer still their values. It draws with the painter, for there
are few pixels in view then.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from segstudio.geometry import Rect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.ui.canvas.compose import Pixels
    from segstudio.ui.canvas.viewport import Viewport

__all__ = ["LINES_FROM", "VALUES_FROM", "PixelGrid", "value_words"]

LINES_FROM = 8.0
"""View pixels per image pixel from which on lines are drawn."""
VALUES_FROM = 48.0
"""The same for values."""

_LINE = QColor(128, 128, 128, 110)
_FONT_PX = 10
_MOST_CHANNELS = 3
_BRIGHT = 140


class PixelGrid:
    """`shown` is a person's choice."""

    def __init__(self) -> None:
        self.shown = True

    def paint(self, painter: QPainter, part: QRect, viewport: "Viewport", pixels: "Pixels") -> None:
        """Draw what belongs into a part of the view, in view pixels."""
        if not self.shown or viewport.scale < LINES_FROM:
            return
        at = viewport.to_image(part.x(), part.y()), viewport.to_image(part.right() + 1, part.bottom() + 1)
        inside = Rect.of_edges(*at[0], *at[1]).intersected(Rect(0, 0, *pixels.size))
        if inside.empty:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        _paint_lines(painter, inside, viewport)
        if viewport.scale >= VALUES_FROM and pixels.channels <= _MOST_CHANNELS:
            _paint_values(painter, inside, viewport, pixels)


def _paint_lines(painter: QPainter, inside: Rect, viewport: "Viewport") -> None:
    left, top = viewport.to_view(inside.x, inside.y)
    right, bottom = viewport.to_view(inside.right, inside.bottom)
    step = viewport.scale
    upright = [QLineF(left + n * step, top, left + n * step, bottom) for n in range(inside.w + 1)]
    level = [QLineF(left, top + n * step, right, top + n * step) for n in range(inside.h + 1)]
    painter.setPen(QPen(_LINE, 0))
    painter.drawLines(upright + level)


def _paint_values(painter: QPainter, inside: Rect, viewport: "Viewport", pixels: "Pixels") -> None:
    from segstudio.imaging.display import to_rgb

    samples = pixels.samples(0, inside)
    shown = to_rgb(samples, pixels.view)
    font = QFont(painter.font())
    font.setPixelSize(_FONT_PX)
    painter.setFont(font)
    left, top = viewport.to_view(inside.x, inside.y)
    step = viewport.scale
    for row in range(inside.h):
        for column in range(inside.w):
            bright = float(shown[row, column].mean()) > _BRIGHT
            painter.setPen(Qt.GlobalColor.black if bright else Qt.GlobalColor.white)
            box = QRectF(left + column * step, top + row * step, step, step)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, value_words(samples[row, column]))


def value_words(value: "NDArray[np.generic]") -> str:
    """The value of a pixel (channels,), a channel a line."""
    return "\n".join(f"{part:.4g}" if isinstance(part, float) else str(part) for part in value.tolist())

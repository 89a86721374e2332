"""The outline of what a dab would paint: from a zoom on at which pixels are seen, along their very edges."""

from dataclasses import dataclass
from math import ceil, floor

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF, QRegion

from segstudio.geometry import Rect, ViewTransform
from segstudio.ui.canvas.brush_cursor import Ring

__all__ = ["PixelOutline", "outline_of"]

_SEEN_PX = 3.0
"""View pixels an image pixel from which its edges are followed; below, circle and staircase look the same."""

_MOST_ROWS = 512
_MARGIN_PX = 3
_DARK, _DARK_PX = QColor(0, 0, 0, 150), 3.0
_LIGHT, _LIGHT_PX = QColor(255, 255, 255, 235), 1.25


@dataclass(frozen=True, slots=True)
class PixelOutline:
    """A closed line through corners of pixels, in view pixels; `inner` is a rectangle that it never enters."""

    points: tuple[tuple[float, float], ...]
    inner: tuple[float, float, float, float]

    def region(self) -> QRegion:
        """The view pixels it may cover."""
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        outer = QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)).toAlignedRect()
        region = QRegion(outer.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX))
        x, y, w, h = self.inner
        if w > 4 * _MARGIN_PX and h > 4 * _MARGIN_PX:
            inside = QRectF(x, y, w, h).toAlignedRect()
            edge = _MARGIN_PX + 1
            region = region.subtracted(QRegion(inside.adjusted(edge, edge, -edge, -edge)))
        return region

    def paint(self, painter: QPainter) -> None:
        """Draw a dark broad line, then a light fine one on top."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        polygon = QPolygonF([QPointF(x, y) for x, y in self.points])
        for color, width in ((_DARK, _DARK_PX), (_LIGHT, _LIGHT_PX)):
            painter.setPen(QPen(color, width))
            painter.drawPolygon(polygon)


def outline_of(
    at: tuple[float, float], radius: float, transform: ViewTransform, ratio: float, *, square: bool
) -> Ring | PixelOutline:
    """The outline of a brush at an image position, its radius in image pixels, on a screen of this pixel ratio."""
    scale = transform.scale / ratio
    x, y = (value / ratio for value in transform.to_view(*at))
    ring = Ring(x, y, radius * scale, square)
    if scale < _SEEN_PX or 2 * radius > _MOST_ROWS:
        return ring
    from segstudio.labels.paint.stroke import capsule_spans, square_spans

    reach = ceil(radius) + 2
    clip = Rect(floor(at[0]) - reach, floor(at[1]) - reach, 2 * reach + 2, 2 * reach + 2)
    spans = (square_spans if square else capsule_spans)(at, at, radius, clip)
    rows = [
        (spans.top + row, int(left), int(right))
        for row, (left, right) in enumerate(zip(spans.left, spans.right, strict=True))
        if right > left
    ]
    if not rows:
        return ring  # between all centres: a click would paint nothing
    down: list[tuple[float, float]] = []
    up: list[tuple[float, float]] = []
    for top, left, right in rows:
        down += [(right, top), (right, top + 1)]
        up += [(left, top), (left, top + 1)]
    corners = [transform.to_view(*corner) for corner in (*down, *reversed(up))]
    half = radius * (1.0 if square else 0.7071)
    low = transform.to_view(ceil(at[0] - half + 0.5), ceil(at[1] - half + 0.5))
    high = transform.to_view(floor(at[0] + half - 0.5), floor(at[1] + half - 0.5))
    inner = (low[0] / ratio, low[1] / ratio, (high[0] - low[0]) / ratio, (high[1] - low[1]) / ratio)
    return PixelOutline(tuple((u / ratio, v / ratio) for u, v in corners), inner)

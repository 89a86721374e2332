"""The layer of the active tool: draws its overlay, with shapes in image coordinates and line widths in view pixels.

Lines are drawn in two tones, a light one between two dark ones, so that they show on any background.
"""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QRegion,
    QTransform,
)

from segstudio.app.editing.tools.overlay import Circle, Handles, Overlay, Patch, Polyline, Shape, Words
from segstudio.geometry import Rect, ViewTransform

__all__ = ["ToolLayer", "to_view"]

_DARK = QColor(0, 0, 0, 110)
_LIGHT = QColor(255, 255, 255, 250)
_HOT = QColor(255, 196, 0)
_DASHES = [5.0, 4.0]
_HANDLE_PX = 4.0
_HOT_PX = 5.5
_MARGIN_PX = 8
_FILL_ALPHA = 70
_PATCH_ALPHA = 115
_PLATE = QColor(0, 0, 0, 190)
_AWAY_PX = 16.0
"""How far words stand from their point, right of it and below where there is room."""
_PADDING_PX = (6.0, 3.0)


class ToolLayer:
    """Shapes, prepared once when they arrive and mapped to the view when painted."""

    def __init__(self) -> None:
        self._shown: list[tuple[Shape, QPainterPath | QImage]] = []

    @property
    def empty(self) -> bool:
        """Whether nothing is shown."""
        return not self._shown

    def show(self, overlay: Overlay, view: QTransform) -> QRegion:
        """Show other shapes; returns the view pixels to repaint, without those of shapes that were already there."""
        before = self._shown
        kept = {id(shape): (shape, made) for shape, made in before}
        self._shown = [kept[id(shape)] if id(shape) in kept else (shape, _prepared(shape)) for shape in overlay]
        now = {id(shape) for shape in overlay}
        region = QRegion()
        for shape, made in before:
            if id(shape) not in now:
                region = region.united(_reach(shape, made, view))
        for shape, made in self._shown:
            if id(shape) not in kept:
                region = region.united(_reach(shape, made, view))
        return region

    def paint(self, painter: QPainter, view: QTransform) -> None:
        """Draw everything; `view` maps image to view pixels."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        exposed = _exposed(painter)
        for shape, made in self._shown:
            if exposed is not None and not exposed.intersects(_around(shape, made, view)):
                continue
            if isinstance(made, QImage):
                painter.drawImage(view.mapRect(_bounds(shape, made)), made)
            elif isinstance(shape, Handles):
                _paint_handles(painter, shape, view)
            elif isinstance(shape, Words):
                _paint_words(painter, shape, view)
            elif isinstance(shape, Polyline | Circle):
                _paint_line(painter, shape, view.map(made))


def to_view(transform: ViewTransform, ratio: float) -> QTransform:
    """The transform from image to view pixels on a screen with `ratio` device pixels per view pixel."""
    scale = transform.scale / ratio
    return QTransform(scale, 0, 0, scale, transform.dx / ratio, transform.dy / ratio)


def _prepared(shape: Shape) -> QPainterPath | QImage:
    if isinstance(shape, Patch):
        return _tinted(shape)
    path = QPainterPath()
    if isinstance(shape, Words):
        return path
    if isinstance(shape, Circle):
        path.addEllipse(QPointF(shape.x, shape.y), shape.radius, shape.radius)
    else:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in shape.points]))
        if isinstance(shape, Polyline) and shape.closed:
            path.closeSubpath()
    return path


def _tinted(patch: Patch) -> QImage:
    import numpy as np

    color = QColor(patch.color)
    # Premultiplied, as it is drawn; a product is faster than a choice for each pixel.
    red, green, blue = (part * _PATCH_ALPHA // 255 for part in (color.red(), color.green(), color.blue()))
    shade = np.uint32(_PATCH_ALPHA << 24 | red << 16 | green << 8 | blue)
    pixels = np.multiply(patch.mask, shade, dtype=np.uint32)
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _bounds(shape: Shape, made: QPainterPath | QImage) -> QRectF:
    """In image coordinates."""
    if isinstance(shape, Patch):
        rect: Rect = shape.rect
        return QRectF(rect.x, rect.y, rect.w, rect.h)
    assert isinstance(made, QPainterPath)
    return made.controlPointRect()


def _around(shape: Shape, made: QPainterPath | QImage, view: QTransform) -> QRect:
    """The view pixels around a shape and its lines."""
    if isinstance(shape, Words):
        plate = _plate(shape, view)
        rect = plate.united(plate.translated(_to_other_side(plate))).toAlignedRect()
    else:
        rect = view.mapRect(_bounds(shape, made)).toAlignedRect()
    return rect.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX)


def _reach(shape: Shape, made: QPainterPath | QImage, view: QTransform) -> QRegion:
    return QRegion(_around(shape, made, view))


def _exposed(painter: QPainter) -> QRect | None:
    """The view pixels that are being painted; None where that is everything."""
    clip = painter.paintEngine().systemClip()
    whole, _possible = painter.deviceTransform().inverted()
    return None if clip.isEmpty() else whole.mapRect(QRectF(clip.boundingRect())).toAlignedRect()


def _paint_line(painter: QPainter, shape: Polyline | Circle, path: QPainterPath) -> None:
    if shape.fill:
        color = QColor(shape.fill)
        color.setAlpha(_FILL_ALPHA)
        # Its border lies under the line. Smooth, it would take twenty times as long.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillPath(path, color)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    if isinstance(shape, Polyline) and not shape.stroked:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ratio = painter.device().devicePixelRatio()
    for color, offsets in zip((_DARK, _LIGHT), _line_offsets(max(round(ratio), 1)), strict=True):
        painter.setPen(_hair(color, shape.dashed))
        for dx, dy in offsets:
            painter.drawPath(path.translated(dx / ratio, dy / ratio))


def _hair(color: QColor, dashed: bool) -> QPen:
    """A pen one device pixel wide. Qt draws a broad smooth line as an area, which takes fifty times as long."""
    pen = QPen(color, 1)
    pen.setCosmetic(True)
    if dashed:
        pen.setDashPattern(_DASHES)
    return pen


@lru_cache
def _line_offsets(width: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Where hairs lie that make up a dark line and the light one on it, `width` device pixels wide, by their middle."""
    if width == 1:
        # A single smooth hair is half as light between two rows of pixels, and thin where it is diagonal.
        return ((-1, 0), (1.5, 0), (0, -1), (0, 1.5)), ((0, 0), (0.5, 0), (0, 0.5))
    middle = (width - 1) / 2
    steps = [n - middle for n in range(width)]
    light = tuple((x, y) for x in steps for y in steps if abs(x) == middle or abs(y) == middle)
    out = middle + 1
    dark = tuple(place for n in steps for place in ((-out, n), (out, n), (n, -out), (n, out)))
    return dark, light


def _plate(words: Words, view: QTransform) -> QRectF:
    """What is behind the words, in view pixels."""
    metrics, at = QFontMetricsF(QGuiApplication.font()), view.map(QPointF(words.x, words.y))
    across, along = _PADDING_PX
    width, height = metrics.horizontalAdvance(words.text) + 2 * across, metrics.height() + 2 * along
    return QRectF(at.x() + _AWAY_PX, at.y() + _AWAY_PX, width, height)


def _to_other_side(plate: QRectF) -> QPointF:
    """The way to the left of the point and above it, for one at the border of the view."""
    return QPointF(-plate.width() - 2 * _AWAY_PX, -plate.height() - 2 * _AWAY_PX)


def _paint_words(painter: QPainter, words: Words, view: QTransform) -> None:
    plate, seen = _plate(words, view), QRectF(painter.window())
    to = _to_other_side(plate)
    over_x, over_y = plate.right() > seen.right(), plate.bottom() > seen.bottom()
    plate = plate.translated(to.x() if over_x else 0, to.y() if over_y else 0)
    painter.setFont(QGuiApplication.font())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(_LIGHT)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words.text)


def _paint_handles(painter: QPainter, shape: Handles, view: QTransform) -> None:
    painter.setPen(QPen(_DARK, 1))
    for index, point in enumerate(shape.points):
        hot = index == shape.hot
        half = _HOT_PX if hot else _HANDLE_PX
        at = view.map(QPointF(*point))
        painter.setBrush(_HOT if hot else _LIGHT)
        painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))

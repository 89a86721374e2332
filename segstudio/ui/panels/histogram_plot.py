"""The histogram of the image on screen, with the values that are shown as black and as white as two handles."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QWidget

from segstudio.text import _
from segstudio.ui.theme import current_theme

if TYPE_CHECKING:
    from segstudio.imaging.histogram import Histogram

__all__ = ["HistogramPlot"]

_HEIGHT = 72
_EDGE = 6
_NEAR_PX = 8.0
_ALPHA = 130
_LEAST_SHARE = 1 / 1000
"""The handles stay this share of the plot's range apart."""
_OVERSHOOT = 4
"""Bins higher than this many times the mean of those that are not empty are cut off."""


class HistogramPlot(QFrame):
    """`dragged` carries the values for black and white that a handle was drawn to; between them, both move."""

    dragged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogramPlot")
        self.setAccessibleName(_("Histogram"))
        self.setToolTip(_("Drag a line, or what lies between the two: values left of it are black, right of it white"))
        self.setProperty("role", "plot")
        self.setFixedHeight(_HEIGHT)
        self.setMouseTracking(True)
        self._found: Histogram | None = None
        self._heights: list[list[float]] = []
        self._colours: tuple[str | None, ...] = ()
        self._levels = (0.0, 1.0)
        self._held: tuple[bool, bool] | None = None
        self._from = (0.0, 0.0, 0.0)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(160, _HEIGHT)

    def show_colours(self, colours: tuple[str | None, ...]) -> None:
        """Draw the channels in other colours, '' for the theme's; one with None is not drawn."""
        if colours != self._colours:
            self._colours = colours
            self.update()

    def show_histogram(self, found: "Histogram | None", colours: tuple[str | None, ...]) -> None:
        """Show another one, with the colours of its channels."""
        self._found, self._colours = found, colours
        self._heights = [] if found is None else _heights(found)
        self.update()

    def show_levels(self, low: float, high: float) -> None:
        """Place the handles."""
        self._levels = low, high
        self.update()

    def place_of(self, value: float) -> float:
        """Where a value is, in pixels from the left; one beyond the plot is at its edge."""
        low, high = self._range
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return _EDGE + share * (self.width() - 2 * _EDGE)

    @property
    def _range(self) -> tuple[float, float]:
        return self._levels if self._found is None else (self._found.low, self._found.high)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle that is near, or both from between them."""
        if event.button() is Qt.MouseButton.LeftButton and self._found is not None:
            self._held = self._at(event.position().x())
            self._from = (event.position().x(), *self._levels)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw what is held along."""
        x = event.position().x()
        if self._held is None:
            found = None if self._found is None else self._at(x)
            shape = (
                Qt.CursorShape.SplitHCursor if found in ((True, False), (False, True)) else Qt.CursorShape.ArrowCursor
            )
            self.setCursor(shape if found != (True, True) else Qt.CursorShape.SizeHorCursor)
            return
        low, high = self._range
        moved = (x - self._from[0]) / max(1, self.width() - 2 * _EDGE) * (high - low)
        least = (high - low) * _LEAST_SHARE
        black = self._from[1] + moved * self._held[0]
        white = self._from[2] + moved * self._held[1]
        if self._held == (True, False):
            black = min(black, white - least)
        elif self._held == (False, True):
            white = max(white, black + least)
        self.dragged.emit(black, white)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._held = None

    def _at(self, x: float) -> tuple[bool, bool] | None:
        """Which of the two a press there takes."""
        black, white = map(self.place_of, self._levels)
        near = [abs(x - black), abs(x - white)]
        if min(near) <= _NEAR_PX:
            # Where one lies upon the other, the side of the pointer decides.
            first = near[0] < near[1] or (near[0] == near[1] and x <= black)
            return first, not first
        return (True, True) if black < x < white else None

    def changeEvent(self, event: QEvent) -> None:
        """Draw in other colours where the style is another."""
        super().changeEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, the histogram of each channel, and the handles."""
        super().paintEvent(event)
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = QRectF(_EDGE, 4, self.width() - 2 * _EDGE, self.height() - 8)
        for heights, colour in zip(self._heights, self._colours, strict=False):
            if colour is None:
                continue
            fill = QColor(colour or theme.muted)
            fill.setAlpha(_ALPHA)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(_outline(heights, inner))
        if self._found is not None:
            self._paint_handles(painter, inner)
        painter.end()

    def _paint_handles(self, painter: QPainter, inner: QRectF) -> None:
        theme = current_theme()
        black, white = map(self.place_of, self._levels)
        painter.setPen(QPen(QColor(theme.accent), 1))
        painter.drawLine(QPointF(black, inner.bottom()), QPointF(white, inner.top()))
        for x, fill in ((black, "#000000"), (white, "#ffffff")):
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.drawLine(QPointF(x, inner.top()), QPointF(x, inner.bottom()))
            painter.setBrush(QColor(fill))
            painter.drawEllipse(QPointF(x, inner.bottom() - 3), 4, 4)


def _heights(found: "Histogram") -> list[list[float]]:
    """Each bin's share, 0 to 1, of the plot's height: a background that fills most of a picture must not flatten the
    rest, so what stands out is cut off, and the root is drawn."""
    shown: list[list[float]] = []
    for counts in found.counts:
        filled = counts[counts > 0]
        top = min(float(counts.max()), _OVERSHOOT * float(filled.mean())) if len(filled) else 1.0
        shown.append([min(1.0, n / top) ** 0.5 for n in counts.tolist()])
    return shown


def _outline(heights: list[float], inner: QRectF) -> QPolygonF:
    width = inner.width() / len(heights)
    points = [QPointF(inner.left(), inner.bottom())]
    for place, height in enumerate(heights):
        y = inner.bottom() - height * inner.height()
        points += [QPointF(inner.left() + place * width, y), QPointF(inner.left() + (place + 1) * width, y)]
    points.append(QPointF(inner.right(), inner.bottom()))
    return QPolygonF(points)

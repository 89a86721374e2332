"""A bar in the corner of the canvas that says how large things are, where the size of a pixel is known."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from segstudio.app.viewing.scale_bar import ScaleBar, scale_bar
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.ui.canvas import Canvas

__all__ = ["ScaleBarView"]

_MOST_PX = 160
_HEIGHT = 34
_MARGIN_PX = 8
_CORNER_PX = 12
_BACK = QColor(24, 24, 24, 170)
_LIGHT = QColor(240, 240, 240)


class ScaleBarView(QWidget):
    """`scaleBar`, a child of the canvas; the pointer goes through it."""

    def __init__(self, session: "Session", canvas: "Canvas") -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._project: OpenedProject | None = None
        self.bar: ScaleBar | None = None
        self.setObjectName("scaleBar")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        canvas.zoomChanged.connect(self._follow)
        canvas.installEventFilter(self)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the scale of the images of this project."""
        self._project = project
        if project is not None:
            project.navigation.imageShown.connect(self._follow)
            project.navigation.imageFailed.connect(self._follow)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner of the canvas."""
        if event.type() is QEvent.Type.Resize:
            self._follow()
        return False

    def _follow(self, *_told: object) -> None:
        display = None if self._project is None else self._project.navigation.display
        bar = None if display is None else scale_bar(display.spacing, self._canvas.scale, _MOST_PX)
        self.bar = bar
        self.setVisible(bar is not None)
        if bar is not None:
            wide = max(round(bar.view_px), self.fontMetrics().horizontalAdvance(bar.words)) + 2 * _MARGIN_PX
            self.setGeometry(_CORNER_PX, self._canvas.height() - _HEIGHT - _CORNER_PX, wide, _HEIGHT)
            self.setAccessibleName(_("Scale bar: {length}", length=bar.words))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the length in words, and the bar below it."""
        if self.bar is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_BACK)
        painter.drawRoundedRect(self.rect(), 4, 4)
        painter.setPen(_LIGHT)
        words = QRect(0, 2, self.width(), _HEIGHT - 14)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.bar.words)
        left, y = (self.width() - self.bar.view_px) / 2, _HEIGHT - 8.0
        painter.setPen(QPen(_LIGHT, 2))
        painter.drawLine(QPointF(left, y), QPointF(left + self.bar.view_px, y))
        for x in (left, left + self.bar.view_px):
            painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
        painter.end()

"""The whole image in the corner of the canvas, with what is in view of it, while a part of it is not."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from segstudio.geometry import Rect
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.ui.canvas import Canvas

__all__ = ["Minimap"]

_SIDE_PX = 150
_LEAST_PX = 12
_CORNER_PX = 12
_OF_CANVAS = 0.4
"""It is hidden in a canvas of which it would cover more than this in width or height."""
_EDGE = QColor(74, 74, 74)
_DARK, _LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255, 235)
_VEIL = QColor(0, 0, 0, 90)


class Minimap(QWidget):
    """`minimap`, a child of the canvas: a click or a drag brings that place to the middle."""

    def __init__(self, session: "Session", canvas: "Canvas") -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._project: OpenedProject | None = None
        self._drawn: tuple[DisplayImage, tuple[int, int, float, bool], QImage] | None = None
        self.setObjectName("minimap")
        self.setAccessibleName(_("The whole image"))
        self.setToolTip(_("The whole image: click or drag to look elsewhere"))
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()
        canvas.viewChanged.connect(self._follow)
        canvas.installEventFilter(self)
        session.kept_preferences.changed.connect(self._follow)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the images of this project."""
        self._project = project
        if project is not None:
            displaying = project.navigation.displaying
            for changed in (project.navigation.imageShown, displaying.displayChanged):
                changed.connect(self._follow)
            displaying.samplesArrived.connect(lambda _part: self.update())
            project.navigation.imageFailed.connect(lambda *_: self._follow())
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner of the canvas."""
        if event.type() is QEvent.Type.Resize:
            self._follow()
        return False

    @property
    def _display(self) -> "DisplayImage | None":
        return None if self._project is None else self._project.navigation.display

    def _follow(self) -> None:
        display, wanted = self._display, self._session.preferences.minimap
        if display is None or not wanted or not self._canvas.shows_part:
            self.hide()
            return
        width, height = display.size
        scale = _SIDE_PX / max(width, height)
        w, h = (max(_LEAST_PX, round(side * scale)) for side in (width, height))
        if w > _OF_CANVAS * self._canvas.width() or h > _OF_CANVAS * self._canvas.height():
            self.hide()
            return
        self.setGeometry(self._canvas.width() - w - _CORNER_PX, self._canvas.height() - h - _CORNER_PX, w, h)
        self.show()
        self.update()

    def _picture(self, display: "DisplayImage") -> QImage:
        size, settled = (self.width(), self.height(), self.devicePixelRatioF()), display.stored.settled
        key = (*size, settled)
        if self._drawn is None or not settled or self._drawn[0] is not display or self._drawn[1] != key:
            self._drawn = display, key, _reduced(display, *size)
        return self._drawn[2]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, darker where it is not in view."""
        display = self._display
        if display is None:
            return
        painter = QPainter(self)
        painter.drawImage(QPointF(0, 0), self._picture(display))
        seen = self._seen(display)
        whole = QRectF(self.rect())
        for part in (
            QRectF(0, 0, whole.width(), seen.top()),
            QRectF(0, seen.bottom(), whole.width(), whole.height() - seen.bottom()),
            QRectF(0, seen.top(), seen.left(), seen.height()),
            QRectF(seen.right(), seen.top(), whole.width() - seen.right(), seen.height()),
        ):
            painter.fillRect(part, _VEIL)
        for color, wide in ((_DARK, 3.0), (_LIGHT, 1.25)):
            painter.setPen(QPen(color, wide))
            painter.drawRect(seen.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(QPen(_EDGE, 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _seen(self, display: "DisplayImage") -> QRectF:
        """What is in view, in pixels of the map; at least a few of them, so that it can be seen."""
        visible: Rect = self._canvas.visible_part
        across, down = self.width() / display.size[0], self.height() / display.size[1]
        found = QRectF(visible.x * across, visible.y * down, visible.w * across, visible.h * down)
        grown_x, grown_y = max(0.0, 6 - found.width()) / 2, max(0.0, 6 - found.height()) / 2
        return found.adjusted(-grown_x, -grown_y, grown_x, grown_y)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Look at that place."""
        self._look(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on looking there while the button is held."""
        self._look(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Keep the release from the canvas, which did not see the press."""
        event.accept()

    def _look(self, event: QMouseEvent) -> None:
        display, at = self._display, QPointF(event.position())
        if display is not None and event.buttons() & Qt.MouseButton.LeftButton:
            width, height = display.size
            self._canvas.move_to(at.x() / self.width() * width, at.y() / self.height() * height)
        event.accept()


def _reduced(display: "DisplayImage", width: int, height: int, ratio: float) -> QImage:
    """The image in its view, so many view pixels wide and high, from its smallest level.

    It has every device pixel of the map: scaling it whenever the view moves cost more than the rest of the map.
    """
    import numpy as np

    from segstudio.imaging.display import to_rgb
    from segstudio.imaging.pyramid import resizable, resized

    small = resizable(display.overview)
    w = min(small.shape[1], round(width * ratio))
    h = min(small.shape[0], round(height * ratio))
    rgb = np.ascontiguousarray(to_rgb(resized(small, max(1, w), max(1, h)), display.view))
    made = QImage(rgb.data, rgb.shape[1], rgb.shape[0], rgb.shape[1] * 3, QImage.Format.Format_RGB888)
    whole = round(width * ratio), round(height * ratio)
    fitted = made.scaled(*whole, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    shown = fitted.convertToFormat(QImage.Format.Format_RGB32)
    shown.setDevicePixelRatio(ratio)
    return shown

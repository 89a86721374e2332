"""The surface of the canvas: shows a scene at any zoom by painting a prepared buffer. Knows no session.

Every visible change marks part of the buffer as out of date and asks Qt for a repaint. That part is drawn once, just
before the repaint, so that ten events between two frames cost only one drawing.
"""

from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from segstudio.geometry import TILE, Rect
from segstudio.ui.canvas.brush_cursor import Ring, RingPen
from segstudio.ui.canvas.brush_outline import PixelOutline
from segstudio.ui.canvas.layers.pixel_grid import PixelGrid
from segstudio.ui.canvas.layers.tool import ToolLayer, to_view
from segstudio.ui.canvas.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from segstudio.app.editing.tools.overlay import Overlay
    from segstudio.ui.canvas.back_buffer import Frame, Left
    from segstudio.ui.canvas.scene import Scene

__all__ = ["Surface"]

_FRAME_BUDGET_S = 0.010
_TRY_AGAIN_MS = 2000
_ROOM = 1.25
"""The view is this many times as large as a part that is zoomed to."""
_CLOSE = 16.0
"""A small part is not shown larger than so many view pixels an image pixel."""


class Surface(QWidget):
    """A scene, the buffer it is drawn into, above it the overlay of the tool, and on top the outline of the brush.

    `zoomChanged` carries view pixels per image pixel; `viewChanged` means that another part of it may be in view.
    """

    zoomChanged = Signal(float)
    viewChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewport = Viewport()
        self._ring: Ring | PixelOutline | None = None
        self._ring_pen = RingPen()
        self._tool_layer = ToolLayer()
        self._pixel_grid = PixelGrid()
        self._pointer: QPointF | None = None
        self._behind = QTimer(self)
        self._behind.setSingleShot(True)
        self._behind.timeout.connect(self.update)

    @cached_property
    def _scene(self) -> "Scene":
        return self._make_scene()

    @cached_property
    def _frame(self) -> "Frame":
        from segstudio.ui.canvas.back_buffer import Frame

        return Frame()

    def _make_scene(self) -> "Scene":
        """Make scene and buffer when they are needed, so that an empty window starts without NumPy."""
        from segstudio.ui.canvas.scene import Scene

        return Scene()

    @property
    def _blank(self) -> bool:
        """Whether no image is shown; asking does not make the scene."""
        return "_scene" not in self.__dict__ or self._scene.empty

    @property
    def scale(self) -> float:
        """View pixels per image pixel."""
        return self._viewport.scale

    def to_widget(self, x: float, y: float) -> QPointF:
        """The position in this widget of an image position ((0, 0) = outer corner of the first pixel)."""
        return QPointF(*self._viewport.to_view(x, y))

    def to_image(self, position: QPointF | QPoint) -> tuple[float, float]:
        """The image position (x, y) at a position in this widget: the inverse of `to_widget`."""
        return self._viewport.to_image(position.x(), position.y())

    def zoom_to_fit(self) -> None:
        """Show the whole image."""
        self._viewport.fit()
        self._view_changed()

    def set_zoom(self, scale: float) -> None:
        """Set the view pixels per image pixel (1.0 = actual size), within limits; the middle stays."""
        self._viewport.set_scale(scale)
        self._view_changed()

    def zoom_by(self, factor: float) -> None:
        """Zoom at the pointer, or at the middle if it is elsewhere."""
        at = self._pointer or QPointF(self.width() / 2, self.height() / 2)
        if self._viewport.zoom(factor, at.x(), at.y()):
            self._view_changed()

    def zoom_to(self, part: Rect) -> None:
        """Show a part of the image, in image pixels, as large as it fits with some room around it."""
        scale = min(self.width() / max(part.w, 1), self.height() / max(part.h, 1)) / _ROOM
        self._viewport.look_at(part.x + part.w / 2, part.y + part.h / 2, min(scale, _CLOSE))
        self._view_changed()

    def move_to(self, x: float, y: float) -> None:
        """Bring an image position to the middle, as far as the image's limits allow."""
        self._drag_to((x, y), QPointF(self.width() / 2, self.height() / 2))

    @property
    def visible_part(self) -> Rect:
        """The image pixels in view."""
        return self._viewport.visible()

    @property
    def shows_part(self) -> bool:
        """Whether an image is shown, and not all of it is in view."""
        return not self._blank and self.visible_part != Rect(0, 0, *self._viewport.image)

    def set_pixel_grid(self, shown: bool) -> None:
        """Set whether lines are drawn between pixels close up, and their values."""
        self._pixel_grid.shown = shown
        self.update()

    def set_opacity(self, labels: float, proposals: float) -> None:
        """Set the opacity of labels and that of proposals, 0..1."""
        self._scene.labels.set_opacity(min(max(labels, 0.0), 1.0), min(max(proposals, 0.0), 1.0))
        self._overlay_changed()

    def set_outlines(self, shown: bool) -> None:
        """Set whether all objects are outlined, not only those of instance classes."""
        self._scene.labels.outlines = shown
        self._overlay_changed()

    def set_tinted(self, tinted: bool) -> None:
        """Set whether each object has a colour of its own, or that of its class."""
        self._scene.labels.set_tinted(tinted)
        self._overlay_changed()

    def set_labels_shown(self, shown: bool) -> None:
        """Set whether labels are shown."""
        self._scene.labels.show_labels = shown
        self._overlay_changed()

    def set_proposal_shown(self, shown: bool) -> None:
        """Set whether the proposal is shown."""
        self._scene.labels.show_proposal = self._scene.model.shown = shown
        self._overlay_changed()

    # -- for the canvas -------------------------------------------------------------------------------------------

    def _overlay_changed(self) -> None:
        self._frame.spoil_overlay()
        self.update()

    def _view_changed(self) -> None:
        """Redraw after a change of scale or offset that is not a shift by whole pixels."""
        self._scene.labels.seen_anew()
        self._frame.spoil_all()
        self._place_ring(self._pointer)
        self.zoomChanged.emit(self._viewport.scale)
        self.viewChanged.emit()
        self.update()

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the image by so many view pixels, as far as its limits allow."""
        at = QPointF(self.width() / 2, self.height() / 2)
        self._drag_to(self.to_image(at), at + QPointF(dx, dy))

    def _drag_to(self, anchor: tuple[float, float], position: QPointF) -> None:
        dx, dy = self._viewport.drag(*anchor, position.x(), position.y())
        if dx or dy:
            self._scene.labels.seen_anew()
            self._frame.scroll(dx, dy)
            self.viewChanged.emit()
            self.update()

    def _labels_changed(self, rects: "Sequence[Rect]") -> None:
        """Redraw labels that changed within rectangles of image pixels."""
        labels, viewport = self._scene.labels, self._viewport
        touched = _joined(part for rect in rects for part in self._scene.touched(rect))
        spoiled = self._frame.spoil_overlay(viewport.covering(part, labels.line_px + 2) for part in touched)
        region = QRegion()
        for rect in spoiled:
            region = region.united(self._view_rect(rect))
        self.update(region)

    def _show_overlay(self, overlay: "Overlay") -> None:
        """Show other shapes of the active tool."""
        self.update(self._tool_layer.show(overlay, to_view(self._viewport.transform, self._viewport.ratio)))

    def _ring_at(self, at: QPointF | None) -> Ring | PixelOutline | None:
        """The outline of the brush for a pointer there; None if nothing paints."""
        return None

    def _place_ring(self, at: QPointF | None) -> None:
        before = self._ring
        self._ring = self._ring_at(at)
        if self._ring == before:
            return
        region = QRegion()
        for ring in (before, self._ring):
            if ring is not None:
                region = region.united(ring.region())
        self.update(region)

    # -- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what is out of date, then paint the buffer, the overlay of the tool and the outline of the brush."""
        if not self._frame.up_to_date:
            self._frame.catch_up(self._scene, self._viewport, perf_counter() + _FRAME_BUDGET_S)
            self._see_to(self._frame.left)
        painter = QPainter(self)
        try:
            self._frame.paint(painter, self._device_rect(event.rect()))
            if not self._blank and self._scene.image.pixels is not None:
                self._pixel_grid.paint(painter, event.rect(), self._viewport, self._scene.image.pixels)
            self._paint_selection(painter)
            if not self._tool_layer.empty:
                self._tool_layer.paint(painter, to_view(self._viewport.transform, self._viewport.ratio))
            if isinstance(self._ring, PixelOutline):
                self._ring.paint(painter)
            elif self._ring is not None:
                self._ring_pen.paint(painter, self._ring, self._viewport.ratio)
        finally:
            painter.end()  # Qt aborts a program that leaves a painter active on a widget

    def _paint_selection(self, painter: QPainter) -> None:
        """Outline what is selected; `ImageView` does."""

    def _see_to(self, left: "Left") -> None:
        if left.late:
            self._behind.start(0)
        elif left.faults:
            # Tried again from time to time, because a disk may come back; an immediate retry would never end.
            self._behind.start(_TRY_AGAIN_MS)
        for fault in left.faults:
            self._paint_failed(fault)

    def _paint_failed(self, fault: Exception) -> None:
        """Handle a fault that kept part of the picture from being drawn: raised here, but subclasses may report it."""
        raise fault

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the buffer as large as the widget."""
        self._take_size()
        super().resizeEvent(event)

    def _take_size(self) -> None:
        ratio = self.devicePixelRatioF()
        self._scene.set_line(max(round(ratio), 1))
        self._viewport.resize(self.width(), self.height(), ratio)
        self._frame.resize(*self._viewport.device_size, ratio)
        self._view_changed()

    def _view_rect(self, device: Rect) -> QRect:
        ratio = self._viewport.ratio
        rect = Rect.of_edges(device.x / ratio, device.y / ratio, device.right / ratio, device.bottom / ratio)
        return QRect(rect.x, rect.y, rect.w, rect.h)

    def _device_rect(self, view: QRect) -> Rect:
        ratio = self._viewport.ratio
        x, y = view.x() * ratio, view.y() * ratio
        return Rect.of_edges(x, y, x + view.width() * ratio, y + view.height() * ratio)

    def event(self, event: QEvent) -> bool:
        """Make the buffer again for another screen, which may have another pixel ratio."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._take_size()
        return super().event(event)


def _joined(parts: "Iterable[Rect]") -> list[Rect]:
    """Rectangles of tiles, row by row, those that meet in one row of tiles as one."""
    out: list[Rect] = []
    for part in parts:
        if out and part.y // TILE == out[-1].y // TILE and out[-1].x <= part.x <= out[-1].right:
            out[-1] = out[-1].united(part)
        else:
            out.append(part)
    return out

"""What the pointer does on the canvas: mouse, pen, wheel and touchpad become pointers for the tool, zooms and drags."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.ui.canvas.events import (
    button_of,
    buttons_of,
    is_swipe,
    meant_button,
    notches_of,
    pointer_of,
    sizes_brush,
    wheel_factor,
)
from segstudio.ui.canvas.image_view import ImageView
from segstudio.ui.canvas.pointer_state import Act, Hand
from segstudio.ui.canvas.sizing import SizeDrag, wheeled
from segstudio.ui.window.shortcut_guard import keeps_focus

if TYPE_CHECKING:
    from segstudio.app.editing.active_tool import ActiveTool
    from segstudio.app.session import Session

__all__ = ["Pointing"]

_PHASES = {
    Act.PRESS: Phase.PRESS,
    Act.MOVE: Phase.MOVE,
    Act.RELEASE: Phase.RELEASE,
    Act.HOVER: Phase.HOVER,
}


class Pointing(ImageView):
    """Passes pointer events to the tool. `hovered` carries the image position under the pointer, `left` announces that
    the pointer has gone; `paintedUnseen`: a tool that changes labels is used while they are hidden; `menuAsked` carries
    the widget position where the right button opens a menu, if a person wants one.
    """

    hovered = Signal(float, float)
    paintedUnseen = Signal()
    menuAsked = Signal(QPoint)

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self._tools = session.tools
        self._hand = Hand()
        self._sizing: SizeDrag | None = None
        self._anchor = (0.0, 0.0)
        self._on_screen = QPointF()
        self._turned = 0.0

    @property
    def _tool_in_use(self) -> "ActiveTool | None":
        """The active tool; None while no image is shown."""
        project = self._project
        shown = project is not None and project.navigation.shown is not None
        return project.documents.active_tool if project is not None and shown else None

    def mousePressEvent(self, event: QMouseEvent | QTabletEvent) -> None:
        """Start painting or dragging; with Ctrl, changing the size of the brush."""
        self._point_at(event.position())
        button = button_of(event.button())
        if button is Button.LEFT and self._is_sized(event.modifiers()):
            self._sizing = SizeDrag(event.position().x(), self._tools.radius, self.scale)
            event.accept()
            return
        meant = meant_button(button, event.modifiers())
        if meant is Button.RIGHT and self._right_opens_menu:
            self.menuAsked.emit(event.position().toPoint())
            event.accept()
            return
        may_paint = not self._blank and not self._loading
        self._act(self._hand.press(button, meant, self._tools.tool.drags_view, may_paint), event)
        event.accept()

    @property
    def _right_opens_menu(self) -> bool:
        busy = self._hand.painting or (self._project is not None and self._project.documents.gesture_active)
        return self._session.preferences.right_button == "menu" and not self._blank and not busy

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second press of a double click as a press; the tool learns that it was one."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | QTabletEvent) -> None:
        """Continue painting, dragging or hovering."""
        if self._sizing is not None:
            # The ring stays where the drag began, and its edge follows the pointer.
            self._tools.set_radius(self._sizing.radius_at(event.position().x()))
            return
        self._point_at(event.position())
        self._act(self._hand.move(buttons_of(event.buttons())), event)
        self._place_ring(self._pointer)
        self._say_where()

    def mouseReleaseEvent(self, event: QMouseEvent | QTabletEvent) -> None:
        """End painting or dragging."""
        self._point_at(event.position())
        if self._sizing is not None and button_of(event.button()) is Button.LEFT:
            self._sizing = None
            self._place_ring(self._pointer)
            return
        self._act(self._hand.release(button_of(event.button())), event)
        self._refresh_cursor()

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen does what a mouse does, with its pressure; its eraser end erases."""
        if event.type() is QEvent.Type.TabletPress:
            if not self._hand.painting:
                self._tools.turn_pen(eraser=event.pointerType() == QPointingDevice.PointerType.Eraser)
            self.mousePressEvent(event)
        elif event.type() is QEvent.Type.TabletRelease:
            self.mouseReleaseEvent(event)
            if not self._hand.painting:
                self._tools.turn_pen(eraser=False)
        else:
            self.mouseMoveEvent(event)
        event.accept()  # or Qt sends the same again as events of a mouse

    def _is_sized(self, modifiers: Qt.KeyboardModifier) -> bool:
        """Whether a drag that begins with these modifiers changes the size of the brush."""
        idle = not self._blank and not self._hand.painting and not self._hand.space
        return idle and self._tools.tool.cursor is Cursor.RING and modifiers == Qt.KeyboardModifier.ControlModifier

    def _act(self, act: Act, event: QMouseEvent | QTabletEvent) -> None:
        phase = _PHASES.get(act)
        if act is Act.PRESS:
            if event.type() is QEvent.Type.MouseButtonDblClick:
                phase = Phase.DOUBLE
            if not self._scene.labels.show_labels and self._tools.tool.effect is not Effect.NOTHING:
                self.paintedUnseen.emit()
        if phase is not None and not self._blank:
            button = Button.NONE if phase is Phase.HOVER else self._hand.painting_as
            tool = self._tool_in_use
            if tool is not None:
                tool.pointer(pointer_of(phase, event, self.to_image(event.position()), button, self.scale))
        elif act is Act.LOST:
            self._interrupt_tool()
        elif act is Act.GRAB:
            self._anchor = self.to_image(event.position())
            self._refresh_cursor()
        elif act is Act.DRAG:
            self._drag_to(self._anchor, event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Alt change the size of the brush, with Ctrl turn to another plane of a stack; two
        fingers on a touchpad move the image."""
        self._point_at(event.position())
        if self._blank:
            pass
        elif sizes_brush(event.modifiers()) and self._tools.tool.cursor is Cursor.RING:
            self._tools.set_radius(wheeled(self._tools.radius, notches_of(event)))
        elif event.modifiers() == Qt.KeyboardModifier.ControlModifier and self._is_stack:
            self._turn(notches_of(event))
        elif is_swipe(event):
            self.pan_by(event.pixelDelta().x(), event.pixelDelta().y())
            self._find_pointer()
        else:
            self.zoom_by(wheel_factor(event))
        event.accept()

    @property
    def _is_stack(self) -> bool:
        return self._project is not None and self._project.planes.number > 1

    def _turn(self, notches: float) -> None:
        """Towards the hand comes the next plane; parts of a notch, which fine wheels report, add up."""
        self._turned = notches if self._turned * notches < 0 else self._turned + notches
        whole = int(self._turned)
        self._turned -= whole
        if whole and self._project is not None:
            self._project.planes.step(-whole)

    def _pinch(self, event: QNativeGestureEvent) -> bool:
        """Zoom by two fingers on a touchpad; whether it was that."""
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture or self._blank:
            return False
        self._point_at(event.position())
        self.zoom_by(max(1 + event.value(), 0.5))
        event.accept()
        return True

    def enterEvent(self, event: QEnterEvent) -> None:
        """Take the keyboard focus (space drags), unless a text field or a form has it."""
        if self.isActiveWindow() and not keeps_focus(QApplication.focusWidget()):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._point_at(event.position())
        self._place_ring(self._pointer)
        self._say_where()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the outline of the brush when the pointer leaves."""
        self._lose_pointer()
        super().leaveEvent(event)

    def _point_at(self, position: QPointF) -> None:
        self._pointer = position
        self._on_screen = self.mapToGlobal(position)

    def _lose_pointer(self) -> None:
        at, self._pointer = self._pointer, None
        tool = self._tool_in_use
        if at is not None and tool is not None and not self._blank:
            tool.pointer(Pointer(Phase.LEAVE, *self.to_image(at), scale=self.scale))
        self._place_ring(None)
        self.left.emit()

    def _find_pointer(self) -> None:
        """Find the pointer again after the canvas moved: it is over another place now, or outside."""
        if self._pointer is None:
            return
        self._pointer = self.mapFromGlobal(self._on_screen)
        if self.rect().contains(self._pointer.toPoint()):
            self._place_ring(self._pointer)
            self._say_where()
        else:
            self._lose_pointer()

    def _say_where(self) -> None:
        if self._pointer is not None and not self._blank:
            self.hovered.emit(*self.to_image(self._pointer))

    def _interrupt_tool(self) -> None:
        if self._project is not None:
            self._project.documents.active_tool.interrupt()

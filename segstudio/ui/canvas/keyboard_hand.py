"""A cursor on the image that the keyboard moves; every tool works with it: the canvas gets ordinary pointer events.

While it is there, the arrows, Space and Enter belong to it as long as the canvas has the focus; what a tool under way
takes first (Enter closes a polygon), it still takes first. It sits beside the canvas, which does not know of it.
"""

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.text import _
from segstudio.ui.canvas.events import key_of

if TYPE_CHECKING:
    from segstudio.app.session import Session
    from segstudio.ui.canvas.canvas import Canvas

__all__ = ["KeyboardHand"]

_Key, _Kind, _Button = Qt.Key, QEvent.Type, Qt.MouseButton
_ARROWS: dict[int, tuple[int, int]] = {
    _Key.Key_Left: (-1, 0),
    _Key.Key_Right: (1, 0),
    _Key.Key_Up: (0, -1),
    _Key.Key_Down: (0, 1),
}
_HOLDING: dict[int, Qt.MouseButton] = {_Key.Key_Space: _Button.LeftButton, _Key.Key_Menu: _Button.RightButton}
_ENTER: tuple[int, ...] = (_Key.Key_Return, _Key.Key_Enter)
_FAR_PX = 10
_SHARE = 0.1
_EDGE_PX = 32
_MOUSE = (_Kind.MouseMove, _Kind.MouseButtonPress, _Kind.MouseButtonRelease, _Kind.MouseButtonDblClick)


class KeyboardHand(QObject):
    """`activeChanged` says whether it is there now. `position` is in image pixels, always the middle of one."""

    activeChanged = Signal(bool)

    def __init__(self, session: "Session", canvas: "Canvas") -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._mark = _Mark(canvas)
        self._held = _Button.NoButton
        self._sending = False
        self._image = ""
        self.active = False
        self.position = (0.5, 0.5)
        canvas.installEventFilter(self)
        canvas.viewChanged.connect(self._follow_view)

    def set_active(self, on: bool) -> None:
        """Show the cursor in the middle of what is seen, or put it away; a stroke that it holds ends."""
        if on is self.active:
            return
        if not on:
            self._lift()
        self.active = on
        if on:
            self._image = self._path
            self._canvas.setFocus()
            self._begin_in_the_middle()
            self._session.notices.say(
                _("Arrows move the cursor (Shift: 10 px, Ctrl: far), Space or Enter uses the tool, Esc ends")
            )
        self._mark.setVisible(on)
        self.activeChanged.emit(on)

    # -- events of the canvas ------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the cursor; while one of them holds the tool, a mouse that is bumped does nothing."""
        if not self.active or self._sending:
            return False
        kind = event.type()
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if kind in (_Kind.FocusOut, _Kind.Hide):
            self._held = _Button.NoButton  # the canvas itself interrupts the tool
        if isinstance(event, QMouseEvent) and kind in _MOUSE:
            if self._held is not _Button.NoButton:
                return True
            if kind is _Kind.MouseButtonPress:
                self._go_to(*self._canvas.to_image(event.position()))
        return False

    def _key(self, event: QKeyEvent) -> bool:
        if not self._is_ours(event):
            return False
        if event.type() is _Kind.ShortcutOverride:
            event.accept()
            return True
        key, down = event.key(), event.type() is _Kind.KeyPress
        if key in _ARROWS:
            if down:
                self._move(*_ARROWS[key], event.modifiers())
        elif event.isAutoRepeat():
            pass
        elif key in _HOLDING:
            self._press(_HOLDING[key], event.modifiers()) if down else self._lift(event.modifiers())
        elif down and key == _Key.Key_Escape:
            self.set_active(False)
        elif down:
            held = self._held is not _Button.NoButton
            self._lift(event.modifiers()) if held else self._press(_Button.LeftButton, event.modifiers())
        return True

    def _is_ours(self, event: QKeyEvent) -> bool:
        """Whether a key is for the cursor: not one that the tool under way takes, nor an Escape that cancels it."""
        project, key, tools = self._session.project, event.key(), key_of(event)
        if project is None or (tools is not None and project.documents.active_tool.takes(tools.key)):
            return False
        if key == _Key.Key_Escape:
            return not project.documents.gesture_active
        return key in _ARROWS or key in _HOLDING or key in _ENTER

    # -- the hand ------------------------------------------------------------------------------------------------------

    def _move(self, dx: int, dy: int, held: Qt.KeyboardModifier) -> None:
        step = 1
        if held & Qt.KeyboardModifier.ControlModifier:
            seen = self._canvas.width() if dx else self._canvas.height()
            step = max(1, round(_SHARE * seen / self._canvas.scale))
        elif held & Qt.KeyboardModifier.ShiftModifier:
            step = _FAR_PX
        x, y = self.position
        self._go_to(x + dx * step, y + dy * step)
        self._scroll()
        # Shift and Ctrl are about the step; to a tool they would mean something else.
        self._send(_Kind.MouseMove, _Button.NoButton, held & Qt.KeyboardModifier.AltModifier)

    def _press(self, button: Qt.MouseButton, held: Qt.KeyboardModifier) -> None:
        # A tool that moves the view by itself has nothing to press: the arrows scroll anyway.
        if self._held is _Button.NoButton and not self._session.tools.tool.drags_view:
            self._send(_Kind.MouseMove, _Button.NoButton, Qt.KeyboardModifier.NoModifier)
            self._held = button
            self._send(_Kind.MouseButtonPress, button, held)

    def _lift(self, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        button, self._held = self._held, _Button.NoButton
        if button is not _Button.NoButton:
            self._send(_Kind.MouseButtonRelease, button, held)

    def _send(
        self, kind: QEvent.Type, button: Qt.MouseButton, held: Qt.KeyboardModifier, at: QPointF | None = None
    ) -> None:
        """Send the canvas what a mouse at the cursor would send."""
        at = self._canvas.to_widget(*self.position) if at is None else at
        down = self._held if kind is not _Kind.MouseButtonRelease else _Button.NoButton
        if kind is _Kind.MouseButtonPress or button is _Button.MiddleButton:
            down |= button
        event = QMouseEvent(kind, at, QPointF(self._canvas.mapToGlobal(at)), button, down, held)
        event.setTimestamp(int(time.monotonic() * 1000))
        self._sending = True
        try:
            QApplication.sendEvent(self._canvas, event)
        finally:
            self._sending = False

    # -- where it is ---------------------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        project = self._session.project
        return (project.navigation.path or "") if project is not None else ""

    def _size(self) -> tuple[int, int]:
        """Width and height of the image on screen in pixels; (1, 1) for none."""
        project = self._session.project
        if project is None or not 0 <= project.navigation.index < len(project.navigation.items):
            return 1, 1
        item = project.navigation.items[project.navigation.index]
        return item.width, item.height

    def _go_to(self, x: float, y: float) -> None:
        width, height = self._size()
        self.position = min(max(int(x), 0), width - 1) + 0.5, min(max(int(y), 0), height - 1) + 0.5
        self._mark.stand_at(self._canvas.to_widget(*self.position))

    def _begin_in_the_middle(self) -> None:
        self._go_to(*self._canvas.to_image(QPointF(self._canvas.rect().center())))

    def _scroll(self) -> None:
        """Drag the view, as the middle button does, so that the cursor keeps away from its edge."""
        at = self._canvas.to_widget(*self.position)
        room = self._canvas.rect().adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        to = QPointF(
            min(max(at.x(), room.left()), max(room.right(), room.left())),
            min(max(at.y(), room.top()), max(room.bottom(), room.top())),
        )
        if to != at:
            none = Qt.KeyboardModifier.NoModifier
            self._send(_Kind.MouseButtonPress, _Button.MiddleButton, none, at)
            self._send(_Kind.MouseMove, _Button.MiddleButton, none, to)
            self._send(_Kind.MouseButtonRelease, _Button.MiddleButton, none, to)

    def _follow_view(self) -> None:
        if not self.active:
            return
        if self._path != self._image:
            self._image, self._held = self._path, _Button.NoButton
            self._begin_in_the_middle()
        self._mark.stand_at(self._canvas.to_widget(*self.position))


class _Mark(QWidget):
    """`keyboardCursor`: a cross around one pixel, in two tones so that it shows on any image."""

    _HALF, _GAP = 15, 5

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("keyboardCursor")
        self.setAccessibleName(_("Keyboard cursor"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(2 * self._HALF + 1, 2 * self._HALF + 1)
        self.hide()

    def stand_at(self, at: QPointF) -> None:
        """Have the gap of the cross around this position of the canvas."""
        self.move(round(at.x()) - self._HALF, round(at.y()) - self._HALF)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a dark broad line, then a light fine one on top."""
        painter = QPainter(self)
        near, far, middle = self._GAP, self._HALF, self._HALF
        for color, width in ((QColor(0, 0, 0, 190), 3), (QColor(255, 255, 255), 1)):
            painter.setPen(QPen(color, width))
            for dx, dy in _ARROWS.values():
                painter.drawLine(middle + dx * near, middle + dy * near, middle + dx * far, middle + dy * far)
        painter.end()

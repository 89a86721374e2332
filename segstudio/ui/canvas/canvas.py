"""The canvas: the image with its labels, under pointer and keys."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QNativeGestureEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio import faults
from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.brush_options import is_square
from segstudio.text import _
from segstudio.ui.canvas.brush_cursor import Ring
from segstudio.ui.canvas.brush_outline import PixelOutline, outline_of
from segstudio.ui.canvas.events import (
    dropped_paths,
    key_of,
)
from segstudio.ui.canvas.pointer_state import Act, Hand
from segstudio.ui.canvas.pointing import Pointing

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["Canvas"]

_SHAPES = {
    Cursor.ARROW: Qt.CursorShape.ArrowCursor,
    Cursor.CROSS: Qt.CursorShape.CrossCursor,
    Cursor.RING: Qt.CursorShape.CrossCursor,
    Cursor.HAND: Qt.CursorShape.OpenHandCursor,
}

_PAINT_QUIET_S = 60.0
"""A fault that recurs with every frame is reported again only after this time without it."""


class Canvas(Pointing):
    """Shows the project, and passes what pointer and keys do to the tool. `dropped` carries a list of `Path`."""

    dropped = Signal(list)

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._find_pointer)
        self._set_up_widget()
        self._tools.changed.connect(self._on_tool_changed)
        self._tools.overlayChanged.connect(self._on_tool_overlay)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def _set_up_widget(self) -> None:
        self.setObjectName("canvas")
        self.setAccessibleName(_("Canvas"))
        self.setAccessibleDescription(_("The image with its labels. Paint with the left button."))
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show this project, with the image that it already has on screen."""
        super().follow(project)
        if project is not None:
            project.documents.classChosen.connect(self._on_tool_changed)
        self._on_tool_changed()

    def _let_go(self) -> None:
        self._hand.let_go()

    def _on_tool_changed(self) -> None:
        self._refresh_cursor()
        self._place_ring(self._pointer)

    def _on_tool_overlay(self) -> None:
        self._show_overlay(self._tools.overlay)

    # -- keys, focus ----------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Drag the view with space, cancel the current gesture with Escape; leave other keys to the window."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._hold_space(True)
        elif event.key() != Qt.Key.Key_Escape or not self._cancel():
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Stop dragging the view when space is released."""
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._hold_space(False)

    def _is_tools_key(self, event: QEvent) -> bool:
        """Offer a key to the tool before shortcuts, the focus and the canvas get it; whether the tool took it."""
        key = key_of(event) if isinstance(event, QKeyEvent) else None
        tool = self._tool_in_use if key is not None else None
        if key is None or tool is None:
            return False
        asks = event.type() is QEvent.Type.ShortcutOverride
        taken = tool.takes(key.key) if asks else tool.key(key)
        if taken:
            event.accept()
        return taken

    def _hold_space(self, down: bool) -> None:
        if self._hand.hold_space(down) is Act.GRAB and self._pointer is not None:
            self._anchor = self.to_image(self._pointer)
        self._refresh_cursor()
        self._place_ring(self._pointer)

    def _cancel(self) -> bool:
        self._hand.let_go()
        if self._sizing is not None:
            begun, self._sizing = self._sizing, None
            self._tools.set_radius(begun.radius)
            return True
        return self._project is not None and self._project.cancel()

    def _interrupt(self) -> None:
        """Tell the tool that the pointer was taken away; it keeps the stroke so far."""
        self._hand, self._sizing = Hand(), None
        self._interrupt_tool()
        self._tools.turn_pen(eraser=False)
        self._refresh_cursor()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The tool is interrupted."""
        self._interrupt()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """The tool is interrupted."""
        self._interrupt()
        super().hideEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """The tool is interrupted."""
        self._interrupt()
        super().closeEvent(event)

    # -- faults ---------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Report every failure in an event handler of the canvas, and cancel the current stroke completely."""
        faults.watch()  # the slots called from here are watched by a hook, which other code may have replaced
        try:
            if isinstance(event, QNativeGestureEvent) and self._pinch(event):
                return True
            return self._is_tools_key(event) or super().event(event)
        except Exception as error:  # noqa: BLE001 - a border: the window reports it
            if event.type() is QEvent.Type.Paint:
                self._paint_failed(error)
            else:
                self._hand.let_go()
                self._session.notices.met(error)
                # Cancel even if the fault persists and was already reported.
                self._cancel()
            return True

    def _paint_failed(self, fault: Exception) -> None:
        if self._session.notices.met(fault, _PAINT_QUIET_S):
            self._hand.let_go()

    # -- dropped files --------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Emit the paths that were dropped."""
        paths = dropped_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    # -- appearance -----------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Centre the hint; find the pointer again once all parts of the window are in place."""
        super().resizeEvent(event)
        self._hint.setGeometry(self.rect())
        if self._pointer is not None:
            self._settled.start(0)

    def view_fraction(self) -> float:
        """The share of the window's client area that this widget has, 0 to 1; 0 while it is not visible."""
        window = self.window()
        return self.width() * self.height() / (window.width() * window.height()) if self.isVisible() else 0.0

    def _view_changed(self) -> None:
        super()._view_changed()
        self._say_where()

    def _ring_at(self, at: QPointF | None) -> Ring | PixelOutline | None:
        tools, view = self._tools, self._viewport
        shown = tools.tool.cursor is Cursor.RING and not self._blank
        if at is None or not shown or self._hand.dragging or self._hand.space:
            return None
        square = is_square(tools.values())
        return outline_of(self.to_image(at), tools.radius, view.transform, view.ratio, square=square)

    def _refresh_cursor(self) -> None:
        tool = self._tools.tool
        if self._blank:
            shape = Qt.CursorShape.ArrowCursor
        elif self._hand.dragging:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._hand.space:
            shape = Qt.CursorShape.OpenHandCursor
        elif tool.effect is Effect.CLASS and self._is_locked():
            shape = Qt.CursorShape.ForbiddenCursor
        else:
            shape = _SHAPES[tool.cursor]
        self.setCursor(shape)

    def _is_locked(self) -> bool:
        """Whether the current class is locked, so that strokes cannot change it."""
        return self._project is not None and self._project.documents.current_class.locked

"""The canvas: follows the session, and turns events into pointers in image coordinates, zooms and drags."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QEnterEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from segstudio import faults
from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import Changed
from segstudio.text import _
from segstudio.ui.canvas.brush_cursor import Ring
from segstudio.ui.canvas.events import (
    button_of,
    buttons_of,
    dropped_paths,
    key_of,
    meant_button,
    pointer_of,
    wheel_factor,
)
from segstudio.ui.canvas.hint import Badge, Hint
from segstudio.ui.canvas.pointer_state import Act, Hand
from segstudio.ui.canvas.surface import Surface
from segstudio.ui.window.shortcut_guard import keeps_focus

if TYPE_CHECKING:
    from segstudio.app.editing.active_tool import ActiveTool
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.ui.canvas.scene import Scene

__all__ = ["Canvas"]

_PHASES = {
    Act.PRESS: Phase.PRESS,
    Act.MOVE: Phase.MOVE,
    Act.RELEASE: Phase.RELEASE,
    Act.HOVER: Phase.HOVER,
}
_SHAPES = {
    Cursor.ARROW: Qt.CursorShape.ArrowCursor,
    Cursor.CROSS: Qt.CursorShape.CrossCursor,
    Cursor.RING: Qt.CursorShape.CrossCursor,
    Cursor.HAND: Qt.CursorShape.OpenHandCursor,
}

_PAINT_QUIET_S = 60.0
"""A fault that recurs with every frame is reported again only after this time without it."""


class Canvas(Surface):
    """Shows image, labels and proposal of the session, and passes pointer events to the tool.

    `hovered` carries the image position under the pointer, `left` announces that the pointer has gone; `dropped`
    carries a list of `Path`. `paintedUnseen`: a tool that changes labels is used while they are hidden.
    """

    hovered = Signal(float, float)
    left = Signal()
    openRequested = Signal()
    dropped = Signal(list)
    paintedUnseen = Signal()

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._project: OpenedProject | None = None
        self._tools = session.tools
        self._hand = Hand()
        self._anchor = (0.0, 0.0)
        self._shown_image: str | None = None
        self._loading = False
        self._on_screen = QPointF()
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._find_pointer)
        self._hint = Hint(self)
        self._badge = Badge(self)
        self._hint.openRequested.connect(self.openRequested)
        self._set_up_widget()
        self._tools.changed.connect(self._on_tool_changed)
        self._tools.overlayChanged.connect(self._on_tool_overlay)
        self.viewChanged.connect(self._tell_visible)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    # -- following the project ------------------------------------------------------------------------------------

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
        self._project = project
        self._show_empty()
        if project is not None:
            project.navigation.imageShown.connect(self._on_image_shown)
            project.navigation.imageLoading.connect(self._on_image_loading)
            project.navigation.imageFailed.connect(self._on_image_failed)
            project.navigation.displaying.displayChanged.connect(self._on_display_changed)
            project.navigation.imagesChanged.connect(lambda _rows: project.navigation.items or self._show_empty())
            project.documents.changed.connect(self._on_changed)
            project.documents.classesChanged.connect(self._on_classes_changed)
            project.documents.classChosen.connect(self._on_tool_changed)
            project.proposals.proposalChanged.connect(self._on_proposal_changed)
            if project.navigation.display is not None:
                self._on_image_shown()
        self._on_tool_changed()

    def _make_scene(self) -> "Scene":
        scene = super()._make_scene()
        kept = self._session.preferences
        scene.set_opacity(kept.overlay_opacity, kept.proposal_opacity)
        scene.show_proposal = kept.show_proposals
        return scene

    def _show_empty(self) -> None:
        self._show_nothing()
        if self._project is None:
            self._hint.say(_("Open a folder of images, or drop one here"), button=True)
        elif not self._project.navigation.items:
            self._hint.say(_("This project has no images"), _("Drop images or a folder here"))

    def _on_image_loading(self, path: str) -> None:
        self._loading = True
        text = _("Loading {name} …", name=path)
        if self._blank:
            self._hint.say(text)
        else:
            self._badge.announce(text)

    def _on_image_shown(self) -> None:
        assert self._project is not None
        navigation, documents = self._project.navigation, self._project.documents
        self._loading = False
        self._hand.let_go()
        self._hint.hide()
        self._badge.withdraw()
        document = documents.current.document if documents.current is not None else None
        self._scene.show(navigation.display, document, navigation.plane)
        self._scene.set_classes(documents.classes)
        self._scene.set_proposal(self._project.proposals.seen)
        if self._shown_image != navigation.path or self._scene.size != self._viewport.image:
            self._shown_image = navigation.path
            self._viewport.show(self._scene.size)
            left = self._project.places.take_view()
            if left is not None:
                self._viewport.look_at(left.x, left.y, left.scale)
        self._refresh_cursor()
        self._view_changed()

    def _on_display_changed(self) -> None:
        """Show another rendering of the same samples: only the look-up is new."""
        if not self._blank and self._project is not None:
            self._scene.pixels = self._project.navigation.display
            self._frame.spoil_ground()
            self.update()

    def _tell_visible(self) -> None:
        if self._project is not None:
            self._project.proposals.visible = None if self._blank else self._viewport.visible()
            if not self._blank and not self._loading:
                self._project.places.saw(self.scale, *self._viewport.middle, fitted=self._viewport.follows)

    def _on_image_failed(self, _path: str, sentence: str) -> None:
        assert self._project is not None
        self._show_nothing()
        said_above = bool(self._project.navigation.trouble.kind) and self._project.may_write
        self._hint.say(_("This image cannot be shown"), "" if said_above else sentence)

    def _show_nothing(self) -> None:
        self._loading = False
        self._hand.let_go()
        self._badge.withdraw()
        self._shown_image = None
        if not self._blank:
            self._scene.show(None, None, 0)
            self._frame.spoil_all()
        self._place_ring(None)
        self._show_overlay(())
        self.left.emit()
        self._refresh_cursor()
        self.update()

    def _on_changed(self, change: Changed) -> None:
        document = None if self._blank else self._scene.document
        if document is None or change.image != document.image:
            return
        if self._scene.refresh_lookup():
            self._overlay_changed()
        if change.plane != self._scene.plane or change.rect.empty:
            return
        self._labels_changed(change.rect)

    def _on_proposal_changed(self) -> None:
        if not self._blank and self._project is not None:
            self._scene.set_proposal(self._project.proposals.seen)
            self._overlay_changed()

    def _on_classes_changed(self) -> None:
        if not self._blank and self._project is not None:
            self._scene.set_classes(self._project.documents.classes)
            self._overlay_changed()
            self._refresh_cursor()

    def _on_tool_changed(self) -> None:
        self._refresh_cursor()
        self._place_ring(self._pointer)

    def _on_tool_overlay(self) -> None:
        self._show_overlay(self._tools.overlay)

    # -- pointer --------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start painting or dragging."""
        self._point_at(event.position())
        button = button_of(event.button())
        meant = meant_button(button, event.modifiers())
        may_paint = not self._blank and not self._loading
        self._act(self._hand.press(button, meant, self._tools.tool.drags_view, may_paint), event)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second press of a double click as a press; the tool learns that it was one."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue painting, dragging or hovering."""
        self._point_at(event.position())
        self._act(self._hand.move(buttons_of(event.buttons())), event)
        self._place_ring(self._pointer)
        self._say_where()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End painting or dragging."""
        self._point_at(event.position())
        self._act(self._hand.release(button_of(event.button())), event)
        self._refresh_cursor()

    def _act(self, act: Act, event: QMouseEvent) -> None:
        phase = _PHASES.get(act)
        if act is Act.PRESS:
            if event.type() is QEvent.Type.MouseButtonDblClick:
                phase = Phase.DOUBLE
            if not self._scene.show_labels and self._tools.tool.effect is not Effect.NOTHING:
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
        """Zoom at the pointer."""
        self._point_at(event.position())
        if not self._blank:
            self.zoom_by(wheel_factor(event))
        event.accept()

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

    @property
    def _tool_in_use(self) -> "ActiveTool | None":
        """The active tool; None while no image is shown."""
        project = self._project
        shown = project is not None and project.navigation.shown is not None
        return project.documents.active_tool if project is not None and shown else None

    def _hold_space(self, down: bool) -> None:
        if self._hand.hold_space(down) is Act.GRAB and self._pointer is not None:
            self._anchor = self.to_image(self._pointer)
        self._refresh_cursor()
        self._place_ring(self._pointer)

    def _cancel(self) -> bool:
        self._hand.let_go()
        return self._project is not None and self._project.cancel()

    def _interrupt(self) -> None:
        """Tell the tool that the pointer was taken away; it keeps the stroke so far."""
        self._hand = Hand()
        self._interrupt_tool()
        self._refresh_cursor()

    def _interrupt_tool(self) -> None:
        if self._project is not None:
            self._project.documents.active_tool.interrupt()

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

    def _view_changed(self) -> None:
        super()._view_changed()
        self._say_where()

    def _ring_at(self, at: QPointF | None) -> Ring | None:
        shown = self._tools.tool.cursor is Cursor.RING and not self._blank
        if at is None or not shown or self._hand.dragging or self._hand.space:
            return None
        return Ring(at.x(), at.y(), self._tools.radius * self._viewport.scale)

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

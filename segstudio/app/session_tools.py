"""The Session's hand: tools and their pointer events, gestures, undo and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudio.app.editing.tools.table import tool_named
from segstudio.app.session_base import SessionBase

if TYPE_CHECKING:
    from segstudio.app.editing.active_tool import ActiveTool
    from segstudio.app.editing.tools.pointer import Key, KeyEvent, Pointer
    from segstudio.app.open_project import OpenedProject
    from segstudio.labels.model import ImageId, Touch

__all__ = ["SessionTools"]


class SessionTools(SessionBase):
    """Forwards to the owner of the labels in memory."""

    @property
    def tool(self) -> str:
        """Name of the tool."""
        return self.tools.tool.name

    @property
    def brush_radius(self) -> float:
        """Radius of brush and eraser in image pixels."""
        return self.tools.radius

    @property
    def touch(self) -> Touch:
        """Which pixels a stroke may change."""
        return self.tools.touch

    def set_tool(self, name: str) -> None:
        """Choose a tool of the table. A gesture under way is kept. Raises `UserError` for a name that is not there."""
        row = tool_named(name)
        self.commit_gesture()
        self.tools.choose(row.name)

    def set_brush_radius(self, px: float) -> None:
        """Radius in image pixels, at least 0.5."""
        self.tools.set_radius(px)

    def set_touch(self, touch: Touch) -> None:
        """Which pixels a stroke may change."""
        self.tools.set_touch(touch)

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event, in image coordinates, to the tool."""
        if (tool := self._tool_in_use()) is not None:
            tool.pointer(event)

    def tool_takes(self, key: Key) -> bool:
        """Whether the tool under way takes this key before the window does."""
        return (tool := self._tool_in_use()) is not None and tool.takes(key)

    def tool_key(self, event: KeyEvent) -> bool:
        """Hand a key to the tool under way; whether it was for the tool."""
        return (tool := self._tool_in_use()) is not None and tool.key(event)

    def interrupt_tool(self) -> None:
        """The pointer was taken from the tool, which keeps a stroke and may go on with other gestures."""
        if self._opened is not None:
            self._opened.documents.active_tool.interrupt()

    def _tool_in_use(self) -> ActiveTool | None:
        """None while no image is shown."""
        shown = self._opened is not None and self._opened.navigation.shown is not None
        return self._opened.documents.active_tool if shown and self._opened is not None else None

    @property
    def gesture_active(self) -> bool:
        """Whether a stroke is under way."""
        return self._opened is not None and self._opened.documents.gesture_active

    def commit_gesture(self) -> None:
        """End a stroke that is under way, keeping it."""
        if self._opened is not None:
            self._opened.documents.commit_gesture()

    @property
    def can_undo(self) -> bool:
        """Whether something on this image can be taken back."""
        return self._opened is not None and self._opened.documents.can_undo

    @property
    def undo_ends(self) -> str:
        """Why undo can go no further back where it could once: the project was compacted; else ''."""
        return self._opened.documents.undo_ends if self._opened else ""

    @property
    def can_redo(self) -> bool:
        """Whether something taken back can be done again."""
        return self._opened is not None and self._opened.documents.can_redo

    def undo(self) -> None:
        """Take the newest edit on this image back; what is unfinished is aborted instead."""
        if not self._may_write() or self._opened is None or self.cancel_gesture():
            return
        if self._is_shown():
            self._say_refusal(self._opened.documents.undo)

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._may_write() and self._is_shown() and self._opened is not None:
            opened, image = self._opened, self._opened.navigation.shown
            if opened.documents.busy:
                self.said.emit(opened.documents.busy)
                return
            opened.documents.commit_gesture()
            opened.documents.after(lambda: self._redo(opened, image))

    def _redo(self, opened: OpenedProject, image: ImageId | None) -> None:
        """After whole-image edits that were under way, unless another image is on screen by then."""
        if opened is self._opened and opened.navigation.shown == image:
            self._say_refusal(opened.documents.redo)

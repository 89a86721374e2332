"""The Session's hand: tools and their pointer events, gestures, undo and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudio.app.session_base import SessionBase
from segstudio.errors import UserError
from segstudio.labels.model import Touch

if TYPE_CHECKING:
    from segstudio.app.editing.refusals import Refusal
    from segstudio.app.editing.tools.pointer import Pointer
    from segstudio.app.open_project import OpenedProject
    from segstudio.labels.model import ImageId

__all__ = ["SessionTools"]


class SessionTools(SessionBase):
    """Forwards to the owner of the labels in memory."""

    @property
    def tool(self) -> str:
        """Name of the tool."""
        return self._tool

    @property
    def brush_radius(self) -> float:
        """Radius of brush and eraser in image pixels."""
        return self._radius

    @property
    def touch(self) -> Touch:
        """Which pixels a stroke may change."""
        return self._touch

    def set_tool(self, name: str) -> None:
        """Choose a tool: brush, eraser or pan. A stroke under way is kept. Raises `UserError` for another name."""
        if name not in ("brush", "eraser", "pan"):
            raise UserError(f"There is no tool {name!r}; there are brush, eraser and pan.")
        if self._opened is not None:
            self._opened.documents.commit_gesture()
            self._opened.documents.tool = self._opened.documents.tools.get(name)
        self._tool = name
        self.toolChanged.emit()

    def set_brush_radius(self, px: float) -> None:
        """Radius in image pixels, at least 0.5."""
        self._radius = max(0.5, float(px))
        if self._opened is not None:
            self._opened.documents.radius = self._radius
        self.toolChanged.emit()

    def set_touch(self, touch: Touch) -> None:
        """Which pixels a stroke may change."""
        self._touch = touch
        if self._opened is not None:
            self._opened.documents.touch = touch
        self.toolChanged.emit()

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event, in image coordinates, to the tool."""
        if self._opened is None or self._opened.navigation.shown is None:
            return
        if self._opened.project.writer is None:
            if event.phase.name == "PRESS" and self._tool != "pan":
                self.said.emit(self._opened.project.why_read_only)
            return
        if event.phase.name == "PRESS" and not self.gesture_active and (refusal := self._refusal(event)):
            self.said.emit(refusal.sentence)
            if refusal.whole:
                return
        self._opened.documents.pointer(event)

    def _refusal(self, event: Pointer) -> Refusal | None:
        documents = self._opened.documents if self._opened is not None else None
        if documents is None or documents.current is None or self._tool == "pan":
            return None
        from segstudio.app.editing.refusals import refusal_of

        return refusal_of(
            documents.current.document,
            documents.classes,
            documents.current_class,
            event,
            plane=documents.plane,
            erasing=self._tool == "eraser",
        )

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

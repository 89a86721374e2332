"""The Session's hand: tools and their pointer events, gestures, undo and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.notices import Notices
from segstudio.app.preferences import Preferences
from segstudio.errors import UserError
from segstudio.labels.model import Touch

if TYPE_CHECKING:
    from segstudio.app.editing.refusals import Refusal
    from segstudio.app.editing.tools.pointer import Pointer
    from segstudio.app.open_project import OpenedProject

__all__ = ["SessionTools"]


class SessionTools(QObject):
    """Forwards to the owner of the labels in memory."""

    toolChanged = Signal()
    preferences: Preferences
    notices: Notices

    @property
    def project(self) -> OpenedProject | None:
        """The open project."""
        raise NotImplementedError

    def begin_tools(self) -> None:
        """The brush, as wide as it was."""
        self._tool, self._radius, self._touch = "brush", self.preferences.brush_radius, Touch.ALL

    def take_tools_to(self, project: OpenedProject | None) -> None:
        """Let another project be painted with them."""
        if project is not None:
            project.documents.radius, project.documents.touch = self._radius, self._touch
            self.set_tool(self._tool)

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
        if self.project is not None:
            self.project.documents.commit_gesture()
            self.project.documents.tool = self.project.documents.tools.get(name)
        self._tool = name
        self.toolChanged.emit()

    def set_brush_radius(self, px: float) -> None:
        """Radius in image pixels, at least 0.5."""
        self._radius = max(0.5, float(px))
        if self.project is not None:
            self.project.documents.radius = self._radius
        self.toolChanged.emit()

    def set_touch(self, touch: Touch) -> None:
        """Which pixels a stroke may change."""
        self._touch = touch
        if self.project is not None:
            self.project.documents.touch = touch
        self.toolChanged.emit()

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event, in image coordinates, to the tool."""
        if self.project is None or self.project.navigation.shown is None:
            return
        if not self.project.may_write:
            if event.phase.name == "PRESS" and self._tool != "pan":
                self.notices.say(self.project.why_read_only)
            return
        if (
            event.phase.name == "PRESS"
            and not self.project.documents.gesture_active
            and (refusal := self._refusal(event))
        ):
            self.notices.say(refusal.sentence)
            if refusal.whole:
                return
        self.project.documents.pointer(event)

    def _refusal(self, event: Pointer) -> Refusal | None:
        documents = self.project.documents if self.project is not None else None
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

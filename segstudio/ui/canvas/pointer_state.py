"""The state of the pointer: hovering, painting, dragging the view, or both in turn. Plain values, no Qt."""

from dataclasses import dataclass
from enum import Enum, auto

from segstudio.app.editing.tools.pointer import Button

__all__ = ["Act", "Hand"]


class Act(Enum):
    """What the canvas must do with an event."""

    NOTHING = auto()
    HOVER = auto()
    PRESS = auto()
    MOVE = auto()
    RELEASE = auto()
    LOST = auto()
    GRAB = auto()
    DRAG = auto()
    DROP = auto()


@dataclass(slots=True)
class Hand:
    """A button holds a stroke (`painting_by`), which may count as another (`painting_as`: on macOS Ctrl+left is right).

    The view is dragged with a button or, during a stroke, with the space bar; the stroke continues afterwards.
    """

    painting_by: Button = Button.NONE
    painting_as: Button = Button.NONE
    dragging_by: Button = Button.NONE
    space: bool = False
    _interrupted: bool = False

    @property
    def painting(self) -> bool:
        """Whether a stroke is in progress, even while the view is dragged."""
        return self.painting_by is not Button.NONE

    @property
    def dragging(self) -> bool:
        """Whether the view follows the pointer."""
        return self.dragging_by is not Button.NONE or (self.space and self.painting)

    def press(self, button: Button, as_button: Button, tool_drags: bool, may_paint: bool) -> Act:
        """A button goes down; `tool_drags` means that the tool itself moves the view."""
        if self.dragging_by is not Button.NONE or button is Button.NONE:
            return Act.NOTHING
        wants_drag = button is Button.MIDDLE or (
            not self.painting and (self.space or tool_drags) and button is Button.LEFT
        )
        if wants_drag:
            self.dragging_by = button
            self._interrupted = True
            return Act.GRAB
        if self.painting or tool_drags or self.space or not may_paint:
            return Act.NOTHING
        self.painting_by, self.painting_as = button, as_button
        self._interrupted = False
        return Act.PRESS

    def move(self, held: frozenset[Button]) -> Act:
        """The pointer moves with these buttons down. A stroke held by none of them has missed its release.

        A stroke during which another button was used is exempt: some drivers report only the last button.
        """
        if self.dragging_by is not Button.NONE and self.dragging_by not in held:
            self.dragging_by = Button.NONE
        if self.painting and not held and not self._interrupted:
            self.let_go()
            return Act.LOST
        if self.dragging:
            return Act.DRAG
        return Act.MOVE if self.painting else Act.HOVER

    def release(self, button: Button) -> Act:
        """A button goes up."""
        if button is self.dragging_by and button is not Button.NONE:
            self.dragging_by = Button.NONE
            return Act.DROP
        if button is self.painting_by and self.painting:
            self.painting_by = Button.NONE
            return Act.RELEASE
        return Act.NOTHING

    def hold_space(self, down: bool) -> Act:
        """The space bar goes down or up."""
        was_dragging = self.dragging
        self.space = down
        if self.dragging == was_dragging:
            return Act.NOTHING
        return Act.GRAB if down else Act.DROP

    def let_go(self) -> None:
        """The stroke ended in another way; a button still held does nothing until it is pressed again."""
        self.painting_by = self.painting_as = Button.NONE

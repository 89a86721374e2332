"""Window and level: a drag over the image changes how it is shown, and no label."""

from segstudio.app.editing.tools.base import Answer, Context, End, ToolHandler
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.geometry import Rect
from segstudio.imaging.display import View
from segstudio.imaging.window_level import dragged
from segstudio.labels.edit import Edit

__all__ = ["WindowLevelTool"]


class WindowLevelTool(ToolHandler):
    """Idle until the left button goes down; then sideways is the width of the window and up and down its level, until
    the button goes up. Escape shows the image as before the drag, a double click as at first.
    """

    keys = frozenset({Key.ESCAPE})

    def __init__(self) -> None:
        self._before: View | None = None
        self._start = (0.0, 0.0)

    @property
    def active(self) -> bool:
        """Whether the button is held."""
        return self._before is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin, where an image is there."""
        image = context.seen.image
        if event.button is Button.LEFT and not self.active and image is not None:
            self._before, self._start = image.view, event.at
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Show the image as the drag says so far."""
        if self._before is None or not self._before.channels:
            return Answer()
        across, down = ((now - then) * event.scale for now, then in zip(event.at, self._start, strict=True))
        levels = dragged(self._before.channels[0].levels, across, down)
        return Answer(view=self._before.between(levels))

    def release(self, event: Pointer, context: Context) -> Answer:
        """End; the image stays as it is shown."""
        return Answer(ends=End.KEEP) if self.active and event.button is Button.LEFT else Answer()

    def double_click(self, event: Pointer, context: Context) -> Answer:
        """Show the image as at first."""
        image = context.seen.image
        return Answer() if image is None else Answer(view=image.first)

    def key(self, event: KeyEvent, context: Context) -> Answer:
        """Show the image as before the drag."""
        return Answer(view=self._before, ends=End.DROP) if event.down else Answer()

    def commit(self, context: Context) -> Edit | None:
        """No label has changed."""
        self._before = None
        return None

    def abort(self) -> dict[int, Rect]:
        """No label has changed; the image stays as it is shown."""
        self._before = None
        return {}

"""The lasso: an outline drawn in one go, from the press of a button to its release."""

from segstudio.app.editing.tools.base import Answer, Context
from segstudio.app.editing.tools.outline import is_long, outline_area, outlined
from segstudio.app.editing.tools.overlay import Overlay, Polyline
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.shape import Area, ShapeTool
from segstudio.app.editing.tools.trail import Trail

__all__ = ["LassoTool"]


class LassoTool(ShapeTool):
    """Idle until a press; every position of the pointer is a vertex. A straight line joins the ends."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._trails: list[Trail] = []

    def press(self, event: Pointer, context: Context) -> Answer:
        """Begin. Nothing happens while an outline is under way."""
        if self.active or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        self._begin(event, context)
        self._trails = [Trail(event.at)]
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        if self.waits or not self._trails:
            return Answer()
        self._trails[0].append(event.at)
        return Answer(overlay=self._shown(context))

    def release(self, event: Pointer, context: Context) -> Answer:
        """The last point, which closes the outline, where its own button goes up."""
        if self.waits or not self._trails or event.button is not self.button:
            return Answer()
        self._trails[0].append(event.at)
        return self._close(context)

    def area(self) -> Area:
        """What lies inside the outline."""
        return outline_area([trail.points for trail in self._trails])

    def clear(self) -> None:
        """Forget the outline."""
        self._trails = []

    def _shown(self, context: Context) -> Overlay:
        shapes, points = outlined(self._trails, self._color(context)), self._trails[0].points
        return shapes if is_long(self._trails) else (*shapes, Polyline((points[-1], points[0]), dashed=True))

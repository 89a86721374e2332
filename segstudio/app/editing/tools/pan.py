"""The hand that moves the image. Its row says that it does; the view belongs to the canvas, so nothing is left here."""

from segstudio.app.editing.tools.base import Context, ToolHandler
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit

__all__ = ["PanTool"]


class PanTool(ToolHandler):
    """Changes no labels and is never under way."""

    @property
    def active(self) -> bool:
        """Never: no gesture of labels begins."""
        return False

    def commit(self, context: Context) -> Edit | None:
        """Nothing to keep."""
        return None

    def abort(self) -> dict[int, Rect]:
        """Nothing to undo."""
        return {}

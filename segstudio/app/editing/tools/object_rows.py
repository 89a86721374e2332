"""Rows of the table of tools: what chooses and cuts objects."""

from segstudio.app.editing.tools.base import Cursor, Effect, Tool, ToolHandler
from segstudio.app.editing.tools.options import OBJECT_OPTIONS
from segstudio.text import N_

__all__ = ["OBJECTS"]


def _pick(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.pick import PickTool

    return PickTool()


def _split(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.split import SplitTool

    return SplitTool()


OBJECTS = (
    Tool(
        "pick",
        N_("Pick"),
        N_("Select objects: click one, or drag a box; Shift adds"),
        "pick",
        ("X",),
        _pick,
        Cursor.ARROW,
        Effect.NOTHING,
        options=OBJECT_OPTIONS,
        hint=N_("Click an object to select it, drag a box for several, Shift to add; click beside them to select none"),
    ),
    Tool(
        "split",
        N_("Split"),
        N_("Draw a line across an object to make two of it"),
        "split",
        ("D",),
        _split,
        Cursor.CROSS,
        Effect.OBJECTS,
        hint=N_("Drag a line across an object, or click on either side of it; Esc drops the line"),
    ),
)

"""The tools, each listed once: the tool bar, the menu, their keys and cursors come from this table.

Another package adds one by an entry point of the group `segstudio.tools` that names a `Tool`.
"""

from segstudio.app.editing.tools.base import Cursor, Effect, Tool, ToolHandler
from segstudio.app.editing.tools.options import OBJECT_OPTIONS
from segstudio.errors import UserError
from segstudio.registry import Registry, named
from segstudio.text import N_, _

__all__ = ["TOOLS", "tool_named"]


def _pan(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.pan import PanTool

    return PanTool()


def _stroke(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.stroke import StrokeTool

    return StrokeTool(row.name, erases=row.effect is Effect.UNKNOWN)


def _pick(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.pick import PickTool

    return PickTool()


def _split(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.split import SplitTool

    return SplitTool()


_ROWS = (
    Tool(
        "pan",
        N_("Pan"),
        N_("Move the image; with any tool: middle button, or space and drag"),
        "pan",
        ("V", "H"),
        _pan,
        Cursor.HAND,
        Effect.NOTHING,
        drags_view=True,
    ),
    Tool(
        "brush",
        N_("Brush"),
        N_("Paint the class; the right button paints background"),
        "brush",
        ("B",),
        _stroke,
        Cursor.RING,
    ),
    Tool(
        "eraser",
        N_("Eraser"),
        N_("Make pixels unknown again; the right button paints background"),
        "eraser",
        ("E",),
        _stroke,
        Cursor.RING,
        Effect.UNKNOWN,
    ),
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

TOOLS: Registry[Tool] = Registry("tools", {row.name: row for row in _ROWS}, named(Tool))


def tool_named(name: str) -> Tool:
    """The row of this name. Raises `UserError` where there is none."""
    if name not in TOOLS:
        raise UserError(_("There is no tool '{name}'; choose one of {tools}.", name=name, tools=", ".join(TOOLS)))
    return TOOLS[name]

"""The tools, each listed once: the tool bar, the menu, their keys and cursors come from this table.

Another package adds one by an entry point of the group `segstudio.tools` that names a `Tool`.
"""

from segstudio.app.editing.tools.base import Cursor, Effect, Tool, ToolHandler
from segstudio.app.editing.tools.brush_options import BRUSH_OPTIONS
from segstudio.app.editing.tools.fill_rows import FILLS
from segstudio.app.editing.tools.object_rows import OBJECTS
from segstudio.app.editing.tools.shape_rows import SHAPES
from segstudio.errors import UserError
from segstudio.registry import Registry, named
from segstudio.text import N_, _

__all__ = ["ROWS", "TOOLS", "tool_named"]


def _pan(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.pan import PanTool

    return PanTool()


def _stroke(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.stroke import StrokeTool

    return StrokeTool(row.name, erases=row.effect is Effect.UNKNOWN)


def _window(_row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.window_level import WindowLevelTool

    return WindowLevelTool()


_BRUSH_HINT = N_("Shift+click paints a straight line; Ctrl+drag or Alt+wheel changes the size.")


ROWS = (
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
        options=BRUSH_OPTIONS,
        hint=_BRUSH_HINT,
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
        options=BRUSH_OPTIONS,
        hint=_BRUSH_HINT,
    ),
    *SHAPES,
    *FILLS,
    *OBJECTS,
    Tool(
        "window",
        N_("Window and level"),
        N_("Drag over the image to change how it is shown; the data and the labels stay as they are"),
        "window",
        ("Shift+W",),
        _window,
        Cursor.CROSS,
        Effect.NOTHING,
        hint=N_("Drag sideways for contrast, up and down for brightness; double-click shows the image as at first."),
    ),
)

TOOLS: Registry[Tool] = Registry("tools", {row.name: row for row in ROWS}, named(Tool))


def tool_named(name: str) -> Tool:
    """The row of this name. Raises `UserError` where there is none."""
    if name not in TOOLS:
        raise UserError(_("There is no tool '{name}'; choose one of {tools}.", name=name, tools=", ".join(TOOLS)))
    return TOOLS[name]

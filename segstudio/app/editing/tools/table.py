"""The tools, each listed once: the tool bar, the menu, their keys and cursors come from this table.

Another package adds one by an entry point of the group `segstudio.tools` that names a `Tool`.
"""

from segstudio.app.editing.tools.base import Cursor, Effect, Tool, ToolHandler
from segstudio.app.editing.tools.shape_options import SHAPE_PAINTS
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


def _polygon(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.polygon import PolygonTool

    return PolygonTool(row.name)


def _lasso(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.lasso import LassoTool

    return LassoTool(row.name)


def _box(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.box import BoxTool

    return BoxTool(row.name, round_=row.name == "ellipse")


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
        "polygon",
        N_("Polygon"),
        N_("Click corners or draw freehand, and paint what is inside"),
        "polygon",
        ("G",),
        _polygon,
        options=(SHAPE_PAINTS,),
        hint=N_("Click corners or draw; Enter closes, Backspace takes back, Alt begins a hole"),
    ),
    Tool(
        "lasso",
        N_("Lasso"),
        N_("Draw around an area, and paint what is inside"),
        "lasso",
        ("L",),
        _lasso,
        options=(SHAPE_PAINTS,),
        hint=N_("Drag around an area; releasing the button closes it"),
    ),
    Tool(
        "rectangle",
        N_("Rectangle"),
        N_("Drag a rectangle, and paint it"),
        "rectangle",
        ("R",),
        _box,
        options=(SHAPE_PAINTS,),
        hint=N_("Drag from corner to corner; Shift for a square, Alt from the middle"),
    ),
    Tool(
        "ellipse",
        N_("Ellipse"),
        N_("Drag an ellipse, and paint it"),
        "ellipse",
        ("Shift+R",),
        _box,
        options=(SHAPE_PAINTS,),
        hint=N_("Drag from corner to corner; Shift for a circle, Alt from the middle"),
    ),
)

TOOLS: Registry[Tool] = Registry("tools", {row.name: row for row in _ROWS}, named(Tool))


def tool_named(name: str) -> Tool:
    """The row of this name. Raises `UserError` where there is none."""
    if name not in TOOLS:
        raise UserError(_("There is no tool '{name}'; choose one of {tools}.", name=name, tools=", ".join(TOOLS)))
    return TOOLS[name]

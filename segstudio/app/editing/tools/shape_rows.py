"""Rows of the table of tools: shapes that are drawn and filled."""

from segstudio.app.editing.tools.base import Tool, ToolHandler
from segstudio.app.editing.tools.shape_options import SHAPE_PAINTS
from segstudio.text import N_

__all__ = ["SHAPES"]


def _polygon(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.polygon import PolygonTool

    return PolygonTool(row.name)


def _lasso(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.lasso import LassoTool

    return LassoTool(row.name)


def _box(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.box import BoxTool

    return BoxTool(row.name, round_=row.name == "ellipse")


SHAPES = (
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

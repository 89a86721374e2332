"""The tools, each listed once: the tool bar, the menu, their keys and cursors come from this table.

Another package adds one by an entry point of the group `segstudio.tools` that names a `Tool`.
"""

from segstudio.app.editing.tools.base import Cursor, Effect, Tool, ToolHandler
from segstudio.app.editing.tools.brush_options import BRUSH_OPTIONS
from segstudio.app.editing.tools.fill_options import SNAP_OPTIONS, THRESHOLD_OPTIONS, WAND_OPTIONS
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


def _fill(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.fill import FillTool

    return FillTool(row.name)


def _wand(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.wand import WandTool

    return WandTool(row.name)


def _livewire(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.livewire import LivewireTool

    return LivewireTool(row.name)


def _threshold(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.threshold import threshold_brush

    return threshold_brush(row.name)


def _snap(row: Tool) -> ToolHandler:
    from segstudio.app.editing.tools.snap import SnapTool

    return SnapTool(row.name)


_FILLS = (
    Tool(
        "fill",
        N_("Fill"),
        N_("Fill the area of equal label under a click; the right button fills with background"),
        "fill",
        ("K",),
        _fill,
        hint=N_("Click an area to fill it with the class, up to where another label begins."),
    ),
    Tool(
        "wand",
        N_("Magic wand"),
        N_("Paint pixels like the one you click; drag sideways for more or less"),
        "wand",
        ("W",),
        _wand,
        options=WAND_OPTIONS,
        hint=N_("Press and drag: right for more, left for less. Release to paint."),
    ),
    Tool(
        "livewire",
        N_("Livewire"),
        N_("Click around a thing; the outline follows its edges and is filled when you close it"),
        "livewire",
        ("I",),
        _livewire,
        hint=N_("Click along an edge. Backspace takes the last point back, Enter closes and fills."),
    ),
    Tool(
        "threshold",
        N_("Threshold brush"),
        N_("Paint only where the image has values in a range, picked where you press"),
        "threshold",
        ("T",),
        _threshold,
        Cursor.RING,
        options=THRESHOLD_OPTIONS,
        hint=N_("Press on a value and paint: only similar values under the brush change."),
    ),
    Tool(
        "snap",
        N_("Snapping brush"),
        N_("Paint whole superpixels, so that the border follows edges"),
        "snap",
        ("Q",),
        _snap,
        Cursor.RING,
        options=SNAP_OPTIONS,
        hint=N_("Paint roughly: each superpixel that the brush touches is painted as a whole."),
    ),
)
_BRUSH_HINT = N_("Shift+click paints a straight line; Ctrl+drag or Alt+wheel changes the size.")


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
    *_FILLS,
)

TOOLS: Registry[Tool] = Registry("tools", {row.name: row for row in _ROWS}, named(Tool))


def tool_named(name: str) -> Tool:
    """The row of this name. Raises `UserError` where there is none."""
    if name not in TOOLS:
        raise UserError(_("There is no tool '{name}'; choose one of {tools}.", name=name, tools=", ".join(TOOLS)))
    return TOOLS[name]

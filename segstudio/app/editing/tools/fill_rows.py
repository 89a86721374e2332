"""Rows of the table of tools: what paints by what is like what."""

from segstudio.app.editing.tools.base import Cursor, Tool, ToolHandler
from segstudio.app.editing.tools.fill_options import SNAP_OPTIONS, THRESHOLD_OPTIONS, WAND_OPTIONS
from segstudio.text import N_

__all__ = ["FILLS"]


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


FILLS = (
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

"""What a person can set about the tools that paint an outlined area."""

from segstudio.app.editing.tools.base import Paint
from segstudio.app.editing.tools.options import Choice
from segstudio.text import N_

__all__ = ["SHAPE_PAINTS", "erases"]

_UNKNOWN = "unknown"

SHAPE_PAINTS = Choice(
    "shape_paints",
    N_("Paints"),
    N_("What the left button paints: the class, or unknown as the eraser does; the right button paints background"),
    "class",
    (("class", N_("The class")), (_UNKNOWN, N_("Unknown"))),
)


def erases(paint: Paint) -> bool:
    """Whether the left button of the chosen tool makes pixels unknown by its options."""
    return paint.options.get(SHAPE_PAINTS.name) == _UNKNOWN

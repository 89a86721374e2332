"""What a person can set about brush and eraser beside their size; read without NumPy, as the empty window has it."""

from collections.abc import Mapping

from segstudio.app.editing.tools.options import Choice, Flag, OptionValue
from segstudio.text import N_

__all__ = ["BRUSH_OPTIONS", "PRESSURE", "SHAPE", "is_square", "pressed_radius"]

SHAPE = Choice(
    "brush_shape",
    N_("Shape"),
    N_("Round, or square: every pixel within the radius in x and in y"),
    "round",
    (("round", N_("Round")), ("square", N_("Square"))),
)
PRESSURE = Flag(
    "pen_pressure",
    N_("Pen pressure sets the size"),
    N_("With a pen, light pressure paints with a smaller brush; a mouse always paints at full size"),
    True,
)
BRUSH_OPTIONS = (SHAPE, PRESSURE)

_LEAST_SHARE = 0.1
_LEAST_PX = 0.5


def is_square(values: Mapping[str, OptionValue]) -> bool:
    """Whether the brush is square, by the values of options."""
    return values.get(SHAPE.name) == "square"


def pressed_radius(radius: float, pressure: float, values: Mapping[str, OptionValue]) -> float:
    """The radius in pixels at a pressure of 0 ... 1: a tenth at least, and half a pixel."""
    if pressure >= 1 or not values.get(PRESSURE.name, PRESSURE.default):
        return radius
    return max(radius * max(pressure, _LEAST_SHARE), min(radius, _LEAST_PX))

"""What wand, threshold and snap let a person set. Rows alone: the table of tools is read without NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudio.app.editing.tools.options import Choice, Flag, Number
from segstudio.text import N_

if TYPE_CHECKING:
    from segstudio.app.editing.tools.base import Context

__all__ = [
    "CONTIGUOUS",
    "RANGE_BY",
    "RANGE_HIGH",
    "RANGE_LOW",
    "SNAP_OPTIONS",
    "SNAP_SIZE",
    "SNAP_TO",
    "THRESHOLD_OPTIONS",
    "TOLERANCE",
    "WAND_OPTIONS",
    "WAND_SOURCE",
    "number",
]

TOLERANCE = Number(
    "tolerance",
    N_("Tolerance"),
    N_("How far a value may lie from the one clicked; 100 % is the way from black to white on screen"),
    5.0,
    0.0,
    100.0,
    decimals=1,
    suffix=N_(" %"),
)
CONTIGUOUS = Flag("contiguous", N_("Contiguous"), N_("Take only pixels that are connected to the one clicked"), True)
WAND_SOURCE = Choice(
    "wand_source",
    N_("Compare"),
    N_("What has to be alike: the values of the image, or the classes that are proposed"),
    "image",
    (("image", N_("Image")), ("proposal", N_("Proposal"))),
)
WAND_OPTIONS = (TOLERANCE, CONTIGUOUS, WAND_SOURCE)

RANGE_BY = Choice(
    "range_by",
    N_("Range"),
    N_("Paint where values are like the one under the cursor when you press, or where they lie in a fixed range"),
    "picked",
    (("picked", N_("As clicked")), ("fixed", N_("Fixed"))),
)
RANGE_LOW = Number(
    "range_low",
    N_("Lowest"),
    N_("Where a fixed range begins; 0 % is what the screen shows as black"),
    50.0,
    0.0,
    100.0,
    decimals=1,
    suffix=N_(" %"),
)
RANGE_HIGH = Number(
    "range_high",
    N_("Highest"),
    N_("Where a fixed range ends; 100 % is what the screen shows at full brightness"),
    100.0,
    0.0,
    100.0,
    decimals=1,
    suffix=N_(" %"),
)
THRESHOLD_OPTIONS = (RANGE_BY, TOLERANCE, RANGE_LOW, RANGE_HIGH)

SNAP_TO = Choice(
    "snap_to",
    N_("Snap to"),
    N_("Follow edges in the image by whole superpixels, or the border of what is proposed"),
    "image",
    (("image", N_("Image edges")), ("proposal", N_("Proposal"))),
)
SNAP_SIZE = Number(
    "snap_size",
    N_("Size"),
    N_("How wide a superpixel, a small area of similar pixels, is; smaller ones follow finer edges"),
    16.0,
    6.0,
    64.0,
    suffix=N_(" px"),
)
SNAP_OPTIONS = (SNAP_TO, SNAP_SIZE)


def number(context: Context, option: Number) -> float:
    """The value of a number."""
    return float(context.paint.options.get(option.name, option.default))

"""Default colours of classes, distinguishable for colour-blind people too.

The palette begins with Okabe & Ito's (Color Universal Design, 2008) without black. The 53 colours after it were
searched in a grid of sRGB, so that the least distance in CIELAB is large, for usual eyes and as simulated for
protanopia and deuteranopia (Machado et al. 2009), also from the greys of background and ignored pixels; the most
distant come first. Then come shades of them.
"""

from collections.abc import Sequence

from segstudio.labels.model import Kind

__all__ = ["BACKGROUND_COLOR", "GOLDEN", "OBJECT_TINTS", "default_color", "next_color", "object_tint"]

BACKGROUND_COLOR = "#6b7280"
_IGNORE_COLOR = "#a0a0a0"

_PALETTE = tuple(
    """
    #e69f00 #56b4e9 #009e73 #f0e442 #0072b2 #d55e00 #cc79a7 #0000ff #6f0f00 #bfffaf #0f1f9f #6f6fff
    #9fffff #5f0f5f #5f1f2f #bfaf5f #af4f2f #bfff7f #bfcfaf #2f3fdf #4f9fff #5fcfdf #0f4faf #8f3f3f
    #5f0f7f #6f1f4f #9fffdf #7f3f7f #ff4f6f #4fdfcf #afcf8f #cfcf4f #0000bf #bf2f00 #af5f4f #2f4fcf
    #dfff0f #bf5fdf #8f3f5f #bfdf7f #cf6f3f #cf9f3f #8f1f00 #7f2f8f #6f1f1f #8fcfff #cfefbf #5f6f9f
    #00af6f #ffbf00 #3f5fff #0f8fbf #0f3fff #3fbf8f #6fefff #efafbf #2f2fbf #6fafbf #6fafff #007fcf
""".split()  # noqa: SIM905 - five lines instead of sixty
)
"""The first 14 are 17 apart (CIE76) in each of the three ways of seeing, the first 40 are 12, all 60 are 9.7."""


OBJECT_TINTS = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    "#f4c97a",
    "#9ad1f2",
    "#6fc9ae",
    "#e59a66",
    "#7a4a6a",
)
"""What tells objects of one class apart: the palette, and shades of it that differ in lightness too."""

GOLDEN = 0.6180339887498949
"""The share of the tints by which neighbours are apart: ids that follow each other differ (Knuth's golden hashing)."""


def default_color(kind: Kind, taken: Sequence[str]) -> str:
    """The colour of a class for which none was chosen; `taken` are those of the other classes."""
    if kind is Kind.BACKGROUND:
        return BACKGROUND_COLOR
    return _IGNORE_COLOR if kind is Kind.IGNORE else next_color(taken)


def next_color(taken: Sequence[str]) -> str:
    """The first colour of the palette that is not taken yet; beyond it ever paler and darker shades of it."""
    used = {color.lower() for color in taken}
    for shade in range(64):
        for color in _PALETTE:
            candidate = _shaded(color, shade)
            if candidate not in used:
                return candidate
    return _PALETTE[len(used) % len(_PALETTE)]


def _shaded(color: str, shade: int) -> str:
    """Shade 0 is the colour itself, odd ones lean to white, even ones to black, each a little further."""
    if shade == 0:
        return color
    target = 255 if shade % 2 else 0
    share = min(0.25 * ((shade + 1) // 2), 0.9)
    channels = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(c + (target - c) * share):02x}" for c in channels)


def object_tint(id_: int) -> str:
    """The colour of an object where each has its own, as #RRGGBB."""
    return OBJECT_TINTS[int(id_ * GOLDEN % 1.0 * len(OBJECT_TINTS))]

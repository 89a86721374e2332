"""Default colours of classes, distinguishable for colour-blind people too.

The palette is Okabe & Ito's (Color Universal Design, 2008) without black, then shades of it; the background is grey.
"""

from collections.abc import Sequence

from segstudio.labels.model import Kind

__all__ = ["BACKGROUND_COLOR", "GOLDEN", "OBJECT_TINTS", "default_color", "next_color", "object_tint"]

BACKGROUND_COLOR = "#6b7280"
_IGNORE_COLOR = "#a0a0a0"

_PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


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
    """The first colour of the palette that is not taken yet; beyond it ever paler and darker shades."""
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

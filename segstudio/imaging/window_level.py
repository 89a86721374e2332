"""The window of a picture in the words of those who set it: level and width, brightness and contrast. Pure functions.

Brightness and contrast, each -100 to 100, are counted from levels that stand for 0 and 0: from the automatic ones.
"""

from math import exp, isfinite, log2

from segstudio.imaging.levels import Levels

__all__ = ["adjusted", "adjustment", "dragged", "windowed"]

_DOUBLED_BY = 25.0
"""Contrast that halves the width."""
_DRAGGED_PX = 300.0
"""View pixels of a drag that move the level by a width, or the width by a factor e."""


def windowed(level: float, width: float) -> Levels:
    """The levels around a middle. Raises `ValueError` where they are none: a width of 0, or no numbers."""
    low, high = level - width / 2, level + width / 2
    if not (width > 0 and isfinite(low) and isfinite(high) and low < high):
        raise ValueError(f"level {level} and width {width} leave nothing between black and white")
    return Levels(low, high)


def adjusted(start: Levels, brightness: float, contrast: float) -> Levels:
    """Levels that are brighter and have more contrast than `start`."""
    whole = start.high - start.low
    level = (start.low + start.high) / 2 - brightness / 100 * whole
    return _within_reason(level, whole * 2 ** (-contrast / _DOUBLED_BY))


def adjustment(start: Levels, now: Levels) -> tuple[float, float]:
    """Brightness and contrast that lead from `start` to `now`, however far beyond 100."""
    whole = start.high - start.low
    moved = (start.low + start.high - now.low - now.high) / 2
    return moved / whole * 100, -_DOUBLED_BY * log2((now.high - now.low) / whole)


def dragged(start: Levels, across_px: float, down_px: float) -> Levels:
    """Levels after a drag of so many view pixels: to the right the window is wider, down its level higher."""
    width = start.high - start.low
    level = (start.low + start.high) / 2 + down_px / _DRAGGED_PX * width
    return _within_reason(level, width * exp(max(-50.0, min(50.0, across_px / _DRAGGED_PX))))


def _within_reason(level: float, width: float) -> Levels:
    """A window that floats can still tell black and white of."""
    return windowed(level, max(width, abs(level) * 1e-9, 1e-30))

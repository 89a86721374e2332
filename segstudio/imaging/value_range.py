"""Pixels whose values lie within a range: what a wand takes, and where a threshold brush paints. Pure functions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.levels import Levels
from segstudio.imaging.source import Pixels

__all__ = ["ValueRange", "range_around", "range_of_shares"]


@dataclass(frozen=True, slots=True)
class ValueRange:
    """From `low` to `high`, both included, in each channel of the image. NaN is in no range."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def mask(self, samples: Pixels) -> NDArray[np.bool_]:
        """Which pixels (h, w) of samples (h, w, c) lie within it in every channel."""
        limits = [_limits(samples.dtype, low, high) for low, high in zip(self.low, self.high, strict=True)]
        if any(limit is None for limit in limits):
            return np.zeros(samples.shape[:2], np.bool_)
        inner = [limit for limit in limits if limit is not None]
        if samples.dtype == np.uint8 and samples.shape[2] <= 4 and samples.size:
            return _bytes_within(samples, inner)
        found = np.ones(samples.shape[:2], np.bool_)
        for channel, (low, high) in enumerate(inner):
            values = samples[..., channel]
            found &= (values >= low) & (values <= high)
        return found


def range_around(value: NDArray[Any], tolerance: float, levels: tuple[Levels, ...]) -> ValueRange:
    """Values that differ from `value` (c,) by at most `tolerance`, a share of the distance of each channel's levels."""
    reach = [tolerance * (pair.high - pair.low) for pair in levels]
    pairs = [(float(v) - r, float(v) + r) for v, r in zip(value, reach, strict=True)]
    return ValueRange(tuple(low for low, _ in pairs), tuple(high for _, high in pairs))


def range_of_shares(low: float, high: float, levels: tuple[Levels, ...]) -> ValueRange:
    """Values between two shares of each channel's levels: 0 is shown as black, 1 as white.

    What the screen shows as black or as white lies within a range that reaches its end.
    """
    width = [pair.high - pair.low for pair in levels]
    lows = (pair.low + low * w if low > 0 else -np.inf for pair, w in zip(levels, width, strict=True))
    highs = (pair.low + high * w if high < 1 else np.inf for pair, w in zip(levels, width, strict=True))
    return ValueRange(tuple(map(float, lows)), tuple(map(float, highs)))


def _limits(dtype: np.dtype[Any], low: float, high: float) -> tuple[Any, Any] | None:
    """The least and the greatest value of a type within a range; None where there is none.

    A value is compared in its own type, so that large integers and narrow floats are not rounded.
    """
    if not low <= high:
        return None
    if dtype.kind == "f":
        first, last = dtype.type(low), dtype.type(high)
        if float(first) < low:
            first = np.nextafter(first, dtype.type(np.inf))
        if float(last) > high:
            last = np.nextafter(last, dtype.type(-np.inf))
        return first, last
    info = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    first_whole = info.min if low <= info.min else int(np.ceil(low)) if low <= info.max else None
    last_whole = info.max if high >= info.max else int(np.floor(high)) if high >= info.min else None
    if first_whole is None or last_whole is None or first_whole > last_whole:
        return None
    return first_whole, last_whole


def _bytes_within(samples: Pixels, limits: list[tuple[Any, Any]]) -> NDArray[np.bool_]:
    import cv2

    found = cv2.inRange(samples, tuple(low for low, _ in limits), tuple(high for _, high in limits))
    return np.asarray(found) != 0

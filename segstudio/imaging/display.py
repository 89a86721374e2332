"""From samples to what is seen and to what a network gets: window and level. Pure functions of arrays."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.source import Pixels

__all__ = ["Levels", "auto_levels", "to_float", "to_rgb"]

_SAMPLE = 1 << 16
_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True, slots=True)
class Levels:
    """The sample values shown as black and as white; low < high."""

    low: float
    high: float


def auto_levels(pixels: Pixels) -> Levels:
    """Levels for samples (h, w, c): 0..255 for uint8, else percentiles 0.1 and 99.9 of at most 65,536 of them.

    The same for all channels. NaN and infinities do not count.
    """
    if pixels.dtype == np.uint8:
        return Levels(0.0, 255.0)
    flat = pixels.reshape(-1, pixels.shape[-1])
    sample = flat[:: max(1, len(flat) * pixels.shape[-1] // _SAMPLE)].astype(np.float64).ravel()
    sample = sample[np.isfinite(sample)]
    if len(sample) == 0:
        return Levels(0.0, 1.0)
    low, high = (float(v) for v in np.percentile(sample, _PERCENTILES))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return Levels(low, high) if high > low else Levels(low, low + max(1.0, abs(low) * 1e-6))


def to_rgb(pixels: Pixels, levels: Levels) -> NDArray[np.uint8]:
    """What is shown of samples (h, w, c) as uint8 (h, w, 3): one channel is grey, of more than three the first three.

    Two channels are red and green. By a look-up table for integers of 8 and 16 bits.
    """
    shown = _bytes(pixels[..., :3], levels)
    if shown.shape[-1] == 1:
        return np.repeat(shown, 3, axis=-1)
    if shown.shape[-1] == 2:
        return np.concatenate([shown, np.zeros_like(shown[..., :1])], axis=-1)
    return np.ascontiguousarray(shown)


def to_float(pixels: Pixels, levels: Levels) -> NDArray[np.float32]:
    """Samples (h, w, c) as float32 in 0..1 between the levels; NaN becomes 0."""
    scale = 1.0 / (levels.high - levels.low)
    wide = np.float32 if pixels.dtype.itemsize <= 2 else np.float64
    with np.errstate(all="ignore"):  # infinities and samples beyond float32 end at 0 or 1
        values = (pixels.astype(wide) - wide(levels.low)) * wide(scale)
    return np.nan_to_num(np.clip(values, 0.0, 1.0), copy=False).astype(np.float32, copy=False)


def _bytes(pixels: Pixels, levels: Levels) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8 and levels == Levels(0.0, 255.0):
        return np.asarray(pixels, np.uint8)
    if pixels.dtype in (np.uint8, np.uint16):
        return _table(pixels.dtype, levels)[pixels]
    return np.rint(to_float(pixels, levels) * np.float32(255)).astype(np.uint8)


@lru_cache(maxsize=16)
def _table(dtype: np.dtype[Any], levels: Levels) -> NDArray[np.uint8]:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=np.float64)
    shown = np.clip((values - levels.low) / (levels.high - levels.low), 0.0, 1.0)
    table = np.rint(shown * 255).astype(np.uint8)
    table.setflags(write=False)
    return table

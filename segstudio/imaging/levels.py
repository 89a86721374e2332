"""Which sample values count as black and as white: the levels of a plane, and samples between them. Pure functions.

One function finds them for screen, thumbnails and network; `store.kept_levels` keeps them. What a version has learned
may lie between levels that planes share (`pooled`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.imaging.outside import without_outside
from segstudio.imaging.source import ImageSource, Pixels

__all__ = [
    "EIGHT_BIT",
    "Levels",
    "auto_levels",
    "levels_by_channel",
    "levels_of",
    "pooled",
    "sample_of",
    "seen_by_channel",
    "seen_levels",
    "to_float",
]

_SAMPLE = 1 << 16
_PERCENTILES = (0.1, 99.9)
_WHOLE_PX = 1 << 26
"""Planes up to this size are read from top to bottom, larger ones in windows."""
_BAND_PX = 1 << 22
"""Pixels that are read at once, but at least a row of tiles."""
_WINDOW = 32
_WINDOWS = 256
_COMPARABLE = 0.25
_DARK = 64.0
"""Of 255 shades: a picture that stays below this shows little or nothing as it is stored."""
_GOLDEN, _SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1


@dataclass(frozen=True, slots=True)
class Levels:
    """The sample values shown as black and as white; low < high."""

    low: float
    high: float


EIGHT_BIT = Levels(0.0, 255.0)
"""Those of every plane of uint8: such pictures are shown as they are stored."""


def auto_levels(pixels: Pixels) -> Levels:
    """Levels for the samples (h, w, c) of a plane: 0..255 for uint8, else percentiles 0.1 and 99.9 of some 65,536 of
    them from all over the plane. The same for all channels. NaN and infinities do not count.
    """
    if pixels.dtype == np.uint8:
        return EIGHT_BIT
    return _levels(_sampled(pixels))


def levels_of(source: ImageSource, plane: int) -> Levels:
    """The `auto_levels` of a plane, which is read in bands. Beyond 67 million pixels a smaller level that the file has
    stands for it, else 0.3 million pixels are read, in windows. Raises `UnreadableImage`.
    """
    return EIGHT_BIT if source.info.dtype == "uint8" else _levels(sample_of(source, plane))


def seen_levels(pixels: Pixels, found: Levels) -> Levels:
    """The levels between which the samples (h, w, c) of a plane are first shown: those `found`, but a picture of 8 bits
    that is dark, as of fluorescence, is shown between its own percentiles 0.1 and 99.9.
    """
    return _if_dark(_sampled(pixels)) if pixels.dtype == np.uint8 else found


def seen_by_channel(pixels: Pixels) -> tuple[Levels, ...]:
    """The same for each channel by itself."""
    sample = _sampled(pixels)
    of = _if_dark if pixels.dtype == np.uint8 else _levels
    return tuple(of(sample[:, channel]) for channel in range(sample.shape[1]))


def _sampled(pixels: Pixels) -> Pixels:
    height, width, channels = pixels.shape
    return _sample(width, height, channels, lambda rect: pixels[_slices(rect)])


def _if_dark(sample: Pixels) -> Levels:
    """Those of samples of 8 bits: their own if all but the lightest thousandth is dark and they differ at all."""
    own = _levels(sample)
    return own if own.high < _DARK and sample.min() < sample.max() else EIGHT_BIT


def levels_by_channel(source: ImageSource, plane: int) -> tuple[Levels, ...]:
    """The same for each channel by itself, from the same pixels."""
    if source.info.dtype == "uint8":
        return (EIGHT_BIT,) * source.info.channels
    sample = sample_of(source, plane)
    return tuple(_levels(sample[:, channel]) for channel in range(sample.shape[1]))


def pooled(planes: Sequence[Sequence[Levels]]) -> tuple[Levels, ...]:
    """The levels by channel that planes of one project share, from those of each: between the 5th percentile of their
    lows and the 95th of their highs. () where they cannot be compared: with other numbers of channels, or where half of
    the planes would fill less than a quarter of the shared range, as with exposures that differ.
    """
    if not planes or len({len(levels) for levels in planes}) > 1:
        return ()
    found = []
    for channel in zip(*planes, strict=True):
        low = float(np.percentile([levels.low for levels in channel], 5))
        high = float(np.percentile([levels.high for levels in channel], 95))
        filled = float(np.median([levels.high - levels.low for levels in channel]))
        if not 0 < _COMPARABLE * (high - low) <= filled < math.inf:
            return ()
        found.append(Levels(low, high))
    return tuple(found)


def sample_of(source: ImageSource, plane: int) -> Pixels:
    """Pixels (n, c) from all over a plane, by which its levels are found. Raises `UnreadableImage`."""
    size = source.info.planes[plane]
    if size.width * size.height > _WHOLE_PX and (level := _enough(source.info.levels)):
        width, height = source.info.levels[level - 1]
        pixels = without_outside(source, Rect(0, 0, width, height), plane, level)
        return _sample(width, height, pixels.shape[2], lambda rect: pixels[_slices(rect)])
    return _sample(size.width, size.height, source.info.channels, lambda rect: without_outside(source, rect, plane))


def _enough(levels: Sequence[tuple[int, int]]) -> int:
    """The smallest of a file's own levels (counted from 1) that is no smaller than the sample; 0 if there is none."""
    return sum(width * height >= _SAMPLE for width, height in levels)


def _sample(width: int, height: int, channels: int, read: Callable[[Rect], Pixels]) -> Pixels:
    """Pixels (n, c) from all over a plane, the same ones at every call.

    All of them if they are few enough, else one out of each run of neighbours, else those of windows.
    """
    if width * height > _WHOLE_PX:
        parts = [read(rect) for rect in _windows(width, height)]
        return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])
    step = max(1, width * height * channels // _SAMPLE)
    # Each pixel is at another place within its run: with a fixed stride, a picture whose width is a power of two would
    # always be judged by the same few columns.
    at = np.arange(0, width * height, step)
    at = np.minimum(at + _spread(len(at), step), width * height - 1)
    rows = max(_BAND_PX // width // TILE, 1) * TILE
    cuts = np.searchsorted(at, [y * width for y in range(rows, height, rows)])
    return np.concatenate(
        [
            read(Rect(0, y, width, min(rows, height - y)))[part // width - y, part % width]
            for y, part in zip(range(0, height, rows), np.split(at, cuts), strict=True)
            if len(part)
        ]
    )


def _windows(width: int, height: int) -> list[Rect]:
    """Small windows in rows and columns of a grid, each at another place in its cell."""
    w, h = min(_WINDOW, width), min(_WINDOW, height)
    columns = max(1, min(_WINDOWS, round((_WINDOWS * width / height) ** 0.5), width // w))
    rows = max(1, min(_WINDOWS // columns, height // h))
    x = _spread(columns * rows, width // columns - w + 1)
    y = _spread(columns * rows, height // rows - h + 1, _SILVER)
    return [
        Rect(i % columns * (width // columns) + int(x[i]), i // columns * (height // rows) + int(y[i]), w, h)
        for i in range(columns * rows)
    ]


def _spread(n: int, below: int, ratio: float = _GOLDEN) -> NDArray[np.int64]:
    """n whole numbers of 0..below-1, evenly spread and without a period: multiples of an irrational (Weyl 1916)."""
    return np.floor(np.arange(n) * ratio % 1.0 * below).astype(np.int64)


def _levels(sample: Pixels) -> Levels:
    values = sample.astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return Levels(0.0, 1.0)
    low, high = (float(v) for v in np.percentile(values, _PERCENTILES))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return Levels(low, high) if high > low else Levels(low, low + max(1.0, abs(low) * 1e-6))


def _slices(rect: Rect) -> tuple[slice, slice]:
    return slice(rect.y, rect.bottom), slice(rect.x, rect.right)


_FEW_SAMPLES = 256


def to_float(pixels: Pixels, levels: Levels | Sequence[Levels]) -> NDArray[np.float32]:
    """Samples (h, w, c) as float32 in 0..1 between the levels, which may be given by channel; NaN becomes 0."""
    if pixels.dtype == np.uint8 and pixels.size > _FEW_SAMPLES and isinstance(levels, Levels):
        import cv2

        table = to_float(np.arange(_FEW_SAMPLES, dtype=np.uint8), levels)
        rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
        return np.asarray(cv2.LUT(rows, table), np.float32).reshape(pixels.shape)
    wide = np.float32 if pixels.dtype.itemsize <= 2 else np.float64
    if isinstance(levels, Levels):
        low, scale = wide(levels.low), wide(1.0 / (levels.high - levels.low))
    else:
        low = np.array([each.low for each in levels], wide)
        scale = np.array([1.0 / (each.high - each.low) for each in levels], wide)
    with np.errstate(all="ignore"):  # infinities and samples beyond float32 end at 0 or 1
        values = (pixels.astype(wide) - low) * scale
    return np.nan_to_num(np.clip(values, 0.0, 1.0), copy=False).astype(np.float32, copy=False)

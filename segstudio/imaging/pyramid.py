"""Images at other sizes. Those for views that show them small: level n is 2**n times smaller, box filtered."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Samples", "halved", "pyramid", "resizable", "resized"]

_MOST_CHANNELS = 4
"""The most channels that OpenCV resizes at once."""

_RESIZABLE = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
"""Types of samples that OpenCV resamples."""

_SMALLEST = 512
"""A level of at most this many pixels each way is not reduced further."""

Samples = NDArray[Any]
Sample = TypeVar("Sample", np.uint8, np.uint16, np.int16, np.float32, np.float64)


def resized(pixels: NDArray[Sample], width: int, height: int) -> NDArray[Sample]:
    """Pixels (h, w, c), any number of channels, at another size (height, width, c): each the mean of those that it
    covers if the image shrinks, bilinear if it grows.
    """
    import cv2

    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    parts = [
        cv2.resize(np.ascontiguousarray(pixels[:, :, i : i + _MOST_CHANNELS]), (width, height), interpolation=how)
        for i in range(0, pixels.shape[2], _MOST_CHANNELS)
    ]
    shaped = [np.asarray(part, pixels.dtype).reshape(height, width, -1) for part in parts]
    return shaped[0] if len(shaped) == 1 else np.concatenate(shaped, 2)


def pyramid(samples: Samples) -> tuple[Samples, ...]:
    """Samples (h, w, c) at every level of reduction: level 0 is the array itself, each next one `halved`, until it is
    at most 512 pixels wide and high. All of them together take 4/3 of its memory.
    """
    levels = [samples]
    while max(levels[-1].shape[:2]) > _SMALLEST:
        levels.append(halved(levels[-1]))
    return tuple(levels)


def halved(samples: Samples) -> Samples:
    """Samples (h, w, c) of any type at half the size, each the mean of 2 x 2, h and w at least 1.

    A last odd row or column counts twice and makes a pixel of its own, so that every level begins at the same corner
    and its pixels lie on those of the level below. Non-finite values count only where there is nothing else.
    """
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        return _halved_with_gaps(samples)
    usual = resizable(samples)
    small = _halved(usual)
    # Whole numbers stay whole, except those of 64 bits, which not even these floats hold exactly.
    if usual.dtype == samples.dtype or samples.dtype.itemsize == 8:
        return small
    return (small if samples.dtype.kind == "f" else np.rint(small)).astype(samples.dtype)


def resizable(samples: Samples) -> Samples:
    """Samples in a type that OpenCV resamples: as they are, else as floats wide enough for them."""
    if samples.dtype in _RESIZABLE:
        return samples
    return samples.astype(np.float32 if samples.dtype.itemsize <= 2 else np.float64)


def _halved(samples: NDArray[Sample]) -> NDArray[Sample]:
    import cv2

    h, w, c = samples.shape
    if h % 2 or w % 2:
        bordered = cv2.copyMakeBorder(samples, 0, h % 2, 0, w % 2, cv2.BORDER_REPLICATE)
        samples = np.asarray(bordered, samples.dtype).reshape(h + h % 2, w + w % 2, c)
    return resized(samples, samples.shape[1] // 2, samples.shape[0] // 2)


def _halved_with_gaps(samples: Samples) -> Samples:
    """The mean of the finite values among 2 x 2; the first if none is finite."""
    wide = samples.astype(np.float32) if samples.dtype.itemsize < 4 else samples
    known = np.isfinite(wide)
    share = _halved(known.astype(wide.dtype))
    total = _halved(np.where(known, wide, wide.dtype.type(0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        small = total / share
    return np.where(share > 0, small, wide[::2, ::2]).astype(samples.dtype)

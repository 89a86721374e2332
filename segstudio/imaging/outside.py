"""Which pixels lie outside the picture: those without data in any channel, as a georeferenced file marks them.

What is outside may be painted by hand, and counts for nothing else: it is not filled, proposed, learned from or
measured, and an export writes it as unknown.
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.source import ImageSource, Pixels, Stored, open_stored

__all__ = ["Bounded", "has_outside", "outside", "outside_in", "without_data", "without_outside"]


@runtime_checkable
class Bounded(Protocol):
    """A source that tells itself which pixels lie outside its picture."""

    def outside(self, rect: Rect, level: int = 0, plane: int = 0) -> NDArray[np.bool_]:
        """Which pixels (h, w) of a rectangle of a level, cut at its edges. Raises `UnreadableImage`."""
        ...


def has_outside(metadata: Metadata) -> bool:
    """Whether pixels of such an image may lie outside the picture."""
    return metadata.masked or metadata.nodata is not None


def outside(source: ImageSource, rect: Rect, level: int = 0, plane: int = 0) -> NDArray[np.bool_] | None:
    """Which pixels (h, w) of a rectangle lie outside, or None where none does. Raises `UnreadableImage`."""
    metadata = source.info.metadata
    if not has_outside(metadata):
        return None
    if isinstance(source, Bounded):
        found = source.outside(rect, level, plane)
    elif metadata.nodata is None:
        return None
    else:
        found = without_data(source.read(rect, level, plane), metadata.nodata)
    return found if found.any() else None


def outside_in(stored: Stored, plane: int, rect: Rect) -> NDArray[np.bool_] | None:
    """The same of an image as a project knows it; a file is opened where pixels may lie outside, and closed again.

    Raises `UnreadableImage`. For a worker thread.
    """
    if not has_outside(stored.metadata):
        return None
    source = open_stored(stored)
    try:
        return outside(source, rect, plane=plane)
    finally:
        source.close()


def without_outside(source: ImageSource, rect: Rect, plane: int = 0, level: int = 0) -> Pixels:
    """Samples (h, w, c) of a rectangle; where some lie outside, as floats in which these are NaN."""
    samples, found = source.read(rect, level, plane), outside(source, rect, level, plane)
    if found is None:
        return samples
    wide = np.float32 if samples.dtype.itemsize <= 2 or samples.dtype == np.float32 else np.float64
    samples = samples.astype(wide)
    samples[found] = np.nan
    return samples


def without_data(samples: Pixels, nodata: float) -> NDArray[np.bool_]:
    """Which pixels (h, w) of samples (h, w, c) have this value in every channel."""
    if not _holds(samples.dtype, nodata):
        return np.zeros(samples.shape[:2], np.bool_)
    value = samples.dtype.type(nodata)
    found = samples[..., 0] == value
    for channel in range(1, samples.shape[2]):
        found &= samples[..., channel] == value
    return found


def _holds(dtype: "np.dtype[Any]", value: float) -> bool:
    """Whether a value can be a sample: a file of bytes may say that -9999 is no data."""
    if dtype.kind == "f":
        return True
    info = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    return value == int(value) and info.min <= value <= info.max

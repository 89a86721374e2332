"""Small pictures of image files, for lists. No Qt: arrays in, arrays out; for a worker thread.

A picture costs as little as its file allows: JPEGs are decoded at a reduced size, of a file with levels of its own
the smallest that will do is read; anything else is decoded whole, but never more than `LARGEST_BYTES` of samples.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.display import View
    from segstudio.imaging.source import ImageSource, Stored
    from segstudio.imaging.values import Rescale

__all__ = ["LARGEST_BYTES", "Wish", "is_large", "reduced_display", "reduced_file"]

LARGEST_BYTES = 1 << 30
"""Samples decoded for one thumbnail, in bytes."""

_LARGE_PX = 24_000_000
_OVERSAMPLED = 4


class Wish(NamedTuple):
    """A picture that is wanted: of which image, with which content, from which file. Another content is another key."""

    image: int
    content: str
    stored: "Stored"


def is_large(stored: "Stored") -> bool:
    """Whether a picture of these files may take more than a moment. Raises `UnreadableImage`."""
    from segstudio.imaging.source import probe

    plane = probe(stored.first).planes[0]
    return plane.width * plane.height > _LARGE_PX


def reduced_file(stored: "Stored", width: int, height: int) -> NDArray[np.uint8] | None:
    """The first plane as uint8 (h, w, 3), reduced to fill width x height pixels or less.

    None where that would take more than `LARGEST_BYTES`. Raises `UnreadableImage`.
    """
    from segstudio.imaging.bands import is_composite
    from segstudio.imaging.first_view import first_view_of
    from segstudio.imaging.levels import levels_of, seen_by_channel, seen_levels
    from segstudio.imaging.source import open_stored
    from segstudio.imaging.values import levels_in_values, rescale_of

    file, source = stored.first, open_stored(stored)
    try:
        info = source.info
        samples = _reduced_samples(file, source, _OVERSAMPLED * width, _OVERSAMPLED * height)
        if samples is None:
            plane = info.planes[0]
            if plane.width * plane.height * info.channels * np.dtype(info.dtype).itemsize > LARGEST_BYTES:
                return None
            samples = source.read()
        levels, rescale = levels_of(source, 0), rescale_of(source, 0)
        channels = samples.shape[2]
        each = seen_by_channel(samples) if is_composite(info.metadata, channels) else ()
        levels = levels_in_values(seen_levels(samples, levels), rescale)
        by_channel = [levels_in_values(one, rescale) for one in each]
        view = first_view_of(info.metadata, channels, levels, by_channel)
        return _fitted(samples, view, width, height, rescale)
    finally:
        source.close()


def reduced_display(display: "DisplayImage", width: int, height: int) -> NDArray[np.uint8]:
    """The same from an image that is on screen, however that is shown: its smallest level is there already."""
    return _fitted(display.smallest(), display.first, width, height)


def _fitted(
    samples: NDArray[np.generic], view: "View", width: int, height: int, rescale: "Rescale" = (1.0, 0.0)
) -> NDArray[np.uint8]:
    import cv2

    from segstudio.imaging.display import to_rgb
    from segstudio.imaging.values import valued

    h, w = samples.shape[:2]
    scale = min(1.0, max(width / w, height / h))
    step = max(1, int(1 / scale) // _OVERSAMPLED)
    rgb = to_rgb(valued(np.ascontiguousarray(samples[::step, ::step]), rescale), view)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _reduced_samples(file: Path, source: "ImageSource", width: int, height: int) -> NDArray[np.generic] | None:
    """Samples (h, w, c) of at least width x height that were never whole in memory; None where there are none."""
    from segstudio.imaging.early_copy import reduced_jpeg

    info = source.info
    plane = info.planes[0]
    if plane.width < 2 * width or plane.height < 2 * height:
        return None
    if info.family == "jpeg":
        return reduced_jpeg(file, min(plane.width // width, plane.height // height))
    level = sum(w >= width and h >= height for w, h in info.levels)
    return source.read(None, level) if level else None

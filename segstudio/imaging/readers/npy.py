"""NumPy arrays in .npy files: (h, w), (h, w, 1..4) or (planes, h, w). Never a pickle."""

from pathlib import Path
from typing import Any

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.frames import Frame, FrameSource
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo
from segstudio.text import _

__all__ = ["array_info", "layout_of", "native", "open_image", "probe"]

_MOST_CHANNELS = 4


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with reading(path):
        array = _mapped(path)
        shape, dtype = array.shape, array.dtype
        del array
    return array_info(path, "npy", shape, dtype)


def array_info(path: Path, family: str, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> ImageInfo:
    """The header of an array as an image. Raises `UnreadableImage` where it is none."""
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise UnreadableImage(
            _("{name} cannot be read: it holds {dtype} values, which are not pixels.", name=path.name, dtype=dtype)
        )
    if len(shape) not in (2, 3):
        raise UnreadableImage(
            _(
                "{name} cannot be read: it holds an array of {dimensions} dimensions, not 2 or 3.",
                name=path.name,
                dimensions=len(shape),
            )
        )
    count, height, width, channels = layout_of(shape)
    checked_size(path, width, height, channels * dtype.itemsize)
    name = "uint8" if dtype.kind == "b" else dtype.newbyteorder("=").name
    return ImageInfo(tuple(PlaneInfo(str(i), width, height) for i in range(count)), channels, name, family)


def open_image(path: Path) -> FrameSource:
    """See `imaging.source.open_image`."""
    info = probe(path)

    def decode(plane: int) -> Frame:
        with reading(path):
            array = _mapped(path)
            count, height, width, channels = layout_of(array.shape)
            planes = array.reshape(count, height, width, channels)
            return Frame(native(planes[plane]))

    return FrameSource(info, decode)


def _mapped(path: Path) -> Pixels:
    # Mapping refuses a file that is shorter than its header says, and reads no pixel.
    return np.load(path, mmap_mode="r", allow_pickle=False)


def layout_of(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Planes, height, width, channels."""
    if len(shape) == 2:
        return 1, shape[0], shape[1], 1
    if 1 <= shape[2] <= _MOST_CHANNELS:
        return 1, shape[0], shape[1], shape[2]
    return shape[0], shape[1], shape[2], 1


def native(samples: Pixels) -> Pixels:
    """A copy in this machine's byte order; true and false become 255 and 0."""
    if samples.dtype.kind == "b":
        return samples.astype(np.uint8) * np.uint8(255)
    return np.array(samples, samples.dtype.newbyteorder("="), order="C")

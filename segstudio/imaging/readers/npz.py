"""NumPy archives (.npz) that hold one array, laid out as in a .npy file; of several, a sentence names them."""

import zipfile
from contextlib import AbstractContextManager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.frames import Frame, FrameSource
from segstudio.imaging.readers.npy import array_info, layout_of, native
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.readers.unpacked import unpacked
from segstudio.imaging.source import ImageInfo, Pixels
from segstudio.text import _

__all__ = ["open_image", "probe"]

_NAMED = 5


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with _reading(path):
        _name, shape, dtype = _header(path)
        info = array_info(path, "npz", shape, dtype)
        count, height, width, channels = layout_of(shape)
        checked_size(path, width, height * count, channels * dtype.itemsize)
        return info


def open_image(path: Path) -> FrameSource:
    """See `imaging.source.open_image`."""

    def decode(plane: int) -> Frame:
        with _reading(path):
            array = unpacked(path, lambda: _array(path))
            return Frame(native(array.reshape(layout_of(array.shape))[plane]))

    return FrameSource(probe(path), decode)


def _reading(path: Path) -> AbstractContextManager[None]:
    return reading(path, zipfile.BadZipFile)


def _header(path: Path) -> tuple[str, tuple[int, ...], "np.dtype[Any]"]:
    """The only array of the archive: its name there, its shape and its type."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        if len(names) != 1:
            more = ", ..." if len(names) > _NAMED else ""
            arrays = ", ".join(name.removesuffix(".npy") for name in names[:_NAMED]) + more
            raise UnreadableImage(
                _("{name} cannot be read: it holds several arrays ({arrays}).", name=path.name, arrays=arrays),
                todo=_("Save the one that is the picture as a .npy file."),
            )
        with archive.open(names[0]) as file:
            version = npy_format.read_magic(file)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, _fortran, dtype = read(file)
            if file.tell() + prod(shape) * dtype.itemsize > archive.getinfo(names[0]).file_size:
                raise EOFError("shorter than its header says")
        return names[0], shape, dtype


def _array(path: Path) -> Pixels:
    with zipfile.ZipFile(path) as archive, archive.open(_header(path)[0]) as file:
        return npy_format.read_array(file, allow_pickle=False)

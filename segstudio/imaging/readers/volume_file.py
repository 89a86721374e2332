"""Voxels that lie in a file one after the other: x fastest (channels before it), then y, z, t. NRRD and MetaImage.

Of a file that is not compressed a plane is read at a time; one that is compressed is unpacked whole.
"""

import bz2
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod, sqrt
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import Affine, Metadata
from segstudio.imaging.readers.refusal import checked_size
from segstudio.imaging.readers.unpacked import unpacked
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo
from segstudio.text import N_, _

__all__ = ["NOWHERE", "Packing", "Volume", "VolumeSource", "affine_of", "beside", "lengths_of", "volume_info"]

NOWHERE = N_("The file does not say where it lies in the body.")

_LEAST_DETERMINANT = 1e-12
_TIGHTEST = {"gzip": 1032, "zlib": 1032, "bzip2": 50_000}
"""The most that a packing makes of a byte."""

Packing = str
"""raw, gzip, zlib, bzip2 or text."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Where voxels lie: `shape` is (t, z, y, x, channels), `offset` that of the first byte, packed or not, and `skip`
    how many unpacked bytes come before the voxels. `size` is how many packed bytes there are, None for all to the end.
    """

    data: Path
    shape: tuple[int, int, int, int, int]
    dtype: "np.dtype[Any]"
    packing: Packing = "raw"
    offset: int = 0
    skip: int = 0
    size: int | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all voxels."""
        return prod(self.shape) * self.dtype.itemsize


def beside(path: Path, name: str) -> Path:
    """The file that holds the voxels of a header: only one in the same folder. Raises `UnreadableImage`."""
    if not name or Path(name).name != name or name in (".", "..") or "\\" in name:
        raise UnreadableImage(
            _("{name} cannot be read: its voxels lie in '{file}', which is not beside it.", name=path.name, file=name)
        )
    data = path.parent / name
    if not data.is_file():
        raise UnreadableImage(
            _("{name} cannot be read: its voxels lie in '{file}', which is missing.", name=path.name, file=name)
        )
    return data


def volume_info(path: Path, family: str, volume: Volume, metadata: Metadata) -> ImageInfo:
    """The header of an image of these voxels. Raises `UnreadableImage`, and `EOFError` where some are missing."""
    times, slices, height, width, channels = volume.shape
    if volume.dtype.kind not in "iuf" or not 1 <= channels <= _MOST_CHANNELS:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    checked_size(path, width, height, channels * volume.dtype.itemsize)
    there = volume.data.stat().st_size - volume.offset
    need = volume.nbytes + volume.skip
    if volume.packing != "text" and need > there * _TIGHTEST.get(volume.packing, 1):
        raise EOFError("shorter than its header says")
    if volume.packing != "raw":
        checked_size(volume.data, width * height, times * slices * channels, volume.dtype.itemsize)
    keys = [_key(slices, times, plane) for plane in range(slices * times)]
    planes = tuple(PlaneInfo(key, width, height) for key in keys)
    name = volume.dtype.newbyteorder("=").name
    return ImageInfo(planes, channels, name, family, metadata=metadata, beside=_others(path, volume))


_MOST_CHANNELS = 64


def _others(path: Path, volume: Volume) -> tuple[str, ...]:
    return () if volume.data == path else (volume.data.name,)


def _key(slices: int, times: int, plane: int) -> str:
    """As of NIfTI: `z5t2`, the place along each axis; `0` for a single plane."""
    if slices * times == 1:
        return "0"
    return f"z{plane % slices}" + (f"t{plane // slices}" if times > 1 else "")


def lengths_of(directions: Sequence[Sequence[float]]) -> tuple[float, ...] | None:
    """The spacing along each axis of which a step is given as a vector; None where one has no length."""
    found = tuple(sqrt(sum(value * value for value in direction)) for direction in directions)
    return found if all(0.0 < length < float("inf") for length in found) else None


def affine_of(
    directions: Sequence[Sequence[float]], origin: Sequence[float], signs: tuple[int, int, int], scale: float
) -> Affine | None:
    """Steps along x, y, z and the place of the first voxel, in a space whose axes are turned by `signs` to point right,
    forward and up, and whose unit is `scale` millimetres; None where that has no inverse.
    """
    if len(directions) != 3 or len(origin) != 3:
        return None
    columns = np.array([*directions, origin], np.float64).T * (np.array(signs, np.float64)[:, None] * scale)
    if not np.isfinite(columns).all() or abs(np.linalg.det(columns[:, :3])) < _LEAST_DETERMINANT:
        return None
    return cast(Affine, tuple(tuple(float(value) + 0.0 for value in row) for row in columns))


class VolumeSource:
    """See `ImageSource`; what was unpacked of a compressed file is kept for all sources (`readers.unpacked`)."""

    def __init__(
        self, path: Path, info: ImageInfo, volume: Volume, reading: Callable[[Path], AbstractContextManager[None]]
    ) -> None:
        self.info = info
        self._path, self._volume, self._reading = path, volume, reading

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        if level:
            raise IndexError(f"level {level} of 1")
        size = self.info.planes[plane]
        whole = Rect(0, 0, size.width, size.height)
        part = whole if rect is None else rect.intersected(whole)
        with self._reading(self._path):
            found = self._voxels()[plane, part.y : part.bottom, part.x : part.right]
            samples = np.array(found, np.dtype(self.info.dtype), order="C")
        samples = samples if channels is None else samples[..., list(channels)]
        samples.setflags(write=False)
        return samples

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> None:
        """See `ImageSource.alpha`."""

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`: nothing is held here."""

    def close(self) -> None:
        """See `ImageSource.close`: nothing is held here."""

    def _voxels(self) -> NDArray[Any]:
        """Voxels (plane, y, x, channel) in the file's byte order."""
        volume = self._volume
        times, slices, *rest = volume.shape
        shape = (times * slices, *rest)
        if volume.packing == "raw":
            return np.memmap(volume.data, volume.dtype, "r", volume.offset + volume.skip, shape)
        return unpacked(volume.data, lambda: _unpack(volume)).reshape(shape)


def _unpack(volume: Volume) -> NDArray[Any]:
    with volume.data.open("rb") as file:
        file.seek(volume.offset)
        packed = file.read() if volume.size is None else file.read(volume.size)
    if volume.packing == "text":
        found = np.array(packed.split(), dtype=volume.dtype)
    else:
        found = np.frombuffer(_bytes(packed, volume), volume.dtype)
    if found.size != prod(volume.shape):
        raise EOFError("shorter than its header says")
    return found


def _bytes(packed: bytes, volume: Volume) -> bytes:
    """The voxels, and not a byte more than the header asks for: what follows may be without end."""
    need = volume.skip + volume.nbytes
    if volume.packing == "bzip2":
        data = bz2.BZ2Decompressor().decompress(packed, need)
    else:
        unpacker = zlib.decompressobj(wbits=47)  # zlib's or gzip's header
        data = unpacker.decompress(packed, need)
        if not unpacker.eof:  # only at its end stands whether what was unpacked is what was packed
            unpacker.decompress(unpacker.unconsumed_tail, _SPARE)
            if not unpacker.eof and not unpacker.unconsumed_tail:
                raise EOFError("no end of the packed bytes")
    return data[volume.skip : need]


_SPARE = 1 << 16

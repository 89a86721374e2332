"""NRRD: the header by pynrrd, voxels beside it or behind it, x = first axis of space, y = second, planes z first.

Space in a patient becomes that of NIfTI (right, forward, up); a space that is not of a patient gives no place.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.readers.volume_file import (
    NOWHERE,
    Volume,
    VolumeSource,
    affine_of,
    beside,
    lengths_of,
    volume_info,
)
from segstudio.imaging.source import ImageInfo, ImageSource, Stored
from segstudio.text import _

__all__ = ["open_image", "open_series", "probe"]

_SIGNS = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
_TYPES = {
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "int64": "i8",
    "uint64": "u8", "float": "f4", "double": "f8",
}  # fmt: skip
_ALIASES = {
    "signed char": "int8", "int8_t": "int8", "uchar": "uint8", "unsigned char": "uint8", "uint8_t": "uint8",
    "short": "int16", "short int": "int16", "signed short": "int16", "signed short int": "int16", "int16_t": "int16",
    "ushort": "uint16", "unsigned short": "uint16", "unsigned short int": "uint16", "uint16_t": "uint16",
    "int": "int32", "signed int": "int32", "int32_t": "int32", "uint": "uint32", "unsigned int": "uint32",
    "uint32_t": "uint32", "longlong": "int64", "long long": "int64", "long long int": "int64",
    "signed long long": "int64", "signed long long int": "int64", "int64_t": "int64", "ulonglong": "uint64",
    "unsigned long long": "uint64", "unsigned long long int": "uint64", "uint64_t": "uint64",
}  # fmt: skip
_PACKINGS = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
    "ascii": "text", "text": "text", "txt": "text",
}  # fmt: skip
_OF_SAMPLES = ("vector", "color", "list", "complex", "matrix", "point", "normal", "quaternion", "none", "scalar")
_MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3, "cm": 10.0, "m": 1e3}


class _Axes(NamedTuple):
    """Places of axes in the header: of the samples of a pixel, of space (x first), and of what is left."""

    samples: int | None
    space: tuple[int, ...]
    left: tuple[int, ...]


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with _reading(path):
        return _opened(path)[0]


def open_image(path: Path) -> ImageSource:
    """See `imaging.source.open_image`."""
    with _reading(path):
        return VolumeSource(path, *_opened(path), _reading)


def open_series(stored: Stored) -> ImageSource:
    """See `SeriesReader.open_series`: the second file holds the voxels, whatever the header calls it."""
    with _reading(stored.first):
        return VolumeSource(stored.first, *_opened(stored.first, stored.files[1]), _reading)


def _reading(path: Path) -> AbstractContextManager[None]:
    from nrrd.errors import NRRDError

    return reading(path, NRRDError)


def _opened(path: Path, data: Path | None = None) -> tuple[ImageInfo, Volume]:
    import nrrd

    with path.open("rb") as file:
        header: Mapping[str, Any] = nrrd.read_header(file)
        end = file.tell()
    volume = _volume(path, header, end, data)
    return volume_info(path, "nrrd", volume, _metadata(header, volume)), volume


def _volume(path: Path, header: Mapping[str, Any], end: int, data: Path | None) -> Volume:
    kind = str(header.get("type", "")).strip()
    code, packing = _TYPES.get(_ALIASES.get(kind, kind)), _PACKINGS.get(str(header.get("encoding", "")).lower())
    if code is None or packing is None:
        raise UnreadableImage(
            _("{name} cannot be read: it holds '{kind}' values, which are not pixels.", name=path.name, kind=kind)
            if code is None
            else _("{name} cannot be read: its encoding is not known.", name=path.name)
        )
    sizes = [int(size) for size in header["sizes"]]
    if len(sizes) != int(header["dimension"]) or min(sizes, default=0) < 1:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    shape = _shape(path, sizes, _axes(header, sizes))
    order = ">" if str(header.get("endian", "little")).lower() == "big" else "<"
    dtype = np.dtype(code if code[1] == "1" else order + code)
    named = header.get("data file", header.get("datafile"))
    place = path if named is None else data or beside(path, str(named))
    offset = _after_lines(place, end if named is None else 0, int(header.get("line skip", header.get("lineskip", 0))))
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    volume = Volume(place, shape, dtype, packing, offset, max(skip, 0))
    if skip == -1 and packing == "raw":  # the voxels are the last bytes of the file
        return Volume(place, shape, dtype, packing, place.stat().st_size - volume.nbytes)
    return volume


def _after_lines(path: Path, offset: int, lines: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        for _line in range(lines):
            file.readline()
        return file.tell()


def _axes(header: Mapping[str, Any], sizes: list[int]) -> _Axes:
    kinds = [str(kind).lower() for kind in header.get("kinds", [])] or ["domain"] * len(sizes)
    directions = header.get("space directions")
    steps = [None] * len(sizes) if directions is None else [_step(row) for row in directions]
    in_space = [
        steps[at] is not None if directions is not None else not any(word in kinds[at] for word in _OF_SAMPLES)
        for at in range(len(sizes))
    ]
    timed = ["time" in kind for kind in kinds]
    samples = 0 if not in_space[0] and not timed[0] and len(sizes) > 2 else None
    space = tuple(at for at, there in enumerate(in_space) if there and not timed[at] and at != samples)[:3]
    left = tuple(at for at in range(len(sizes)) if at not in space and at != samples)
    return _Axes(samples, space, left)


def _shape(path: Path, sizes: list[int], axes: _Axes) -> tuple[int, int, int, int, int]:
    """(t, z, y, x, channels); an axis that is neither in space nor of samples counts as time."""
    order = (*((axes.samples,) if axes.samples is not None else ()), *axes.space, *axes.left)
    if len(axes.space) < 2 or order != tuple(range(len(sizes))):
        raise UnreadableImage(_("{name} cannot be read: the order of its axes is not supported.", name=path.name))
    x, y, z = (*(sizes[at] for at in axes.space), 1)[:3]
    times = int(np.prod([sizes[at] for at in axes.left], dtype=np.int64))
    checked_size(path, x, y, 1)
    return times, z, y, x, 1 if axes.samples is None else sizes[axes.samples]


def _step(row: Any) -> tuple[float, ...] | None:
    if row is None:
        return None
    found = tuple(float(value) for value in row)
    return found if all(isfinite(value) for value in found) else None


def _metadata(header: Mapping[str, Any], volume: Volume) -> Metadata:
    times, slices, *_rest = volume.shape
    places = _axes(header, [int(size) for size in header["sizes"]])
    sizes = tuple(n for n in (times, slices) if n > 1)
    axes = ("t" if times > 1 else "") + ("z" if slices > 1 else "") + "yx"
    directions = header.get("space directions")
    steps = [] if directions is None else [step for at in places.space if (step := _step(directions[at])) is not None]
    told = [float(value) for value in header.get("spacings", [])]
    lengths = lengths_of(steps) if steps else tuple(told[at] for at in places.space if at < len(told))
    units = [str(unit).strip('"').lower() for unit in header.get("space units", header.get("units", []))]
    scale = _MILLIMETRES.get(units[0] if units else "mm")
    deep = slices > 1 and lengths is not None and len(lengths) == 3
    known = lengths is not None and len(lengths) >= 2 and all(isfinite(n) and n > 0.0 for n in lengths)
    spacing = tuple(reversed(lengths if deep else lengths[:2])) if known and lengths is not None else None
    signs = _SIGNS.get(str(header.get("space", "")).lower())
    origin = [float(value) for value in header.get("space origin", [])]
    affine = affine_of(steps, origin, signs, scale) if signs is not None and scale is not None else None
    return Metadata(
        axes=axes,
        sizes=sizes,
        spacing=tuple(n * scale for n in spacing) if spacing is not None and scale is not None else None,
        unit="mm" if spacing is not None and scale is not None else "",
        affine=affine,
        notes=(NOWHERE,) if affine is None and len(places.space) == 3 else (),
    )

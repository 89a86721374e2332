"""MetaImage (.mha, .mhd), as ITK writes it: a header of lines, and voxels behind it or in a file beside it.

Space is the patient's, leftwards, backwards and up; it becomes that of NIfTI (right, forward, up).
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from math import isfinite
from pathlib import Path

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.readers.volume_file import NOWHERE, Volume, VolumeSource, affine_of, beside, volume_info
from segstudio.imaging.source import ImageInfo, ImageSource, Stored
from segstudio.text import _

__all__ = ["is_metaimage", "open_image", "open_series", "probe"]

_LONGEST_HEADER = 1 << 16
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_LPS = (-1, -1, 1)
_UNTURNED = "1 0 0 0 1 0 0 0 1"


def is_metaimage(head: bytes) -> bool:
    """Whether these are the first bytes of such a header: it begins with its kind, or its number of axes."""
    first = head.lstrip().partition(b"\n")[0]
    return (first.startswith(b"ObjectType") and b"Image" in first) or (
        first.startswith(b"NDims") and b"DimSize" in head
    )


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
    return reading(path)


def _opened(path: Path, data: Path | None = None) -> tuple[ImageInfo, Volume]:
    header, end = _header(path)
    volume = _volume(path, header, end, data)
    return volume_info(path, "metaimage", volume, _metadata(header, volume)), volume


def _header(path: Path) -> tuple[Mapping[str, str], int]:
    """The lines NAME = VALUE, and where they end: the last one says where the voxels are."""
    found: dict[str, str] = {}
    with path.open("rb") as file:
        while file.tell() < _LONGEST_HEADER:
            line = file.readline(_LONGEST_HEADER)
            name, equals, value = line.decode("utf-8", "replace").partition("=")
            if not line or not equals:
                break
            found[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                return found, file.tell()
    raise EOFError("its header has no end")


def _volume(path: Path, header: Mapping[str, str], end: int, data: Path | None) -> Volume:
    sizes = [int(size) for size in header["DimSize"].split()]
    code = _TYPES.get(header["ElementType"].removesuffix("_ARRAY"))
    if code is None or not 2 <= len(sizes) <= 4 or min(sizes) < 1 or header.get("BinaryData", "True") == "False":
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    x, y, z, times = (*sizes, 1, 1)[:4]
    checked_size(path, x, y, 1)
    big = header.get("BinaryDataByteOrderMSB", header.get("ElementByteOrderMSB", "False")).lower() == "true"
    dtype = np.dtype(code if code[1] == "1" else (">" if big else "<") + code)
    shape = (times, z, y, x, int(header.get("ElementNumberOfChannels", 1)))
    named, local = header["ElementDataFile"], header["ElementDataFile"].upper() == "LOCAL"
    place = path if local else data or beside(path, named)
    offset, skip = end if local else 0, int(header.get("HeaderSize", 0))
    if header.get("CompressedData", "False").lower() == "true":
        size = int(header.get("CompressedDataSize", 0)) or None
        return Volume(place, shape, dtype, "zlib", offset, size=size)
    volume = Volume(place, shape, dtype, "raw", offset, max(skip, 0))
    if skip == -1:  # the voxels are the last bytes of the file
        return Volume(place, shape, dtype, "raw", place.stat().st_size - volume.nbytes)
    return volume


def _numbers(text: str) -> list[float]:
    return [float(value) for value in text.split()]


def _metadata(header: Mapping[str, str], volume: Volume) -> Metadata:
    times, slices, *_rest = volume.shape
    spacing = _numbers(header.get("ElementSpacing", header.get("ElementSize", "")))
    known = len(spacing) >= 2 and all(isfinite(length) and length > 0.0 for length in spacing)
    deep, said = slices > 1 and len(spacing) >= 3, header.get("Offset", header.get("Position", header.get("Origin")))
    affine = None
    if known and len(spacing) == 3 and said is not None:
        turned = header.get("TransformMatrix", header.get("Rotation", header.get("Orientation", _UNTURNED)))
        matrix = np.array(_numbers(turned)).reshape(3, 3) * np.array(spacing)[:, None]
        affine = affine_of(matrix.tolist(), _numbers(said), _LPS, 1.0)
    return Metadata(
        axes=("t" if times > 1 else "") + ("z" if slices > 1 else "") + "yx",
        sizes=tuple(n for n in (times, slices) if n > 1),
        spacing=tuple(reversed(spacing[: 3 if deep else 2])) if known else None,
        unit="mm" if known else "",
        affine=affine,
        notes=(NOWHERE,) if affine is None and slices > 1 else (),
    )

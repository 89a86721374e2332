"""NIfTI-1, NIfTI-2 and Analyze, read by nibabel: i is x, j is y, and the planes count k first, then t.

Samples are those stored; slope and intercept are told beside them. The place in the patient is the file's affine.
Of a volume that is not compressed a plane is read at a time; one that is compressed is unpacked whole.
"""

import gzip
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import isfinite, prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import Affine, Metadata
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.readers.unpacked import unpacked
from segstudio.imaging.source import ImageInfo, ImageSource, Pixels, PlaneInfo
from segstudio.text import N_, _

__all__ = ["is_nifti", "open_image", "probe", "unzipped"]

_GZIP = b"\x1f\x8b"
_SIZES = (348, 540)
_MAGIC = {348: (344, (b"n+1\0", b"ni1\0", b"\0\0\0\0")), 540: (4, (b"n+2\0", b"ni2\0"))}
_NAMES = "zt5678"
"""What the axes after x and y are called, k first."""

_UNITS = {"meter": ("m", 1000.0), "mm": ("mm", 1.0), "micron": ("µm", 0.001)}
_NOWHERE = N_("The file does not say where it lies in the body.")
_NO_PLACE = N_("The file does not say where it lies in the body: its affine has no inverse.")
_LEAST_DETERMINANT = 1e-12
_TIGHTEST = 1032
"""The most that deflate makes of a byte."""


def unzipped(head: bytes) -> bytes:
    """The first bytes of what a file holds, compressed by gzip or not; b"" where that is damaged."""
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1024)
    except zlib.error:
        return b""


def is_nifti(head: bytes) -> bool:
    """Whether these are the first bytes of such a file, compressed or not."""
    head = unzipped(head)
    for order in ("little", "big"):
        size = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
        if size in _SIZES and len(head) >= _SIZES[0]:
            at, magic = _MAGIC[size]
            return head[at : at + 4] in magic
    return False


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with _reading(path):
        return _info(path, _loaded(path))


def open_image(path: Path) -> ImageSource:
    """See `imaging.source.open_image`."""
    return _Volume(path, probe(path))


def _reading(path: Path) -> AbstractContextManager[None]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    return reading(path, ImageFileError, HeaderDataError, WrapStructError)


def _loaded(path: Path) -> Any:
    from nibabel.loadsave import load

    image: Any = load(path, mmap=False)
    if len(image.file_map) > 1:
        raise UnreadableImage(
            _("{name} cannot be read: its pixels lie in another file, which is not supported yet.", name=path.name),
            todo=_("Convert the pair to one .nii file."),
        )
    return image


def _info(path: Path, image: Any) -> ImageInfo:
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 2 or min(shape) < 1:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    width, height, *more = shape
    dtype, channels = _samples(path, image.get_data_dtype())
    count = prod(more)
    checked_size(path, width, height, channels * dtype.itemsize)
    _must_fit(path, image, channels * dtype.itemsize)
    while more and more[-1] == 1:
        more.pop()
    sizes = tuple(reversed(more))
    metadata = _metadata(image, "".join(reversed(_NAMES[: len(more)])) + "yx", sizes)
    planes = tuple(PlaneInfo(_key(more, plane), width, height) for plane in range(count))
    return ImageInfo(planes, channels, dtype.name, "nifti", metadata=metadata)


def _key(sizes: Sequence[int], plane: int) -> str:
    """For example `z5t2`: the place along each axis; `0` for a single plane."""
    if not sizes:
        return "0"
    at = np.unravel_index(plane, sizes, order="F")
    return "".join(f"{name}{place}" for name, place in zip(_NAMES, at, strict=False))


def _samples(path: Path, dtype: "np.dtype[Any]") -> tuple["np.dtype[Any]", int]:
    """The type of a sample in this machine's order, and how many a pixel has."""
    fields = dtype.fields
    if fields is not None and all(kind[0] == np.uint8 for kind in fields.values()):
        return np.dtype(np.uint8), len(fields)
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise UnreadableImage(
            _("{name} cannot be read: it holds {dtype} values, which are not pixels.", name=path.name, dtype=dtype)
        )
    return dtype.newbyteorder("="), 1


def _must_fit(path: Path, image: Any, bytes_a_voxel: int) -> None:
    """A header may ask for more voxels than there are: an uncompressed file must be as long as it says, and nothing is
    packed more tightly than by `_TIGHTEST`.
    """
    shape = tuple(int(n) for n in image.shape)
    need, there = int(image.dataobj.offset) + prod(shape) * bytes_a_voxel, path.stat().st_size
    if need > there * (_TIGHTEST if _is_compressed(path) else 1):
        raise EOFError("shorter than its header says")
    checked_size(path, shape[0] * shape[1], prod(shape[2:]), bytes_a_voxel)


def _metadata(image: Any, axes: str, sizes: tuple[int, ...]) -> Metadata:
    header = image.header
    unit, scale = "mm", 1.0
    if hasattr(header, "get_xyzt_units"):
        unit, scale = _UNITS.get(str(header.get_xyzt_units()[0]), ("mm", 1.0))
    zooms = [float(zoom) for zoom in header.get_zooms()[:3]]
    known = len(zooms) >= 2 and all(isfinite(zoom) and zoom > 0.0 for zoom in zooms)
    deep = "z" in axes and len(zooms) == 3
    spacing = tuple(reversed(zooms if deep else zooms[:2])) if known else None
    told = [int(header[code]) for code in ("sform_code", "qform_code") if code in header]
    affine, note = _affine(image.affine, scale) if any(told) else (None, _NOWHERE)
    return Metadata(
        axes=axes,
        sizes=sizes,
        spacing=spacing,
        unit=unit if spacing else "",
        affine=affine,
        notes=(note,) if note else (),
    )


def _affine(found: NDArray[np.float64] | None, scale: float) -> tuple[Affine | None, str]:
    if found is None:
        return None, ""
    matrix = np.asarray(found, np.float64)[:3] * scale
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :3])) < _LEAST_DETERMINANT:
        return None, _NO_PLACE
    return cast(Affine, tuple(tuple(float(value) for value in row) for row in matrix)), ""


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _content(path: Path, image: Any) -> bytes:
    """All of a compressed file: only at its end stands whether what was unpacked is what was packed."""
    need = int(image.dataobj.offset) + prod(image.shape) * int(image.get_data_dtype().itemsize)
    with gzip.open(path) as file:
        found = file.read(need + _SPARE)
        if len(found) == need + _SPARE:
            raise ValueError("more than its header says")
        return found


_SPARE = 16 << 20
"""Bytes behind the voxels that are read too."""


class _Volume:
    """A volume; what was unpacked of a compressed one is kept for all sources (`readers.unpacked`)."""

    def __init__(self, path: Path, info: ImageInfo) -> None:
        self.info = info
        self._path = path
        self._rescale: tuple[float, float] | None = None

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        if level:
            raise IndexError(f"level {level} of 1")
        size = self.info.planes[plane]
        whole = Rect(0, 0, size.width, size.height)
        part = whole if rect is None else rect.intersected(whole)
        with _reading(self._path):
            found = self._plane(plane)[part.y : part.bottom, part.x : part.right]
            if found.dtype.fields is not None:
                found = np.stack([found[name] for name in found.dtype.fields], -1)
            found = found if found.ndim == 3 else found[..., None]
            samples = np.ascontiguousarray(found, np.dtype(self.info.dtype))
        samples = samples if channels is None else samples[..., list(channels)]
        samples.setflags(write=False)
        return samples

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        if self._rescale is None:
            with _reading(self._path):
                found = _loaded(self._path).dataobj
            self._rescale = float(found.slope), float(found.inter)
        return self._rescale

    def alpha(self, plane: int, rect: Rect) -> None:
        """See `ImageSource.alpha`."""

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`: nothing is held here."""

    def close(self) -> None:
        """See `ImageSource.close`: nothing is held here."""

    def _plane(self, plane: int) -> NDArray[Any]:
        """Voxels (y, x) as the file stores them; of a file that is not compressed these alone are read."""
        if _is_compressed(self._path):
            return unpacked(self._path, self._all)[..., plane].T
        image, size = _loaded(self._path), self.info.planes[plane]
        dtype, n = image.get_data_dtype(), size.width * size.height
        offset = int(image.dataobj.offset) + plane * n * dtype.itemsize
        return np.fromfile(self._path, dtype, n, offset=offset).reshape(size.height, size.width)

    def _all(self) -> NDArray[Any]:
        """Voxels (x, y, planes) of a compressed file."""
        image = _loaded(self._path)
        image = type(image).from_bytes(_content(self._path, image))
        raw = np.asanyarray(image.dataobj.get_unscaled())
        return raw.reshape(*raw.shape[:2], len(self.info.planes), order="F")

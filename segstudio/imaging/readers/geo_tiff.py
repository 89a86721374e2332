"""GeoTIFF: a TIFF that says where it lies, or which value means no data, inside or in a file beside it.

GDAL tells that of it, and reads its pixels window by window where they mean the same to both readers; the others keep
those of `readers.tiff`.
"""

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.readers.frames import Frame, FrameSource
from segstudio.imaging.readers.raster_file import RasterSource, opened_raster, raster_info
from segstudio.imaging.source import ImageInfo
from segstudio.text import N_

if TYPE_CHECKING:
    from collections.abc import Callable

    import tifffile

__all__ = ["BoundedFrames", "is_geo", "placed"]

_TAGS = (33550, 33922, 34264, 34735, 42112, 42113, 50844)
"""Scale, tie points, transformation, keys; GDAL's description of the bands and its value for no data; RPC."""
_BESIDE = (".tfw", ".tifw", ".wld", ".prj")
_UNREADABLE = N_("Where the picture lies on a map cannot be read.")
_MINISBLACK, _RGB, _YCBCR = 1, 2, 6


def is_geo(path: Path, page: "tifffile.TiffPage | tifffile.TiffFrame") -> bool:
    """Whether the first page of a TIFF, or a file beside it, says more than pixels."""
    if any(page.tags.get(tag) is not None for tag in _TAGS):  # type: ignore[union-attr]
        return True
    folder = os.path.dirname(path) or "."
    beside = _names_in(folder, os.stat(folder).st_mtime_ns)
    stem, name = path.stem.lower(), path.name.lower()
    return f"{name}.aux.xml" in beside or any(stem + ending in beside for ending in _BESIDE)


@lru_cache(maxsize=4)
def _names_in(folder: str, _changed: int) -> frozenset[str]:
    """The files of a folder that tell of others: a folder of 100,000 pictures is listed once."""
    try:
        names = os.listdir(folder)
    except OSError:
        return frozenset()
    return frozenset(low for name in names if (low := name.lower()).endswith((*_BESIDE, ".aux.xml")))


def placed(path: Path, info: ImageInfo, photometric: int, orientation: int) -> tuple[ImageInfo, bool]:
    """The header with what GDAL knows of it, and whether GDAL reads the same pixels; as it is where GDAL refuses."""
    try:
        with opened_raster(path, "tiff") as dataset:
            found = raster_info(path, "tiff", dataset)
    except UnreadableImage:
        return replace(info, metadata=Metadata(notes=(_UNREADABLE,))), False
    upright, single = orientation == 1, len(info.planes) == 1
    alike = _looks(found) == _looks(info) and upright and single
    windows = alike and photometric in (_MINISBLACK, _RGB, _YCBCR)
    metadata = found.metadata
    if not (upright and single and _size(found) == _size(info)):
        metadata = replace(metadata, masked=False)
    if not upright:
        metadata = replace(metadata, transform=None)
    return replace(info, metadata=metadata, levels=found.levels if windows else ()), windows


def _size(info: ImageInfo) -> tuple[int, int]:
    return info.planes[0].width, info.planes[0].height


def _looks(info: ImageInfo) -> tuple[tuple[int, int], int, str, bool]:
    return _size(info), info.channels, info.dtype, info.alpha


class BoundedFrames(FrameSource):
    """Pixels of a GeoTIFF that are shown otherwise than they are stored; what lies outside, GDAL tells."""

    def __init__(self, path: Path, info: ImageInfo, decode: "Callable[[int], Frame]") -> None:
        super().__init__(info, decode)
        self._raster = RasterSource(path, info, checked=False)

    def outside(self, rect: Rect, level: int = 0, plane: int = 0) -> NDArray[np.bool_]:
        """See `imaging.outside.Bounded`."""
        return self._raster.outside(rect, level, plane)

    def close(self) -> None:
        """See `ImageSource.close`."""
        super().close()
        self._raster.close()

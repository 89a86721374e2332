"""Masks as GeoTIFF: one file per plane on the grid of its image, with its coordinate system and transform.

A pixel is the class's value; 255 (65535 in 16 bits) is unknown or ignored, and said to be 'no data'. Written by GDAL,
read back by tifffile, so that two programs must agree on every file; imported by GDAL.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats.mask_folder import FOLDER, below, earlier_masks, is_own, others_below
from segstudio.formats.mask_values import UNKNOWN_8, UNKNOWN_16, storage_of
from segstudio.formats.naming import mask_paths
from segstudio.formats.png import picture_values
from segstudio.formats.values import ExportPlan, LabelPlane, MaskFile, MaskValues
from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.imaging.readers.gdal import gdal
from segstudio.imaging.readers.georeference import metadata_of
from segstudio.imaging.readers.raster_file import opened_raster
from segstudio.imaging.readers.table import MASK_MARK
from segstudio.text import _

__all__ = ["GeoTiffReader", "GeoTiffWriter", "earlier", "is_own", "mask_reader", "writer"]

_ENDING = ".tif"
_ENDINGS = (".tif", ".tiff")
_PROJECT = "SEGSTUDIO_PROJECT"
_BLOCK = 256
_CLOSE = 1e-9


def writer(folder: Path, plan: ExportPlan) -> "GeoTiffWriter":
    """A writer of masks."""
    return GeoTiffWriter(folder, plan)


def mask_reader() -> "GeoTiffReader":
    """The reader of masks."""
    return GeoTiffReader()


def earlier(out: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """See `earlier_masks`."""
    return earlier_masks(out, _ENDING, _project_of)


def _project_of(file: Path) -> str:
    try:
        with opened_raster(file, "tiff") as dataset:
            return str(dataset.tags().get(_PROJECT, ""))
    except UnreadableImage:
        return ""


class GeoTiffWriter:
    """See `MaskWriter`. Each file is read back as soon as it is written."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._folder, self._project, self._storage = folder, plan.project, storage_of(plan)
        named = zip(plan.images, mask_paths(plan.images, _ENDING), strict=True)
        self._names = {path: names for (path, _), names in named}
        self._files: list[PurePosixPath] = []

    def add(self, labels: LabelPlane) -> None:
        """Write one mask and read it back."""
        name = PurePosixPath(FOLDER, self._names[labels.path][labels.plane])
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        metadata = PLAIN if labels.stored is None else labels.stored.metadata
        stored = self._storage.stored(labels.values)
        self._write(file, stored, metadata)
        if not _holds(file, stored, self._storage.unknown, metadata):
            raise ExportMismatch(_("{name} does not hold what was written to it, and nothing was exported.", name=name))
        self._files.append(name)

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """See `MaskWriter`."""
        return [PurePosixPath(FOLDER, name) for name in self._names[path]]

    def finish(self) -> Iterable[PurePosixPath]:
        """The files written; all of them have been compared."""
        return self._files

    def _write(self, file: Path, values: NDArray[Any], metadata: Metadata) -> None:
        import rasterio
        from affine import Affine

        height, width = values.shape
        profile: dict[str, Any] = {"compress": "deflate", "nodata": self._storage.unknown, "BIGTIFF": "IF_SAFER"}
        if min(width, height) >= _BLOCK:
            profile |= {"tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK}
        if metadata.crs:
            profile["crs"] = metadata.crs
        if metadata.transform is not None:
            profile["transform"] = Affine(*metadata.transform)
        palette = self._storage.palette
        if palette is not None:
            profile["photometric"] = "palette"
        # In memory first: GDAL says too little about a disk that is full.
        with gdal(file), rasterio.MemoryFile() as memory:
            shape = {"width": width, "height": height, "count": 1, "dtype": values.dtype.name}
            with memory.open(driver="GTiff", **shape, **profile) as out:
                out.update_tags(TIFFTAG_SOFTWARE=MASK_MARK.decode())
                if self._project:
                    out.update_tags(**{_PROJECT: self._project})
                if palette is not None:
                    out.write_colormap(1, {value: (*colour, 255) for value, colour in enumerate(palette.tolist())})
                out.write(values, 1)
            data = bytes(memory.getbuffer())
        with file.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())


def _holds(file: Path, values: NDArray[Any], unknown: int, metadata: Metadata) -> bool:
    """Whether a file holds these values and lies where its image does, as other readers have it."""
    import tifffile

    try:
        with tifffile.TiffFile(file) as opened:
            found = opened.pages[0].asarray()
        with opened_raster(file, "tiff") as dataset:
            there = metadata_of(file, dataset, (1,))
    except (UnreadableImage, tifffile.TiffFileError, ValueError):
        return False
    return (
        np.array_equal(found, values)
        and there.nodata == unknown
        and _same_crs(there.crs, metadata.crs)
        and _same_transform(there.transform, metadata.transform)
    )


def _same_crs(a: str, b: str) -> bool:
    from rasterio.crs import CRS

    if not a or not b:
        return a == b
    return a == b or CRS.from_user_input(a) == CRS.from_user_input(b)


def _same_transform(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> bool:
    if a is None or b is None:
        return a is b
    return bool(np.allclose(a, b, rtol=_CLOSE, atol=0))


class GeoTiffReader:
    """See `MaskReader`."""

    def find(self, path: Path) -> list[MaskFile]:
        """The TIFF files below a folder, in its `masks` folder if it has one (an export), or the one file."""
        if path.is_file():
            return [MaskFile(path, path.name)] if path.name.lower().endswith(_ENDINGS) else []
        return [mask for mask in below(path) if mask.name.lower().endswith(_ENDINGS)]

    def others(self, path: Path) -> list[MaskFile]:
        """See `MaskReader`."""
        return others_below(path, _ENDINGS)

    def holds_values(self, mask: MaskFile) -> bool:
        """See `MaskReader`."""
        try:
            with opened_raster(mask.file, "tiff") as dataset:
                return dataset.count == 1 and np.dtype(dataset.dtypes[0]).kind in "ui"
        except (UnreadableImage, TypeError):
            return False

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """See `MaskReader`."""
        with opened_raster(mask.file, "tiff") as dataset:
            return int(dataset.width), int(dataset.height)

    def read(self, mask: MaskFile, *, pictures: bool = False) -> MaskValues:
        """The values of one band of whole numbers and, with `pictures`, of a colour picture.

        What the file says is no data is unknown, else 255, or 65535 in more than 8 bits. Raises `UnreadableImage`, or
        `MaskMismatch` where it holds no values of classes.
        """
        name = mask.file.name
        with opened_raster(mask.file, "tiff") as dataset:
            grid = metadata_of(mask.file, dataset, (1,))
            dtype = str(dataset.dtypes[0])
            if dataset.count in (3, 4) and dtype == "uint8" and pictures:
                samples = np.moveaxis(dataset.read(), 0, -1)
                clear = np.full((*samples.shape[:2], 4 - dataset.count), 255, np.uint8)
                return picture_values(mask.file, np.concatenate([samples, clear], axis=2))
            if dataset.count != 1 or np.dtype(dtype).kind not in "ui":
                raise MaskMismatch(
                    _("{name} is not a mask: masks have one band of whole numbers, the values of classes.", name=name)
                )
            values = dataset.read(1).astype(np.int64)
            colors = _colors(dataset)
        if values.size and (values.min() < np.iinfo(np.int32).min or values.max() > np.iinfo(np.int32).max):
            raise MaskMismatch(_("{name} is not a mask: its values are too large for those of classes.", name=name))
        unknown = UNKNOWN_8 if np.dtype(dtype).itemsize == 1 else UNKNOWN_16
        nodata = grid.nodata
        found = int(nodata) if nodata is not None and nodata == int(nodata) else unknown
        return MaskValues(values.astype(np.int32), found, colors, grid=grid)


def _colors(dataset: Any) -> NDArray[np.uint8] | None:
    try:
        table = dataset.colormap(1)
    except ValueError:
        return None
    return np.array([table[value][:3] for value in sorted(table)], np.uint8)

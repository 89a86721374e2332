"""Rasters that GDAL reads window by window: JPEG 2000, VRT, ENVI and Erdas Imagine (.img), and GeoTIFF.

A band of opacity is left out of the channels, a palette becomes RGB, and the smaller copies in a file are its levels.
An open file is looked at before each window: where it was replaced meanwhile, the new one is read if it is alike.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.outside import without_data
from segstudio.imaging.readers.gdal import gdal, opened_by_gdal
from segstudio.imaging.readers.georeference import metadata_of
from segstudio.imaging.readers.refusal import checked_size, fits_memory
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo
from segstudio.text import _

__all__ = ["Bands", "RasterSource", "bands_of", "open_image", "opened_raster", "probe", "raster_info"]

_MOST_CHANNELS = 1024
_LARGEST_SIDE = 1 << 24
_OF_ENVI = (".img", ".dat", ".bin", ".raw", ".bsq", ".bil", ".bip")
"""The endings that the file of pixels beside a header has, if it has one."""
_DRIVERS = {
    "tiff": "GTiff",
    "jp2": "JP2OpenJPEG",
    "vrt": "VRT",
    "imagine": "HFA",
    "envi": "ENVI",
}


@dataclass(frozen=True, slots=True)
class Bands:
    """How the bands of a file become channels: those that are, counted from 1, and the one of opacity, if any.

    A `palette` (n, 3) uint8 has the colours of the values of the only channel.
    """

    channels: tuple[int, ...]
    alpha: int | None
    palette: NDArray[np.uint8] | None


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    from segstudio.imaging.readers.table import family_of

    family = family_of(path).name
    with opened_raster(path, family) as dataset:
        return raster_info(path, family, dataset)


def open_image(path: Path) -> "RasterSource":
    """See `imaging.source.open_image`."""
    return RasterSource(path, probe(path))


def pixels_of(path: Path, family: str) -> Path:
    """The file that GDAL opens: that of the pixels, where they lie beside their header. Raises `UnreadableImage`."""
    if family != "envi":
        return path
    stem = path.with_suffix("")
    for file in (stem, *(stem.with_suffix(ending) for ending in _OF_ENVI)):
        if file.is_file() and file != path:
            return file
    raise UnreadableImage(
        _("{name} cannot be read: the file with its pixels does not lie beside it.", name=path.name),
        todo=_("Put it beside the header, named {stem}, {stem}.img or {stem}.dat.", stem=stem.name),
    )


@contextmanager
def opened_raster(path: Path, family: str, level: int | None = None) -> Iterator[Any]:
    """A file of a family, or its nth smaller copy, for a while. Raises `UnreadableImage`."""
    with gdal(path), opened_by_gdal(pixels_of(path, family), _DRIVERS[family], level) as dataset:
        yield dataset


def raster_info(path: Path, family: str, dataset: Any) -> ImageInfo:
    """What an open dataset is, with the sizes of its smaller copies. Raises `UnreadableImage`; within `gdal`."""
    bands = bands_of(path, dataset)
    width, height = int(dataset.width), int(dataset.height)
    dtype = "uint8" if bands.palette is not None else str(dataset.dtypes[0])
    channels = len(bands.channels) if bands.palette is None else 3
    _must_be_windows(path, dataset, np.dtype(dtype).itemsize)
    metadata = metadata_of(path, dataset, bands.channels)
    return ImageInfo(
        (PlaneInfo("0", width, height),),
        channels,
        dtype,
        family,
        bands.alpha is not None,
        metadata,
        _levels(path, family, dataset),
        by_block=True,
    )


def bands_of(path: Path, dataset: Any) -> Bands:
    """See `Bands`. Raises `UnreadableImage` where the bands are no channels of one picture."""
    from rasterio.enums import ColorInterp

    types = set(dataset.dtypes)
    if len(types) > 1:
        raise UnreadableImage(_("{name} cannot be read: its bands hold values of several types.", name=path.name))
    (dtype,) = types
    if dtype.startswith("complex") or np.dtype(dtype).kind not in "uif":
        raise UnreadableImage(
            _(
                "{name} cannot be read: it holds values of type {dtype}, which are not pixels.",
                name=path.name,
                dtype=dtype,
            )
        )
    kinds = dataset.colorinterp
    alpha = next((band for band, kind in enumerate(kinds, 1) if kind is ColorInterp.alpha and len(kinds) > 1), None)
    channels = tuple(band for band in range(1, dataset.count + 1) if band != alpha)
    if not 1 <= len(channels) <= _MOST_CHANNELS:
        raise UnreadableImage(
            _("{name} cannot be read: it has {channels} channels.", name=path.name, channels=len(channels))
        )
    indexed = len(channels) == 1 and kinds[0] is ColorInterp.palette and dtype == "uint8"
    return Bands(channels, alpha, _palette(dataset) if indexed else None)


def _palette(dataset: Any) -> NDArray[np.uint8]:
    table = np.zeros((256, 3), np.uint8)
    for value, colour in dataset.colormap(1).items():
        if value < len(table):
            table[value] = colour[:3]
    return table


def _must_be_windows(path: Path, dataset: Any, bytes_a_sample: int) -> None:
    """Any window costs at least a block; one that is the whole picture is judged as a picture."""
    height, width = max(dataset.block_shapes)
    if max(dataset.width, dataset.height) > _LARGEST_SIDE:
        checked_size(path, dataset.width, dataset.height, bytes_a_sample)
    checked_size(path, min(width, dataset.width), min(height, dataset.height), bytes_a_sample * dataset.count)


def _levels(path: Path, family: str, dataset: Any) -> tuple[tuple[int, int], ...]:
    """Sizes of the smaller copies that every band has, largest first."""
    found: list[tuple[int, int]] = []
    for level in range(min(len(dataset.overviews(band)) for band in dataset.indexes)):
        with opened_by_gdal(pixels_of(path, family), _DRIVERS[family], level) as smaller:
            size = int(smaller.width), int(smaller.height)
        if found and not (size[0] < found[-1][0] or size[1] < found[-1][1]):
            break
        found.append(size)
    return tuple(found)


class RasterSource:
    """A file that GDAL reads; a lock lets one thread at a time read of it, as GDAL demands."""

    def __init__(self, path: Path, info: ImageInfo, *, checked: bool = True) -> None:
        self.info = info
        self._path, self._family, self._checked = path, info.family, checked
        self._lock = threading.Lock()
        self._open: dict[int, Any] = {}
        self._stamp: tuple[int, int] | None = None
        self._bands: Bands | None = None

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        with self._dataset(level, plane) as (dataset, bands):
            window, part = _window(dataset, rect)
            if bands.palette is None:
                wanted = bands.channels if channels is None else [bands.channels[at] for at in channels]
                fits_memory(part.w * part.h * len(wanted) * np.dtype(self.info.dtype).itemsize)
                samples = np.moveaxis(dataset.read(list(wanted), window=window), 0, -1)
            else:
                values = dataset.read(bands.channels[0], window=window)
                samples = bands.palette[values]
                samples = samples if channels is None else samples[..., list(channels)]
        samples = np.ascontiguousarray(samples)
        samples.setflags(write=False)
        return samples

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`: those of the first band, where all have the same."""
        with self._dataset(0, plane) as (dataset, bands):
            pairs = {(float(dataset.scales[band - 1]), float(dataset.offsets[band - 1])) for band in bands.channels}
        return pairs.pop() if len(pairs) == 1 else (1.0, 0.0)

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """See `ImageSource.alpha`."""
        if not self.info.alpha:
            return None
        with self._dataset(0, plane) as (dataset, bands):
            return dataset.read(bands.alpha, window=_window(dataset, rect)[0])

    def outside(self, rect: Rect, level: int = 0, plane: int = 0) -> NDArray[np.bool_]:
        """See `imaging.outside.Bounded`."""
        metadata = self.info.metadata
        if metadata.nodata is not None and not metadata.masked and self._is_plain(level, plane):
            # A tenth of the time that GDAL takes for its mask.
            return without_data(self.read(rect, level, plane), metadata.nodata)
        with self._dataset(level, plane) as (dataset, _bands):
            return dataset.dataset_mask(window=_window(dataset, rect)[0]) == 0

    def _is_plain(self, level: int, plane: int) -> bool:
        with self._dataset(level, plane) as (_dataset, bands):
            return bands.palette is None

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`: the blocks of an open file are in GDAL's cache."""
        self.close()

    def close(self) -> None:
        """See `ImageSource.close`."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        opened, self._open, self._bands = self._open, {}, None
        with gdal(self._path):
            for dataset in opened.values():
                dataset.close()

    @contextmanager
    def _dataset(self, level: int, plane: int) -> Iterator[tuple[Any, Bands]]:
        """An open level. One that fails is closed: a share may come back, and its file is opened anew then."""
        if not 0 <= level <= len(self.info.levels):
            raise IndexError(f"level {level} of {len(self.info.levels) + 1}")
        if plane:
            raise IndexError(f"plane {plane} of 1")
        with self._lock:
            try:
                with gdal(self._path):
                    self._follow_the_file()
                    if level not in self._open:
                        file = pixels_of(self._path, self._family)
                        at = level - 1 if level else None
                        self._open[level] = opened_by_gdal(file, _DRIVERS[self._family], at)
                        self._must_be_alike(self._open[level], level)
                    self._bands = self._bands or bands_of(self._path, self._open[level])
                    yield self._open[level], self._bands
            except UnreadableImage:
                self._let_go()
                raise

    def _follow_the_file(self) -> None:
        status = pixels_of(self._path, self._family).stat()
        stamp = status.st_mtime_ns, status.st_size
        if stamp != self._stamp and self._open:
            self._let_go()
        self._stamp = stamp

    def _must_be_alike(self, dataset: Any, level: int) -> None:
        if not self._checked:
            return
        plane = self.info.planes[0]
        size = self.info.levels[level - 1] if level else (plane.width, plane.height)
        bands = bands_of(self._path, dataset)
        channels = 3 if bands.palette is not None else len(bands.channels)
        if (dataset.width, dataset.height) != size or channels != self.info.channels:
            raise UnreadableImage(
                _("{name} was changed while it was open: it now holds another picture.", name=self._path.name)
            )


def _window(dataset: Any, rect: Rect | None) -> tuple[Any, Rect]:
    from rasterio.windows import Window

    whole = Rect(0, 0, int(dataset.width), int(dataset.height))
    part = whole if rect is None else rect.intersected(whole)
    return Window(part.x, part.y, part.w, part.h), part  # type: ignore[call-arg]

"""TIFF, read by tifffile: grey, RGB and palette, any sample type but complex numbers, pages of one size as planes.

Of a file with several series all are read if they are alike, else the first. Channels may come last, or be separate
(planar, or an axis C).
"""

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.imaging.outside import has_outside
from segstudio.imaging.readers.frames import Frame, FrameSource, upright
from segstudio.imaging.readers.geo_tiff import BoundedFrames, is_geo, placed
from segstudio.imaging.readers.raster_file import RasterSource
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.source import ImageInfo, ImageSource, Pixels, PlaneInfo
from segstudio.text import _

if TYPE_CHECKING:
    import tifffile

__all__ = ["open_image", "probe"]

_TURNED = (5, 6, 7, 8)
_MOST_CHANNELS = 64


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a file: series that are alike, sizes by axis, and what the first page says about its samples."""

    series: int
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    photometric: int
    orientation: int
    alpha: bool
    bits: int

    def size(self, axis: str) -> int:
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def samples(self) -> int:
        """Samples per pixel in the file, including opacity."""
        return self.size("S") * self.size("C")

    @property
    def others(self) -> tuple[tuple[str, int], ...]:
        """Axes that count planes."""
        return tuple((a, n) for a, n in zip(self.axes, self.shape, strict=True) if a not in "YXSC")

    @property
    def palette(self) -> bool:
        """Whether a pixel is one index into the palette; files of several channels may carry one for each."""
        return self.photometric == _PALETTE and self.samples - int(self.alpha) == 1

    @property
    def channels(self) -> int:
        if self.palette:
            return 3
        return 3 if self.photometric == _SEPARATED and self.samples == 4 else self.samples - int(self.alpha)


_MINISWHITE, _PALETTE, _SEPARATED = 0, 3, 5


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    return _probed(path)[0]


def _probed(path: Path) -> tuple[ImageInfo, bool]:
    """The header, and whether GDAL reads the same pixels, window by window (`readers.geo_tiff`)."""
    with _reading(path), _opened(path) as file:
        layout = _layout(path, file)
        geo = is_geo(path, file.series[0].keyframe)
    info = _info(path, layout)
    info, windows = placed(path, info, layout.photometric, layout.orientation) if geo else (info, False)
    if not windows:
        checked_size(path, layout.size("X"), layout.size("Y"), layout.samples * layout.dtype.itemsize)
    return info, windows


def _info(path: Path, layout: _Layout) -> ImageInfo:
    height, width = layout.size("Y"), layout.size("X")
    if layout.dtype.kind not in "buif":
        raise UnreadableImage(
            _(
                "{name} cannot be read: it holds values of type {dtype}, which are not pixels.",
                name=path.name,
                dtype=layout.dtype,
            )
        )
    if not 1 <= layout.channels <= _MOST_CHANNELS:
        raise UnreadableImage(
            _("{name} cannot be read: it has {channels} channels.", name=path.name, channels=layout.channels)
        )
    if layout.orientation in _TURNED:
        width, height = height, width
    dtype = (
        "uint8" if layout.dtype.kind == "b" or layout.photometric == _PALETTE else layout.dtype.newbyteorder("=").name
    )
    planes = tuple(PlaneInfo(key, width, height) for key in _keys(layout))
    return ImageInfo(planes, layout.channels, dtype, "tiff", layout.alpha)


def open_image(path: Path) -> ImageSource:
    """See `imaging.source.open_image`."""
    info, windows = _probed(path)
    if windows:
        return RasterSource(path, info)
    if has_outside(info.metadata):
        return BoundedFrames(path, info, lambda plane: _decoded(path, plane))
    return FrameSource(info, lambda plane: _decoded(path, plane))


def _opened(path: Path) -> "tifffile.TiffFile":
    import tifffile

    # Its warnings would otherwise reach standard error; those that matter also come as an exception.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    return tifffile.TiffFile(path)


def _reading(path: Path) -> AbstractContextManager[None]:
    import tifffile

    return reading(path, tifffile.TiffFileError)


def _layout(path: Path, file: "tifffile.TiffFile") -> _Layout:
    if not file.series:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    series = file.series[0]
    page = series.keyframe
    axes, shape = str(series.axes), tuple(int(n) for n in series.shape)
    if "Y" not in axes or "X" not in axes or series.dtype is None:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    extra = tuple(int(e) for e in page.extrasamples)
    samples = (shape[axes.index("S")] if "S" in axes else 1) * (shape[axes.index("C")] if "C" in axes else 1)
    tag = page.tags.get(274)
    return _Layout(
        series=_alike(file.series),
        axes=axes,
        shape=shape,
        dtype=np.dtype(series.dtype),
        photometric=int(page.photometric),
        orientation=int(tag.value) if tag is not None and isinstance(tag.value, int) else 1,
        alpha=samples in (2, 4) and bool(extra) and extra[-1] in (1, 2),
        bits=int(page.bitspersample),
    )


def _alike(series: "list[tifffile.TiffPageSeries]") -> int:
    """How many series count as planes: all if they have the same axes, sizes and samples, else only the first."""
    kinds = {(s.axes, tuple(s.shape), s.dtype, s.kind) for s in series}
    return len(series) if len(kinds) == 1 else 1


def _keys(layout: _Layout) -> list[str]:
    """Names of the planes, for example `T2Z5`: the position along each axis; a single plane is `0`."""
    others = layout.others if layout.series == 1 else (("S", layout.series), *layout.others)
    if not others:
        return ["0"]
    sizes = tuple(n for _, n in others)
    return [
        "".join(f"{axis}{at}" for (axis, _), at in zip(others, np.unravel_index(index, sizes), strict=True))
        for index in range(prod(sizes))
    ]


def _decoded(path: Path, plane: int) -> Frame:
    with _reading(path), _opened(path) as file:
        layout = _layout(path, file)
        samples = _plane_samples(path, file, layout, plane)
        table = _palette(path, file) if layout.palette else None
    if samples.dtype.kind == "b" and table is None:
        samples = samples.astype(np.uint8) * np.uint8(255)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    alpha = samples[..., -1] if layout.alpha else None
    samples = samples[..., :-1] if layout.alpha else samples
    samples = _shown(samples, layout) if table is None else table[samples[..., 0].astype(np.int64)]
    return Frame(upright(samples, layout.orientation), None if alpha is None else upright(alpha, layout.orientation))


def _plane_samples(path: Path, file: "tifffile.TiffFile", layout: _Layout, plane: int) -> Pixels:
    """Samples (h, w, c) of a plane, decoding only its own pages where they are separate."""
    count = prod(n for _, n in layout.others)
    at, plane = divmod(plane, count)
    series = file.series[at]
    axes = [a for a in layout.axes if a in "YXSC"]
    inner = tuple(layout.size(a) for a in axes)
    pages_a_plane = len(series.pages) // count
    # Pages come in the order of the leading axes: a plane's are together if no plane axis follows C, Y, X or S.
    together = all(a in "YXSC" for a in layout.axes[len(layout.others) :])
    if count > 1 and together and pages_a_plane >= 1 and len(series.pages) == count * pages_a_plane:
        pages = [series.pages[plane * pages_a_plane + i] for i in range(pages_a_plane)]
        if any(page is None for page in pages):
            raise UnreadableImage(_("{name} cannot be read: a page is missing.", name=path.name))
        array = np.stack([np.asarray(page.asarray()) for page in pages if page is not None])
    else:
        whole = np.asarray(series.asarray())
        order = [layout.axes.index(a) for a, _ in layout.others] + [layout.axes.index(a) for a in axes]
        array = whole.reshape(layout.shape).transpose(order).reshape(count, *inner)[plane]
    array = array.reshape(inner)
    array = np.moveaxis(array, (axes.index("Y"), axes.index("X")), (0, 1))
    return array.reshape(array.shape[0], array.shape[1], -1)


def _palette(path: Path, file: "tifffile.TiffFile") -> NDArray[np.uint8]:
    """Colours uint8 (n, 3) by index."""
    table = getattr(file.series[0].keyframe, "colormap", None)
    if table is None:
        raise UnreadableImage(_("{name} cannot be read: its palette is missing.", name=path.name))
    return (np.asarray(table) >> 8).astype(np.uint8).T


def _shown(samples: Pixels, layout: _Layout) -> Pixels:
    """Grey stored with white at 0 inverted, samples of 2 to 7 bits spread over 0..255, CMYK as RGB."""
    if samples.dtype.kind == "u":
        full = 2**layout.bits - 1 if 1 < layout.bits <= 8 * samples.dtype.itemsize else np.iinfo(samples.dtype).max
        if layout.photometric == _MINISWHITE and samples.shape[2] == 1:
            samples = (samples.dtype.type(full) - samples).astype(samples.dtype)
        if full < 255:
            samples = np.rint(samples * (255.0 / full)).astype(np.uint8)
    if layout.photometric == _SEPARATED and layout.samples == 4:
        whole = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "ui" else 1.0
        ink = samples.astype(np.float64) / whole
        return np.rint((1 - ink[..., :3]) * (1 - ink[..., 3:]) * whole).astype(samples.dtype)
    return samples

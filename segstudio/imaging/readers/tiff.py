"""TIFF, read by tifffile: grey, RGB and palette, any sample type but complex numbers, pages of one size as planes.

Of a file with several series all are read if they are alike, else the first (`tiff_series`). Channels may come last, or
be separate (planar, or an axis C). What is large, or has levels, is read part by part (`tiff_windows`).
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.imaging.outside import has_outside
from segstudio.imaging.readers.frames import Frame, FrameSource, upright
from segstudio.imaging.readers.geo_tiff import BoundedFrames, is_geo, placed
from segstudio.imaging.readers.raster_file import RasterSource
from segstudio.imaging.readers.refusal import DECODING_ERRORS, checked_size, reading, refused
from segstudio.imaging.readers.table import Gathered
from segstudio.imaging.readers.tiff_facts import described
from segstudio.imaging.readers.tiff_files import INCOMPLETE, joined, missing_files, names_of_set, part_of
from segstudio.imaging.readers.tiff_series import SLIDES, pictures_of
from segstudio.imaging.readers.tiff_windows import WindowSource, can_be_cut, keyframe_samples
from segstudio.imaging.reordered import reordered
from segstudio.imaging.source import ImageInfo, ImageSource, Pixels, PlaneInfo, Stored
from segstudio.text import _

if TYPE_CHECKING:
    import tifffile

__all__ = ["gathered", "open_image", "open_series", "probe"]

_TURNED = (5, 6, 7, 8)
_OLD_WAYS = {6: "old-style JPEG", 34676: "LogLuv", 34677: "LogLuv"}
"""By the number of the compression (TIFF 6.0, and the notes to it)."""
_MOST_CHANNELS = 64
_LARGE_BYTES = 32 << 20
"""A plane of more is read part by part."""

_BY_TABLE = ("ome", "imagej")
"""Kinds of series whose palette is how a channel is shown, and not what its values mean."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a file: series that are alike, sizes by axis, and what the first page says about its samples.

    `levels` are (width, height) of the smaller copies; `windows` says that parts are read alone.
    """

    series: tuple[int, ...]
    kind: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    photometric: int
    orientation: int
    alpha: bool
    bits: int
    levels: tuple[tuple[int, int], ...]
    windows: bool

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
        return self.photometric == _PALETTE and self.kind not in _BY_TABLE and self.samples - int(self.alpha) == 1

    @property
    def channels(self) -> int:
        if self.palette:
            return 3
        return 3 if self.photometric == _SEPARATED and self.samples == 4 else self.samples - int(self.alpha)


_MINISWHITE, _PALETTE, _SEPARATED = 0, 3, 5


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with _reading(path), _opened(path) as file:
        names = names_of_set(file)
        if not names:
            return _probed(path, file)[0]
        return replace(_of_set(path, file, names), part=part_of(path, names))


def gathered(parts: Sequence[ImageInfo]) -> list[Gathered]:
    """See `SeriesReader.gathered`."""
    return joined(parts)


def open_series(stored: Stored) -> ImageSource:
    """See `SeriesReader.open_series`: the first file names the others, which lie beside it."""
    return reordered(open_image(stored.first), [plane.key for plane in stored.planes])


_sets: OrderedDict[tuple[str, int, tuple[str, ...]], ImageInfo] = OrderedDict()
_SETS_KEPT = 16
_looking = Lock()


def _of_set(path: Path, file: "tifffile.TiffFile", names: tuple[str, ...]) -> ImageInfo:
    """The header of an image of several files, which opens all of them: once, and not again for each."""
    key = str(path.parent), path.parent.stat().st_mtime_ns, names
    with _looking:
        found = _sets.get(key)
        if found is None:
            found = _probed(path, file)[0]
            if missing_files(path, names):
                notes = (*found.metadata.notes, INCOMPLETE)
                found = replace(found, metadata=msgspec.structs.replace(found.metadata, notes=notes))
            _sets[key] = found
            if len(_sets) > _SETS_KEPT:
                _sets.popitem(last=False)
        return found


def _probed(path: Path, file: "tifffile.TiffFile") -> tuple[ImageInfo, _Layout, bool]:
    """The header, the layout, and whether GDAL reads the same pixels, window by window (`readers.geo_tiff`).

    What a microscope wrote lies nowhere on earth, whatever its tags say.
    """
    layout = _layout(path, file)
    info = _info(path, layout)
    info = replace(info, metadata=described(file, layout.series[0], _counted(layout), layout.channels))
    geo = layout.kind not in (*_BY_TABLE, *SLIDES) and is_geo(path, file.series[layout.series[0]].keyframe)
    info, windows = placed(path, info, layout.photometric, layout.orientation) if geo else (info, False)
    info = replace(info, by_block=windows or (layout.windows and not has_outside(info.metadata)))
    if not info.by_block:
        checked_size(path, layout.size("X"), layout.size("Y"), layout.samples * layout.dtype.itemsize)
    return info, layout, windows


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
    dtype = "uint8" if layout.dtype.kind == "b" or layout.palette else layout.dtype.newbyteorder("=").name
    planes = tuple(PlaneInfo(key, width, height) for key in _keys(layout))
    return ImageInfo(
        planes, layout.channels, dtype, "tiff", layout.alpha, levels=layout.levels, by_block=layout.windows
    )


def open_image(path: Path) -> ImageSource:
    """See `imaging.source.open_image`."""
    with _reading(path), _opened(path) as file:
        info, layout, windows = _probed(path, file)
    if windows:
        return RasterSource(path, info)
    if has_outside(info.metadata):
        return BoundedFrames(path, info, lambda plane: _decoded(path, plane))
    if not layout.windows:
        return FrameSource(info, lambda plane: _decoded(path, plane))
    return WindowSource(
        path,
        info,
        _opened,
        _reading,
        lambda file, plane, level: _pages(path, file, layout, plane, level) or [],
        lambda samples: _framed(samples, layout, None),
    )


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
    places = pictures_of(file.series)
    series = file.series[places[0]]
    page = series.keyframe
    axes, shape = str(series.axes), tuple(int(n) for n in series.shape)
    if "Y" not in axes or "X" not in axes or series.dtype is None:
        raise UnreadableImage(_("{name} cannot be read: it holds no picture.", name=path.name))
    extra = tuple(int(e) for e in page.extrasamples)
    samples = (shape[axes.index("S")] if "S" in axes else 1) * (shape[axes.index("C")] if "C" in axes else 1)
    tag = page.tags.get(274)
    orientation = int(tag.value) if tag is not None and isinstance(tag.value, int) else 1
    plain = orientation == 1 and (int(page.photometric) != _PALETTE or series.kind in _BY_TABLE)
    cut = plain and can_be_cut(page) and _lead(series) is not None
    levels = _levels(series) if cut and len(places) == 1 else ()
    large = series.kind in SLIDES or bool(levels) or page.nbytes * (samples // max(_inner(page), 1)) > _LARGE_BYTES
    return _Layout(
        series=places,
        kind=str(series.kind),
        axes=axes,
        shape=shape,
        dtype=np.dtype(series.dtype),
        photometric=int(page.photometric),
        orientation=orientation,
        alpha=samples in (2, 4) and bool(extra) and extra[-1] in (1, 2),
        bits=int(page.bitspersample),
        levels=levels,
        windows=cut and large,
    )


def _inner(page: Any) -> int:
    """Samples a pixel of one page."""
    return int(page.shaped[0]) * int(page.shaped[4])


def _lead(series: "tifffile.TiffPageSeries") -> tuple[tuple[str, int], ...] | None:
    """The axes along which whole pages are counted, with their lengths; None where planes are not made of pages."""
    axes, inner = str(series.axes), str(series.keyframe.axes)
    if set(inner) - set("YXS") or not axes.endswith(inner):
        return None
    lead = axes[: len(axes) - len(inner)]
    found = tuple((axis, int(n)) for axis, n in zip(lead, series.shape, strict=False))
    return found if prod(n for _axis, n in found) == len(series.pages) else None


def _levels(series: "tifffile.TiffPageSeries") -> tuple[tuple[int, int], ...]:
    """(width, height) of the levels that have all planes and channels of the first one."""
    found: list[tuple[int, int]] = []
    lead = _lead(series)
    for level in series.levels[1:]:
        page = level.keyframe
        alike = level.axes == series.axes and _lead(level) == lead and level.dtype == series.dtype
        if not alike or not can_be_cut(page) or _inner(page) != _inner(series.keyframe):
            break
        found.append((int(page.shaped[3]), int(page.shaped[2])))
    return tuple(found)


def _counted(layout: _Layout) -> tuple[tuple[str, int], ...]:
    """The axes that count planes, with their lengths; S are series that are alike."""
    return layout.others if len(layout.series) == 1 else (("S", len(layout.series)), *layout.others)


def _keys(layout: _Layout) -> list[str]:
    """Names of the planes, for example `T2Z5`: the position along each axis; a single plane is `0`."""
    others = _counted(layout)
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
        try:
            samples = _plane_samples(path, file, layout, plane)
        except DECODING_ERRORS as error:
            raise _refused(path, file, layout, error) from error
        table = _palette(path, file) if layout.palette else None
    return _framed(samples, layout, table)


def _refused(path: Path, file: "tifffile.TiffFile", layout: _Layout, error: BaseException) -> UnreadableImage:
    """Why a page is not decoded: of ways that nobody writes any more the sentence names the way out."""
    way = _OLD_WAYS.get(int(file.series[layout.series[0]].keyframe.compression))
    if way is None:
        return refused(path, error)
    return UnreadableImage(
        _("{name} cannot be read: it is compressed as {way}, which is not supported.", name=path.name, way=way),
        todo=_("Save it again as a TIFF without compression or with LZW."),
    )


def _framed(samples: Pixels, layout: _Layout, table: NDArray[np.uint8] | None) -> Frame:
    """Samples (h, w, all samples) as they are shown, with their opacity; `table` is the palette."""
    if samples.dtype.kind == "b" and table is None:
        samples = samples.astype(np.uint8) * np.uint8(255)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    alpha = samples[..., -1] if layout.alpha else None
    samples = samples[..., :-1] if layout.alpha else samples
    samples = _shown(samples, layout) if table is None else table[samples[..., 0].astype(np.int64)]
    return Frame(upright(samples, layout.orientation), None if alpha is None else upright(alpha, layout.orientation))


def _plane_samples(path: Path, file: "tifffile.TiffFile", layout: _Layout, plane: int) -> Pixels:
    """Samples (h, w, c) of a plane, decoding only its own pages where they are separate."""
    pages = _pages(path, file, layout, plane, 0)
    if pages is not None:
        return np.concatenate([keyframe_samples(np.asarray(page.asarray()), page.keyframe) for page in pages], -1)
    count = prod(n for _, n in layout.others)
    at, plane = divmod(plane, count)
    axes = [a for a in layout.axes if a in "YXSC"]
    whole = _whole(path, file.series[layout.series[at]]).reshape(layout.shape)
    order = [layout.axes.index(a) for a, _ in layout.others] + [layout.axes.index(a) for a in axes]
    inner = tuple(layout.size(a) for a in axes)
    array = whole.transpose(order).reshape(count, *inner)[plane]
    array = np.moveaxis(array, (axes.index("Y"), axes.index("X")), (0, 1))
    return np.array(array.reshape(array.shape[0], array.shape[1], -1))


def _whole(path: Path, series: "tifffile.TiffPageSeries") -> NDArray[Any]:
    """All of a series: mapped where it lies in one piece, as ImageJ writes it behind one page; else decoded."""
    offset = series.dataoffset
    if offset is None or series.is_multifile or series.dtype is None:
        return np.asarray(series.asarray())
    order = series.keyframe.parent.byteorder
    return np.memmap(path, np.dtype(series.dtype).newbyteorder(order), "r", offset, tuple(series.shape))


def _pages(path: Path, file: "tifffile.TiffFile", layout: _Layout, plane: int, level: int) -> list[Any] | None:
    """The pages of a plane, one a channel where these are separate; None where a plane is not made of whole pages."""
    count = prod(n for _, n in layout.others)
    at, plane = divmod(plane, count)
    series = file.series[layout.series[at]].levels[level]
    lead = _lead(series)
    if lead is None:
        return None
    sizes = tuple(n for _axis, n in lead)
    others = layout.others or (("", 1),)
    at_axes = np.unravel_index(plane, [n for _axis, n in others])
    places = {axis: int(at) for (axis, _n), at in zip(others, at_axes, strict=True)}
    found: list[Any] = []
    for channel in range(dict(lead).get("C", 1)):
        index = [channel if axis == "C" else places[axis] for axis, _n in lead]
        page = series.pages[int(np.ravel_multi_index(index, sizes)) if sizes else 0]
        if page is None:
            raise UnreadableImage(_("{name} cannot be read: a page or a file of it is missing.", name=path.name))
        found.append(page)
    return found


def _palette(path: Path, file: "tifffile.TiffFile") -> NDArray[np.uint8]:
    """Colours uint8 (n, 3) by index."""
    table = getattr(file.series[pictures_of(file.series)[0]].keyframe, "colormap", None)
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

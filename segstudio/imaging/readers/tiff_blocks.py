"""Parts of large TIFF pages: only the tiles or strips that a rectangle touches are read and decoded, at any level that
the file itself has.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.source import ImageInfo, Pixels

if TYPE_CHECKING:
    import tifffile

__all__ = ["BlockSource", "own_levels", "reads_by_block"]

_LARGE_BYTES = 1 << 26
"""Samples of a plane from which it is worth reading by rectangle: smaller ones are decoded whole, and kept."""

_LARGEST_SEGMENT = 1 << 26
"""Bytes of a tile or strip beyond which reading a part is no better than reading all."""

_JPEG = (6, 7, 33007, 34892)

Page = Any
"""A `TiffPage`, or a `TiffFrame`, which has the same of its own where it differs."""


def reads_by_block(series: "tifffile.TiffPageSeries", planes: int) -> bool:
    """Whether the planes of a series are large pages of their own, in tiles or strips."""
    page = series.keyframe
    size = prod(page.shape) * page.dtype.itemsize if page.dtype is not None else 0
    return (
        len(series.pages) == planes
        and page.imagedepth == 1
        and size >= _LARGE_BYTES
        and (_lies_in_rows(page) or (len(page.dataoffsets) > 1 and _segment_bytes(page) <= _LARGEST_SEGMENT))
    )


def _segment_bytes(page: Page) -> int:
    """What a tile or strip takes once it is decoded."""
    return prod(page.chunks) * page.dtype.itemsize


def _lies_in_rows(form: Page) -> bool:
    """Whether the samples lie in the file as they are, row after row."""
    return bool(form.is_memmappable and form.is_contiguous and not form.is_tiled) and int(form.planarconfig) == 1


def own_levels(series: "tifffile.TiffPageSeries") -> tuple[tuple[int, int], ...]:
    """Width and height of the smaller copies of a series, largest first: those that have what it has."""
    whole = series.keyframe
    found: list[tuple[int, int]] = []
    for level in series.levels[1:]:
        page = level.keyframe
        same = (level.axes, level.dtype, page.photometric, page.samplesperpixel, page.planarconfig) == (
            series.axes,
            series.dtype,
            whole.photometric,
            whole.samplesperpixel,
            whole.planarconfig,
        )
        size = page.imagewidth, page.imagelength
        before = found[-1] if found else (whole.imagewidth, whole.imagelength)
        if not same or len(level.pages) != len(series.pages) or size >= before:
            break
        found.append(size)
    return tuple(found)


class BlockSource:
    """See `ImageSource`. The file stays open from the first read to `close`; blocks are not kept."""

    def __init__(
        self,
        info: ImageInfo,
        open_: "Callable[[], tifffile.TiffFile]",
        reading: Callable[[], AbstractContextManager[None]],
        shown: Callable[[Pixels], Pixels],
    ) -> None:
        """`shown` makes of stored samples (h, w, c), without opacity, those that are displayed and learned."""
        self.info = info
        self._open, self._reading, self._shown = open_, reading, shown
        self._file: tifffile.TiffFile | None = None
        self._lock = threading.Lock()

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        found = self._stored(rect, level, plane)
        shown = self._shown(found[..., :-1] if self.info.alpha else found)
        shown = np.ascontiguousarray(shown if channels is None else shown[..., list(channels)])
        shown.setflags(write=False)
        return shown

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """See `ImageSource.alpha`."""
        return np.ascontiguousarray(self._stored(rect, 0, plane)[..., -1]) if self.info.alpha else None

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`: nothing is kept."""

    def close(self) -> None:
        """Close the file; reading afterwards opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _stored(self, rect: Rect | None, level: int, plane: int) -> Pixels:
        sizes = [(self.info.planes[plane].width, self.info.planes[plane].height), *self.info.levels]
        if not 0 <= level < len(sizes):
            raise IndexError(f"level {level} of {len(sizes)}")
        whole = Rect(0, 0, *sizes[level])
        inside = whole if rect is None else rect.intersected(whole)
        with self._reading():
            with self._lock:
                if self._file is None:
                    self._file = self._open()
                page: Page = self._file.series[0].levels[level].pages[plane]
            return (
                _rows(page, inside, self._part) if _lies_in_rows(page.keyframe) else _region(page, inside, self._bytes)
            )

    def _bytes(self, page: Page, index: int) -> bytes | None:
        """What a tile or strip takes in the file; None where it is left out, as in sparse files."""
        length = page.databytecounts[index]
        return self._part(page.dataoffsets[index], length) if length else None

    def _part(self, begin: int, length: int) -> bytes:
        with self._lock:
            if self._file is None:
                self._file = self._open()
            handle = self._file.filehandle
            handle.seek(begin)
            found = handle.read(length)
        if len(found) < length:
            raise EOFError("the file is cut short")
        return found


def _region(page: Page, rect: Rect, bytes_of: Callable[[Page, int], bytes | None]) -> NDArray[Any]:
    """Samples (h, w, c) of a rectangle within a page, as they are stored."""
    form = page.keyframe
    separate = int(form.planarconfig) == 2 and form.samplesperpixel > 1
    out = np.full((rect.h, rect.w, form.samplesperpixel), form.nodata, form.dtype.newbyteorder("="))
    more = {"jpegtables": page.jpegtables, "jpegheader": form.jpegheader} if int(form.compression) in _JPEG else {}
    for index in _segments(form, rect, separate):
        found, (sample, _depth, y, x, _), (_, h, w, _c) = form.decode(bytes_of(page, index), index, **more)
        part = Rect(x, y, w, h).intersected(rect)
        if found is None or part.empty:
            continue
        cut = found[0, part.y - y : part.bottom - y, part.x - x : part.right - x]
        rows, columns = slice(part.y - rect.y, part.bottom - rect.y), slice(part.x - rect.x, part.right - rect.x)
        if separate:
            out[rows, columns, sample] = cut[..., 0]
        else:
            out[rows, columns] = cut
    return out


def _rows(page: Page, rect: Rect, part: Callable[[int, int], bytes]) -> NDArray[Any]:
    """The same of a page whose samples lie in the file as they are."""
    form = page.keyframe
    dtype, count = form.dtype.newbyteorder(form.parent.byteorder), form.samplesperpixel
    row = form.imagewidth * count * dtype.itemsize
    found = np.frombuffer(part(page.dataoffsets[0] + rect.y * row, rect.h * row), dtype)
    return found.reshape(rect.h, form.imagewidth, count)[:, rect.x : rect.right]


def _segments(form: Page, rect: Rect, separate: bool) -> Iterator[int]:
    """The numbers of the tiles or strips that a rectangle touches."""
    width, height = form.imagewidth, form.imagelength
    w, h = (form.tilewidth, form.tilelength) if form.is_tiled else (width, min(form.rowsperstrip, height))
    across, down = -(-width // w), -(-height // h)
    for sample in range(form.samplesperpixel if separate else 1):
        for row in range(rect.y // h, -(-rect.bottom // h)):
            for column in range(rect.x // w, -(-rect.right // w)):
                yield (sample * down + row) * across + column

"""Parts of large TIFFs: of a page only the tiles or strips under a rectangle are decoded, at the level asked for.

The file stays open between two reads, for its header alone may take longer than the tiles; what was decoded last is
kept within a budget, for neighbours are asked for next.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.readers.frames import Frame
from segstudio.imaging.readers.refusal import fits_memory
from segstudio.imaging.source import ImageInfo, Pixels

if TYPE_CHECKING:
    import tifffile

__all__ = ["WindowSource", "can_be_cut"]

_BUDGET_BYTES = 96 << 20
_THREADS = 4
_FEW = 4
"""Tiles that are decoded one after the other: threads would cost more."""

_APERIO_YCBCR = 33003
"""JPEG 2000 as Aperio's scanners write it: YCbCr, and nothing in its data says so."""


class _Key(NamedTuple):
    page: int
    segment: int


class _Segment(NamedTuple):
    """One tile or strip under a rectangle: where its bytes are, and the place of the separate sample it belongs to."""

    key: _Key
    offset: int
    size: int


def can_be_cut(page: Any) -> bool:
    """Whether tiles or strips of such a page can be decoded alone, are whole samples, and are all there.

    The last keeps a small file from claiming to be a huge picture: each tile has its place in the header.
    """
    whole = int(page.bitspersample) in (8, 16, 32, 64) and page.dtype is not None
    if not whole or 0 in page.shaped or int(page.shaped[1]) != 1:
        return False
    _rows, _columns, down, across = _grid(page.keyframe)
    return len(page.dataoffsets) == len(page.databytecounts) == int(page.shaped[0]) * down * across


class WindowSource:
    """See `ImageSource`. `pages(file, plane, level)` gives the pages of a plane, one or one a channel, and
    `frame(samples)` makes samples (h, w, all samples) of a rectangle into what is shown.
    """

    def __init__(
        self,
        path: Path,
        info: ImageInfo,
        opened: "Callable[[Path], tifffile.TiffFile]",
        reading: Callable[[Path], AbstractContextManager[None]],
        pages: "Callable[[tifffile.TiffFile, int, int], list[Any]]",
        frame: Callable[[Pixels], Frame],
    ) -> None:
        self.info = info
        self._path, self._opened, self._reading = path, opened, reading
        self._pages, self._frame = pages, frame
        self._file: tifffile.TiffFile | None = None
        self._lock = threading.RLock()
        self._decoded: OrderedDict[_Key, NDArray[Any]] = OrderedDict()

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        found = self._framed(rect, level, plane).pixels
        return found if channels is None else found[..., list(channels)]

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """See `ImageSource.alpha`."""
        return self._framed(rect, 0, plane).alpha if self.info.alpha else None

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`."""
        with self._lock:
            self._decoded.clear()

    def close(self) -> None:
        """Close the file and release what was decoded."""
        with self._lock:
            self._decoded.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    def __del__(self) -> None:
        self.close()  # of a source that somebody only looked into

    def _framed(self, rect: Rect | None, level: int, plane: int) -> Frame:
        of = self.info.planes[plane]
        if not 0 <= level <= len(self.info.levels):
            raise IndexError(f"level {level} of {len(self.info.levels) + 1}")
        width, height = self.info.levels[level - 1] if level else (of.width, of.height)
        whole = Rect(0, 0, width, height)
        part = whole if rect is None else rect.intersected(whole)
        with self._reading(self._path):
            with self._lock:
                if self._file is None:
                    self._file = self._opened(self._path)
                pages = self._pages(self._file, plane, level)
            return self._frame(np.concatenate([self._part(page, part) for page in pages], -1))

    def _part(self, page: Any, part: Rect) -> Pixels:
        """Samples (h, w, c) of a rectangle of a page."""
        with self._lock:
            keyframe = page.keyframe
            if page.parent is not self._file:
                whole = keyframe_samples(self._whole(page), keyframe)
                return whole[part.y : part.bottom, part.x : part.right]
            if _lies_in_one_piece(page):
                return self._mapped(page)[part.y : part.bottom, part.x : part.right].reshape(part.h, part.w, -1)
            decode = keyframe.decode
            segments = list(_under(page, part))
        separate, _depth, _length, _width, contiguous = keyframe.shaped
        fits_memory(part.w * part.h * separate * contiguous * keyframe.dtype.itemsize)
        out = np.full((part.h, part.w, separate * contiguous), keyframe.nodata, keyframe.dtype)
        for segment, samples in self._segments(page, decode, segments):
            if samples is None:
                continue  # a tile without data, as scanners leave them where there is no tissue
            at, x, y = _place(keyframe, segment.key.segment)
            inner = Rect(x, y, samples.shape[1], samples.shape[0]).intersected(part)
            if inner.w > 0 and inner.h > 0:
                out[
                    inner.y - part.y : inner.bottom - part.y,
                    inner.x - part.x : inner.right - part.x,
                    at : at + contiguous,
                ] = samples[inner.y - y : inner.bottom - y, inner.x - x : inner.right - x]
        return out

    def _mapped(self, page: Any) -> Pixels:
        """Samples (h, w, separate, contiguous) of a page, of which nothing is read until it is looked at."""
        separate, _depth, length, width, contiguous = page.keyframe.shaped
        dtype = np.dtype(page.keyframe.dtype).newbyteorder(page.keyframe.parent.byteorder)
        shape = (separate, length, width, contiguous)
        return np.memmap(self._path, dtype, "r", int(page.dataoffsets[0]), shape).transpose(1, 2, 0, 3)

    def _whole(self, page: Any) -> NDArray[Any]:
        """A page of another file of the same image, which opens and closes itself."""
        key = _Key(hash((str(page.parent.filehandle.path), page.offset)), -1)
        found = self._decoded.get(key)
        if found is None:
            found = np.asarray(page.asarray())
            self._keep(key, found)
        return found

    def _segments(
        self, page: Any, decode: Any, segments: list[_Segment]
    ) -> Iterator[tuple[_Segment, NDArray[Any] | None]]:
        """Each segment with its samples (h, w, c), None for one without data."""
        tables, header = page.jpegtables, getattr(page, "jpegheader", None)  # of a frame only its key page has it
        aperio = int(page.compression) == _APERIO_YCBCR

        def decoded(segment: _Segment) -> NDArray[Any] | None:
            with self._lock:
                found = self._decoded.get(segment.key)
                if found is not None:
                    self._decoded.move_to_end(segment.key)
                    return found
                if segment.size == 0:
                    return None
                assert self._file is not None
                self._file.filehandle.seek(segment.offset)
                data = self._file.filehandle.read(segment.size)
            array, _indices, _shape = decode(data, segment.key.segment, jpegtables=tables, jpegheader=header)
            if array is None:
                return None
            samples = _rgb(array[0]) if aperio else array[0]
            with self._lock:
                self._keep(segment.key, samples)
            return samples

        if len(segments) <= _FEW:
            yield from ((segment, decoded(segment)) for segment in segments)
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            yield from zip(segments, pool.map(decoded, segments), strict=True)

    def _keep(self, key: _Key, samples: NDArray[Any]) -> None:
        self._decoded[key] = samples
        while len(self._decoded) > 1 and sum(array.nbytes for array in self._decoded.values()) > _BUDGET_BYTES:
            self._decoded.popitem(last=False)


def keyframe_samples(array: NDArray[Any], keyframe: Any) -> Pixels:
    """A whole page as (h, w, c)."""
    separate, _depth, length, width, contiguous = keyframe.shaped
    return array.reshape(separate, length, width, contiguous).transpose(1, 2, 0, 3).reshape(length, width, -1)


def _lies_in_one_piece(page: Any) -> bool:
    """Whether the samples of a page are neither compressed nor scattered."""
    if not page.keyframe.is_final or page.keyframe.is_tiled:
        return False
    offsets, sizes = page.dataoffsets, page.databytecounts
    return all(offsets[i] + sizes[i] == offsets[i + 1] for i in range(len(offsets) - 1))


def _grid(keyframe: Any) -> tuple[int, int, int, int]:
    """Rows and columns of a segment, and how many there are down and across."""
    _separate, _depth, length, width, _contiguous = keyframe.shaped
    if keyframe.is_tiled:
        rows, columns = int(keyframe.tilelength), int(keyframe.tilewidth)
    else:
        rows, columns = min(int(keyframe.rowsperstrip), length), width
    return rows, columns, -(-length // rows), -(-width // columns)


def _under(page: Any, part: Rect) -> Iterator[_Segment]:
    """The segments that a rectangle touches."""
    keyframe = page.keyframe
    rows, columns, down, across = _grid(keyframe)
    offsets, sizes = page.dataoffsets, page.databytecounts
    for separate in range(int(keyframe.shaped[0])):
        for row in range(part.y // rows, -(-part.bottom // rows)):
            for column in range(part.x // columns, -(-part.right // columns)):
                index = (separate * down + row) * across + column
                yield _Segment(_Key(int(page.offset), index), int(offsets[index]), int(sizes[index]))


def _place(keyframe: Any, index: int) -> tuple[int, int, int]:
    """Which separate sample a segment belongs to, and x and y of where it begins."""
    rows, columns, down, across = _grid(keyframe)
    separate, index = divmod(index, down * across)
    row, column = divmod(index, across)
    return separate, column * columns, row * rows


def _rgb(samples: NDArray[Any]) -> NDArray[Any]:
    """RGB of YCbCr (h, w, 3) uint8, by the equations of JFIF 1.02."""
    if samples.ndim != 3 or samples.shape[2] != 3 or samples.dtype != np.uint8:
        return samples
    y, cb, cr = (samples[..., i].astype(np.float32) for i in range(3))
    cb, cr = cb - 128.0, cr - 128.0
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], -1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)

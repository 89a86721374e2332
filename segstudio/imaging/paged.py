"""Samples of a large image in a file without a name, mapped into memory: what nobody looks at takes none.

The file lies in a folder for what may be deleted, and is gone with the last array of it, however the program ends.
Where the disk has no room for it, or the system cannot do it, the samples stay in memory: nothing depends on it.
"""

import logging
import mmap
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGE_BYTES", "Pages", "Room", "drop_pages", "paged", "room_for"]

LARGE_BYTES = 64 << 20
"""Samples of an image, all its levels together, from which they are worth a file."""

_SPARE_BYTES = 2 << 30
"""What stays free on the disk for whatever else is written there."""

_BLOCK_BYTES = 1 << 20
_MOST_BLOCKS = 48
"""When more blocks than that were looked at since pages were last dropped, all are dropped again."""

Samples = NDArray[Any]


class Pages:
    """The mapped file of one image. Any thread may use it.

    A dropped page comes back from the system's cache of the file when somebody looks at it, so dropping is safe at any
    time; what it costs is a millisecond or two the next time that a whole view is drawn.
    """

    def __init__(self, mapped: mmap.mmap, places: Sequence[tuple[int, int]]) -> None:
        """`places` says of each level where it begins, and how long a row is, in bytes."""
        self._mapped, self._places = mapped, tuple(places)
        self._lock = threading.Lock()
        self._blocks = np.zeros(-(-len(mapped) // _BLOCK_BYTES), np.bool_)

    def note(self, level: int, rows: slice) -> None:
        """Rows of a level are about to be looked at: keep what is in memory within bounds."""
        begin, row_bytes = self._places[level]
        first, last = begin + rows.start * row_bytes, begin + rows.stop * row_bytes
        with self._lock:
            self._blocks[first // _BLOCK_BYTES : -(-last // _BLOCK_BYTES)] = True
            if np.count_nonzero(self._blocks) <= _MOST_BLOCKS:
                return
        self.drop()

    def drop(self) -> None:
        """Take all pages out of this process' memory."""
        with self._lock:
            self._blocks[:] = False
            self._mapped.madvise(mmap.MADV_DONTNEED)


_living: WeakSet[Pages] = WeakSet()
_living_lock = threading.Lock()
"""Several threads decode images; a set that grows cannot be walked through."""


def drop_pages() -> None:
    """Take the pages of all images out of this process' memory."""
    with _living_lock:
        living = list(_living)
    for pages in living:
        pages.drop()


class Room:
    """Arrays (h, w, c) that are filled row by row, in a mapped file or in memory. One thread fills, any may read."""

    def __init__(
        self,
        arrays: Sequence[Samples],
        pages: Pages | None = None,
        file: IO[bytes] | None = None,
        begins: Sequence[int] = (),
    ) -> None:
        self.arrays, self.pages = tuple(arrays), pages
        self._file, self._begins = file, tuple(begins)

    def fill(self, level: int, top: int, rows: Samples) -> None:
        """Put rows (n, w, c) into an array from this row on. Raises `OSError` where the disk refuses them."""
        array = self.arrays[level]
        if self._file is None:
            array[top : top + len(rows)] = rows
        else:
            # Written and not copied into the mapping: a disk that fails is then an error, and not the end of a program.
            _write(self._file, rows.astype(array.dtype, copy=False), self._begins[level] + top * array.strides[0])

    def filled(self) -> None:
        """Nothing more comes."""
        if self._file is not None:
            self._file.close()
            self._file = None


def room_for(sizes: Sequence[tuple[int, int]], channels: int, dtype: "np.dtype[Any]", folder: Path | None) -> Room:
    """Room for levels of these widths and heights, zeros at first: in a file in `folder`, which is made where it is
    missing, if they are large; in memory where they are not, where `folder` is None, and where the disk has no room.
    """
    shapes = [(height, width, channels) for width, height in sizes]
    wanted = sum(_whole_pages(_nbytes(shape, dtype)) for shape in shapes)
    if folder is not None and wanted >= LARGE_BYTES and hasattr(mmap, "MADV_DONTNEED"):
        try:
            return _room_in_file([(shape, dtype) for shape in shapes], folder)
        except OSError as error:
            logging.getLogger(__name__).info("samples of an image stay in memory: %s", error)
    return Room([np.zeros(shape, dtype) for shape in shapes])


def paged(levels: Sequence[Samples], folder: Path | None) -> tuple[tuple[Samples, ...], Pages | None]:
    """The same arrays (h, w, c), read-only, in a mapped file if they are large; else as they are, without `Pages`.

    `folder` is made where it is missing; None keeps everything in memory.
    """
    wanted = sum(_whole_pages(level.nbytes) for level in levels)
    if folder is None or wanted < LARGE_BYTES or not hasattr(mmap, "MADV_DONTNEED"):
        return tuple(levels), None
    try:
        room = _room_in_file([(level.shape, level.dtype) for level in levels], folder)
        try:
            for number, level in enumerate(levels):
                room.fill(number, 0, level)
        finally:
            room.filled()
    except OSError as error:
        logging.getLogger(__name__).info("samples of an image stay in memory: %s", error)
        return tuple(levels), None
    return room.arrays, room.pages


def _room_in_file(kinds: "Sequence[tuple[tuple[int, ...], np.dtype[Any]]]", folder: Path) -> Room:
    ends = list(accumulate(_whole_pages(_nbytes(*kind)) for kind in kinds))
    begins, n_bytes = [0, *ends[:-1]], ends[-1]
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < n_bytes + _SPARE_BYTES:
        raise OSError(f"{folder} has too little room for {n_bytes} bytes")
    file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it stays open while it is filled
    try:
        if hasattr(os, "posix_fallocate"):
            # Room that is only promised, and not there when the system writes, would be found out by a dead process.
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        mapped = mmap.mmap(file.fileno(), n_bytes, prot=mmap.PROT_READ)
    except BaseException:
        file.close()
        raise
    placed = [(begin, *kind) for begin, kind in zip(begins, kinds, strict=True)]
    pages = Pages(mapped, [(begin, _nbytes(shape[1:], dtype)) for begin, shape, dtype in placed])
    with _living_lock:
        _living.add(pages)
    arrays = [np.frombuffer(mapped, dtype, prod(shape), begin).reshape(shape) for begin, shape, dtype in placed]
    return Room(arrays, pages, file, begins)


def _nbytes(shape: Sequence[int], dtype: "np.dtype[Any]") -> int:
    return prod(shape) * dtype.itemsize


def _whole_pages(n_bytes: int) -> int:
    return -(-n_bytes // mmap.PAGESIZE) * mmap.PAGESIZE


def _write(file: IO[bytes], samples: Samples, begin: int) -> None:
    file.seek(begin)
    left = np.ascontiguousarray(samples).reshape(-1).view(np.uint8).data
    while left:
        written = file.write(left)
        left = left[written:]

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
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGE_BYTES", "Pages", "drop_pages", "paged"]

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


def paged(levels: Sequence[Samples], folder: Path | None) -> tuple[tuple[Samples, ...], Pages | None]:
    """The same arrays (h, w, c), read-only, in a mapped file if they are large; else as they are, without `Pages`.

    `folder` is made where it is missing; None keeps everything in memory.
    """
    wanted = sum(_whole_pages(level.nbytes) for level in levels)
    if folder is None or wanted < LARGE_BYTES or not hasattr(mmap, "MADV_DONTNEED"):
        return tuple(levels), None
    try:
        return _paged(levels, folder, wanted)
    except OSError as error:
        logging.getLogger(__name__).info("samples of an image stay in memory: %s", error)
        return tuple(levels), None


def _paged(levels: Sequence[Samples], folder: Path, n_bytes: int) -> tuple[tuple[Samples, ...], Pages]:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < n_bytes + _SPARE_BYTES:
        raise OSError(f"{folder} has too little room for {n_bytes} bytes")
    places: list[tuple[int, int]] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        if hasattr(os, "posix_fallocate"):
            # Room that is only promised, and not there when the system writes, would be found out by a dead process.
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        end = 0
        for level in levels:
            places.append((end, level.nbytes // len(level)))
            _write(file, level, end)
            end += _whole_pages(level.nbytes)
        mapped = mmap.mmap(file.fileno(), n_bytes, prot=mmap.PROT_READ)
    pages = Pages(mapped, places)
    with _living_lock:
        _living.add(pages)
    held = (
        np.frombuffer(mapped, level.dtype, level.size, begin).reshape(level.shape)
        for level, (begin, _row_bytes) in zip(levels, places, strict=True)
    )
    return tuple(held), pages


def _whole_pages(n_bytes: int) -> int:
    return -(-n_bytes // mmap.PAGESIZE) * mmap.PAGESIZE


def _write(file: IO[bytes], samples: Samples, begin: int) -> None:
    file.seek(begin)
    left = np.ascontiguousarray(samples).reshape(-1).view(np.uint8).data
    while left:
        written = file.write(left)
        left = left[written:]

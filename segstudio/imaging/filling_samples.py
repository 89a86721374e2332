"""Samples of a large plane that is decoded whole, from top to bottom, while it is on screen already.

What is not decoded yet is drawn from a smaller copy, where the file's format gives one quickly, else as nothing.
"""

import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.paged import Room
from segstudio.imaging.pyramid import halved, resizable, resized
from segstudio.imaging.samples import Watcher
from segstudio.imaging.source import ImageSource, Pixels
from segstudio.imaging.tiled_samples import enlarged, level_sizes
from segstudio.text import _

__all__ = ["FillingSamples"]

_BAND = 256
"""Rows that are decoded at a time, at least: as many as make a whole number of rows at every level."""


class FillingSamples:
    """See `Samples`. A thread of its own decodes; it keeps the source until then.

    `read` waits for the rows that it needs, and raises what the decoder raised where they never come.
    """

    def __init__(
        self,
        source: ImageSource,
        plane: int,
        room: "Callable[[Sequence[tuple[int, int]], int, np.dtype[Any]], Room]",
        early: Pixels | None = None,
    ) -> None:
        """`room` gives what is filled, by sizes of levels, channels and type. `early` (h, w, c) is the plane reduced by
        a power of two.
        """
        whole = source.info.planes[plane]
        self.sizes = level_sizes(whole.width, whole.height)
        self.channels, self.dtype = source.info.channels, np.dtype(source.info.dtype)
        self._room = room(self.sizes, self.channels, self.dtype)
        self._early = self._fitting(early)
        self._rows = 0
        self._error: UnreadableImage | None = None
        self._changed = threading.Condition()
        self._watcher: Watcher | None = None
        weakref.finalize(self, self._room.filled)
        # It holds no reference of its own, so that it ends where nobody shows the image any more.
        given = weakref.ref(self), source, plane
        threading.Thread(target=_fill, args=given, name="blocks-filling", daemon=True).start()

    @property
    def overview(self) -> Pixels:
        """The last level, whole; not to be written."""
        last = len(self.sizes) - 1
        return self.at_once(last, Rect(0, 0, *self.sizes[last]))

    @property
    def nbytes(self) -> int:
        """What all of it takes, wherever it lies."""
        return sum(level.nbytes for level in self._room.arrays)

    @property
    def in_memory(self) -> bool:
        """Whether that is memory, and not a file."""
        return self._room.pages is None

    @property
    def settled(self) -> bool:
        """Whether the overview stays as it is: all is decoded."""
        return self._rows == self.sizes[0][1]

    def read(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.read`."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._there(level, rect))
            if not self._there(level, rect):
                assert self._error is not None
                raise self._error
        return self._held(level, rect)

    def at_once(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.at_once`."""
        inside = rect.intersected(Rect(0, 0, *self.sizes[level]))
        # Looked at once: meanwhile more may come.
        early, known = self._early, min(self._known_rows(level) - inside.y, inside.h)
        if early is None or known == inside.h:
            return self._held(level, inside)
        blurred = self._blurred(level, inside, *early)
        if known > 0:
            blurred = blurred.copy()
            blurred[:known] = self._held(level, Rect(inside.x, inside.y, inside.w, known))
        return blurred

    def has(self, level: int, rect: Rect) -> bool:
        """See `Samples.has`."""
        return self._there(level, rect)

    def watch(self, watcher: Watcher | None) -> None:
        """See `Samples.watch`."""
        with self._changed:
            self._watcher, error = watcher, self._error
        if watcher is not None and error is not None:
            watcher.failed(error)

    def _fitting(self, early: Pixels | None) -> tuple[Pixels, int] | None:
        """The smaller copy and its level; None for one that is of other pixels than these."""
        if early is None or (early.shape[2], early.dtype) != (self.channels, self.dtype):
            return None
        size = early.shape[1], early.shape[0]
        return (early, self.sizes.index(size)) if size in self.sizes else None

    def _known_rows(self, level: int) -> int:
        """Rows of a level that are decoded; every band but the last has whole rows at all levels."""
        return self.sizes[level][1] if self._rows == self.sizes[0][1] else self._rows >> level

    def _there(self, level: int, rect: Rect) -> bool:
        return min(rect.bottom, self.sizes[level][1]) <= self._known_rows(level)

    def _held(self, level: int, rect: Rect) -> Pixels:
        array = self._room.arrays[level]
        inside = rect.intersected(Rect(0, 0, *self.sizes[level]))
        if self._room.pages is not None:
            self._room.pages.note(level, slice(inside.y, inside.bottom))
        found = array[inside.y : inside.bottom, inside.x : inside.right]
        found.setflags(write=False)
        return found

    def _blurred(self, level: int, rect: Rect, early: Pixels, of: int) -> Pixels:
        if level <= of:
            return enlarged(early, Rect(0, 0, *self.sizes[of]), of - level, rect)
        step = 1 << level - of
        part = early[rect.y * step : rect.bottom * step, rect.x * step : rect.right * step]
        small = resized(resizable(part), rect.w, rect.h)
        return small if small.dtype == early.dtype else np.rint(small).astype(early.dtype)

    def took(self, top: int, rows: Pixels) -> None:
        """Keep decoded rows at every level; for the thread that fills. Raises `OSError`."""
        for level in range(len(self.sizes)):
            self._room.fill(level, top >> level, rows)
            if level + 1 < len(self.sizes):
                rows = halved(rows)
                if rows.dtype != self.dtype:  # of whole numbers of 64 bits
                    rows = np.rint(rows).astype(self.dtype)

    def shows(self, rows: int) -> None:
        """So many rows are there from now on; for the thread that fills."""
        before = self._rows
        with self._changed:
            self._rows = rows
            if rows == self.sizes[0][1]:
                self._room.filled()
                self._early = None
            self._changed.notify_all()
        if (watcher := self._watcher) is not None:
            watcher.arrived(Rect(0, before, self.sizes[0][0], rows - before))

    def fails(self, error: UnreadableImage) -> None:
        """No more rows come; for the thread that fills."""
        with self._changed:
            self._error = error
            self._room.filled()
            self._changed.notify_all()
            watcher = self._watcher
        if watcher is not None:
            watcher.failed(error)


def _fill(samples: "weakref.ref[FillingSamples]", source: ImageSource, plane: int) -> None:
    whole = source.info.planes[plane]
    band = max(_BAND, 1 << len(level_sizes(whole.width, whole.height)) - 1)
    try:
        for top in range(0, whole.height, band):
            rect = Rect(0, top, whole.width, min(band, whole.height - top))
            rows = source.read(rect, 0, plane)
            if (shown := samples()) is None:
                return
            shown.took(top, rows)
            shown.shows(rect.bottom)
            del shown
    except UnreadableImage as error:
        if (shown := samples()) is not None:
            shown.fails(error)
    except OSError as error:
        logging.getLogger(__name__).warning("decoded samples cannot be kept: %s", error)
        if (shown := samples()) is not None:
            shown.fails(UnreadableImage(_("The decoded picture cannot be kept: {error}.", error=error)))
    except BaseException as error:
        # A bug, or no memory: it is reported as one, and nobody waits for what will not come.
        if (shown := samples()) is not None:
            why = str(error) or type(error).__name__
            shown.fails(UnreadableImage(_("The picture cannot be decoded: {error}.", error=why)))
        raise
    finally:
        source.close()

"""Samples of a large plane that are decoded block by block, when somebody looks at them.

For files that have smaller levels of their own: a view of any size then decodes a few blocks, however large the plane.
"""

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.faults import report
from segstudio.geometry import Rect
from segstudio.imaging.pyramid import resizable, resized
from segstudio.imaging.samples import Watcher
from segstudio.imaging.source import ImageInfo, ImageSource, Pixels

__all__ = ["TiledSamples", "enlarged", "level_sizes", "may_be_tiled"]

BLOCK = 512
"""Width and height of a block in pixels of its level."""

_LARGE_PX = 1 << 25
"""Planes of fewer pixels are decoded whole: that takes no second, and then nothing is waited for."""

_MOST_REDUCED = 4
"""A block is made from at most so many times as many pixels each way."""

_KEPT_BYTES = 96 << 20
_IN_VIEW = 64
"""Blocks that may be on screen at once, and are kept whatever they take: else each would drive out the next."""

_WANTED = 128
"""Blocks that are asked for at a time; of more, those that were asked for first are not in view any more."""

_THREADS = 2

_Place = tuple[int, int, int]
"""Level, column and row of a block."""


def level_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """Width and height of each level, halved and rounded up until a block holds it."""
    sizes = [(width, height)]
    while max(sizes[-1]) > BLOCK:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def may_be_tiled(info: ImageInfo, plane: int) -> bool:
    """Whether a plane is large, and the file's own levels are close enough together for blocks of every size."""
    whole = info.planes[plane]
    if not info.by_block or whole.width * whole.height < _LARGE_PX:
        return False
    own = [whole.width, *(width for width, _height in info.levels)]
    return all(_own_level(own, width) is not None for width, _height in level_sizes(whole.width, whole.height))


def _own_level(own: Sequence[int], width: int) -> int | None:
    """The smallest of the file's levels, by their widths, that is at least so wide; None if it is far too wide."""
    level = max(place for place, found in enumerate(own) if found >= width - 1)
    return level if own[level] <= _MOST_REDUCED * width * 1.01 else None


class TiledSamples:
    """See `Samples`. It keeps the source, which must read by rectangle and level, and closes it at its end."""

    in_memory = True
    settled = True

    def __init__(self, source: ImageSource, plane: int) -> None:
        """Decodes the overview: for a worker thread. Raises `UnreadableImage`."""
        whole = source.info.planes[plane]
        self._source, self._plane = source, plane
        self._own = [(whole.width, whole.height), *source.info.levels]
        self.sizes = level_sizes(whole.width, whole.height)
        self._lock = threading.Lock()
        self._blocks: OrderedDict[_Place, Pixels] = OrderedDict()
        self._bytes = 0
        self._wanted: OrderedDict[_Place, None] = OrderedDict()
        self._under_way: set[_Place] = set()
        self._failed: set[_Place] = set()
        self._watcher: Watcher | None = None
        weakref.finalize(self, source.close)
        self.overview = self._decoded((len(self.sizes) - 1, 0, 0))

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.overview.shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample."""
        return self.overview.dtype

    @property
    def nbytes(self) -> int:
        """What is decoded at present."""
        return self._bytes + self.overview.nbytes

    def read(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.read`."""
        return self._put_together(level, rect, self._block)

    def at_once(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.at_once`."""
        return self._put_together(level, rect, self._block_at_once)

    def has(self, level: int, rect: Rect) -> bool:
        """See `Samples.has`."""
        with self._lock:
            return all(self._known(place) is not None for place in self._places(level, rect))

    def watch(self, watcher: Watcher | None) -> None:
        """See `Samples.watch`. A damaged block is told to who reads it: the rest of the picture is there."""
        self._watcher = watcher

    def _places(self, level: int, rect: Rect) -> list[_Place]:
        inside = rect.intersected(Rect(0, 0, *self.sizes[level]))
        if inside.empty:
            return []
        columns = range(inside.x // BLOCK, -(-inside.right // BLOCK))
        rows = range(inside.y // BLOCK, -(-inside.bottom // BLOCK))
        return [(level, x, y) for y in rows for x in columns]

    def _rect(self, place: _Place) -> Rect:
        level, x, y = place
        return Rect(x * BLOCK, y * BLOCK, BLOCK, BLOCK).intersected(Rect(0, 0, *self.sizes[level]))

    def _put_together(self, level: int, rect: Rect, block: "Callable[[_Place], Pixels]") -> Pixels:
        inside = rect.intersected(Rect(0, 0, *self.sizes[level]))
        out = np.zeros((max(inside.h, 0), max(inside.w, 0), self.channels), self.dtype)
        for place in self._places(level, inside):
            whole = self._rect(place)
            part = whole.intersected(inside)
            found = block(place)[part.y - whole.y : part.bottom - whole.y, part.x - whole.x : part.right - whole.x]
            if part == inside:
                return found
            out[part.y - inside.y : part.bottom - inside.y, part.x - inside.x : part.right - inside.x] = found
        return out

    def _known(self, place: _Place) -> Pixels | None:
        """A block that is decoded; under the lock."""
        if place[0] == len(self.sizes) - 1:
            return self.overview
        if (found := self._blocks.get(place)) is not None:
            self._blocks.move_to_end(place)
        return found

    def _block(self, place: _Place) -> Pixels:
        with self._lock:
            if (found := self._known(place)) is not None:
                return found
        found = self._decoded(place)
        self._keep(place, found)
        return found

    def _block_at_once(self, place: _Place) -> Pixels:
        with self._lock:
            if (found := self._known(place)) is not None:
                return found
            self._want(place)
            coarser = self._coarser(place)
        return enlarged(*coarser, self._rect(place))

    def _coarser(self, place: _Place) -> tuple[Pixels, Rect, int]:
        """The nearest smaller block over a place, where it lies at its level, and by how many levels it is smaller."""
        level, x, y = place
        for steps in range(1, len(self.sizes) - level):
            over = level + steps, x >> steps, y >> steps
            if (found := self._known(over)) is not None:
                return found, self._rect(over), steps
        raise AssertionError("the overview lies over every block")

    def _want(self, place: _Place) -> None:
        """Have a block decoded, before those that were asked for earlier; under the lock."""
        if place in self._under_way or place in self._failed:
            return
        new = place not in self._wanted
        self._wanted[place] = None
        self._wanted.move_to_end(place)
        while len(self._wanted) > _WANTED:
            self._wanted.popitem(last=False)
        if new:
            _decoders().submit(_decode_next, weakref.ref(self))

    def decode_next(self) -> None:
        """Decode the block that was asked for last; for a decoder's thread."""
        with self._lock:
            if not self._wanted:
                return
            place, _ = self._wanted.popitem()
            if self._known(place) is not None:
                return  # somebody has read it meanwhile
            self._under_way.add(place)
        try:
            self._keep(place, self._decoded(place))
        except UnreadableImage as error:
            # Shown as its coarser level; whoever reads the pixels themselves is told.
            logging.getLogger(__name__).warning("a part of an image cannot be shown: %s", error)
            with self._lock:
                self._failed.add(place)
            return
        except Exception as error:  # noqa: BLE001 - a border: a pool would keep it to itself
            with self._lock:
                self._failed.add(place)
            report(error)
            return
        finally:
            with self._lock:
                self._under_way.discard(place)
        if (watcher := self._watcher) is not None:
            part, step = self._rect(place), 1 << place[0]
            watcher.arrived(Rect(part.x * step, part.y * step, part.w * step, part.h * step))

    def _keep(self, place: _Place, block: Pixels) -> None:
        with self._lock:
            if place in self._blocks:
                return
            self._blocks[place] = block
            self._bytes += block.nbytes
            while self._bytes > _KEPT_BYTES and len(self._blocks) > _IN_VIEW:
                _, gone = self._blocks.popitem(last=False)
                self._bytes -= gone.nbytes

    def _decoded(self, place: _Place) -> Pixels:
        """A block from the file's own level that is next in size, reduced to its own where that is larger."""
        level, rect = place[0], self._rect(place)
        width, height = self.sizes[level]
        own = _own_level([w for w, _h in self._own], width)
        assert own is not None, "asked before by `may_be_tiled`"
        own_width, own_height = self._own[own]
        # By the sizes and not by powers of two: some writers round down where a level has an odd size.
        across, down = own_width / width, own_height / height
        if level == 0:
            found = self._source.read(rect, 0, self._plane)
        else:
            wanted = Rect.of_edges(rect.x * across, rect.y * down, rect.right * across, rect.bottom * down)
            found = self._source.read(wanted.intersected(Rect(0, 0, own_width, own_height)), own, self._plane)
            if found.shape[:2] != (rect.h, rect.w):
                small = resized(resizable(found), rect.w, rect.h)
                found = (small if found.dtype.kind == "f" else np.rint(small)).astype(found.dtype)
        block = np.array(found)  # a part of a larger array would keep all of it
        block.setflags(write=False)
        return block


def enlarged(coarse: Pixels, over: Rect, steps: int, rect: Rect) -> Pixels:
    """A block (h, w, c) from one over it that is so many levels smaller."""
    left, top = (rect.x >> steps) - over.x, (rect.y >> steps) - over.y
    right, bottom = (rect.right - 1 >> steps) + 1 - over.x, (rect.bottom - 1 >> steps) + 1 - over.y
    cut = coarse[top:bottom, left:right]
    large = resized(resizable(cut), cut.shape[1] << steps, cut.shape[0] << steps)[: rect.h, : rect.w]
    return large if large.dtype == coarse.dtype else np.rint(large).astype(coarse.dtype)


def _decode_next(samples: "weakref.ref[TiledSamples]") -> None:
    if (found := samples()) is not None:
        found.decode_next()


@cache
def _decoders() -> ThreadPoolExecutor:
    """The threads that decode blocks: for all images, of which one is on screen."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="blocks")

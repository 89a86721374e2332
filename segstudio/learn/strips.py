"""The tiles of a large plane by streaming: strips of columns, each from top to bottom."""

import sys
import time
from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.grid import UNIT, Grid
from segstudio.learn.model import (
    Model,
    Seconds,
    TileProbabilities,
    need_of,
    noticing_memory,
    of_tile,
    pixels_of,
    probabilities_of,
    single,
)
from segstudio.learn.streaming import REACH_PX, streamed

__all__ = ["streamed_tiles"]

_DRAWN_PX = 1024
_STRIP_WINDOWS = 4
_TURN_PX = 1 << 20
"""After the work of so many pixels others get a turn: about as much as a window."""


def streamed_tiles(
    model: Model,
    data: Dataset,
    entry: PlaneEntry,
    grid: Grid,
    tiles: Sequence[tuple[int, int]],
    seconds: Seconds,
) -> Iterator[TileProbabilities | None]:
    """Some tiles of a plane, and None after about as much work as a window is. The model's network `can_stream`.

    Raises `UnreadableImage`, and if memory runs out `torch.OutOfMemoryError`.
    """
    for strip in _strips(tiles, grid.pitch, model):
        _give_back()
        yield from _Strip(model, data, entry, grid, seconds, strip).tiles()


def _give_back() -> None:
    """Give freed memory back to the system (with glibc alone). Strips differ in width, so what one has left rarely fits
    the next; kept for each, 20000 px took twice the memory.
    """
    if sys.platform.startswith("linux"):
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _strips(tiles: Sequence[tuple[int, int]], pitch: int, model: Model) -> list[list[tuple[int, int]]]:
    """Tiles by strips of columns, as few as possible, and as narrow as possible with so few."""
    if not tiles:
        return []
    columns = sorted({tx for _, tx in tiles})
    length = columns[-1] + 1 - columns[0]
    most = max(_STRIP_WINDOWS * _drawn_px(model) * pitch // (TILE * UNIT), 1)
    width = ceil(length / ceil(length / most))
    strips: dict[int, list[tuple[int, int]]] = {}
    for ty, tx in sorted(tiles):
        strips.setdefault((tx - columns[0]) // width, []).append((ty, tx))
    return [strips[key] for key in sorted(strips)]


def _drawn_px(model: Model) -> int:
    return min(model.window_px, _DRAWN_PX) // UNIT * UNIT


class _Strip:
    """Some columns of tiles, streamed."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        entry: PlaneEntry,
        grid: Grid,
        seconds: Seconds,
        tiles: Sequence[tuple[int, int]],
    ) -> None:
        self._model, self._data, self._entry, self._grid = model, data, entry, grid
        self._seconds = seconds
        self._needs = {key: need_of(grid, grid.tile(*key)) for key in tiles}  # of those that are still to be made
        self._parts: list[tuple[Rect, NDArray[np.float16]]] = []

    def tiles(self) -> Iterator[TileProbabilities | None]:
        """The tiles, from top to bottom, and None now and then."""
        model, seconds = self._model, self._seconds
        drawn = _in_units(list(self._needs.values()))
        context = max(model.context.px, REACH_PX) + 2 * UNIT
        seen = Rect.of_edges(drawn.x - context, drawn.y - context, drawn.right + context, drawn.bottom + context)
        seen = seen.intersected(Rect(0, 0, self._grid.x.units * UNIT, self._grid.y.units * UNIT))
        share = model.context.encoder_share
        found = streamed(model.net, self._read, seen, drawn, _drawn_px(model), self._wanted)
        turn = seconds.network_pixels + _TURN_PX
        while True:
            begun, read = time.perf_counter(), seconds.decode
            with noticing_memory():
                part, logits = next(found, (None, None))
                values = None if logits is None else probabilities_of(logits)[0]
            seconds.network += time.perf_counter() - begun - (seconds.decode - read)
            if part is None:
                break
            seconds.network_pixels += round(part.area * (share if values is None else 1 - share))
            if values is not None:
                self._parts.append((part, values))
                yield from self._complete(part)
            if seconds.network_pixels >= turn:
                yield None
                turn = seconds.network_pixels + _TURN_PX
        yield None

    def _read(self, net: Rect) -> torch.Tensor:
        """The network's input, as if the whole plane had been brought to scale: that needs a little more above and
        below where it is enlarged.
        """
        begun = time.perf_counter()
        pitch = self._grid.pitch
        rim = UNIT if pitch < UNIT else 0
        wide = Rect(net.x, net.y - rim, net.w, net.h + 2 * rim)
        x, y, w, h = (length // UNIT * pitch for length in (wide.x, wide.y, wide.w, wide.h))
        found = pixels_of(self._model, self._data, self._entry, Rect(x, y, w, h), wide.w, wide.h)
        self._seconds.decode += time.perf_counter() - begun
        return self._model.normalised(found[None, rim : rim + net.h])

    def _wanted(self, part: Rect) -> bool:
        return any(not part.intersected(need).empty for need in self._needs.values())

    def _complete(self, part: Rect) -> Iterator[TileProbabilities]:
        """The tiles that need nothing behind `part`."""
        for key, need in list(self._needs.items()):
            if need.bottom <= part.y or (need.bottom <= part.bottom and need.right <= part.right):
                yield TileProbabilities(*key, self._grid.tile(*key), self._values(key, need))
                del self._needs[key]
        top = min((need.y for need in self._needs.values()), default=part.bottom)
        self._parts = [(rect, values) for rect, values in self._parts if rect.bottom > top]

    def _values(self, key: tuple[int, int], need: Rect) -> NDArray[np.float32]:
        out = np.empty((self._parts[0][1].shape[0], need.h, need.w), np.float32)
        for rect, values in self._parts:
            own = rect.intersected(need)
            if not own.empty:
                out[:, own.y - need.y : own.bottom - need.y, own.x - need.x : own.right - need.x] = single(
                    values[:, own.y - rect.y : own.bottom - rect.y, own.x - rect.x : own.right - rect.x]
                )
        return of_tile(out, need, self._grid.tile(*key), self._grid)


def _in_units(needs: Sequence[Rect]) -> Rect:
    """What holds all of them, in whole units."""
    left, top = (min(lows) // UNIT * UNIT for lows in ([n.x for n in needs], [n.y for n in needs]))
    right, bottom = (-(-max(highs) // UNIT) * UNIT for highs in ([n.right for n in needs], [n.bottom for n in needs]))
    return Rect.of_edges(left, top, right, bottom)

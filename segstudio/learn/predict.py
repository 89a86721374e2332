"""Prediction of planes of any size in bounded memory, out as label tiles.

What a large plane needs is streamed where the network can be (`segstudio.learn.strips`). Everything else goes through
the network in windows, which are blended. `predict_tiles` is a generator that yields None after every window, and the
tiles that it completes, so that others get a turn.
"""

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.geometry import Rect, tiles_of
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.device import empty_cache
from segstudio.learn.grid import UNIT, Grid, Window
from segstudio.learn.model import (
    OVERLAP_PX,
    WINDOW_PX,
    Model,
    Seconds,
    TileProbabilities,
    need_of,
    noticing_memory,
    of_tile,
    pixels_of,
    single,
)
from segstudio.learn.streaming import can_stream
from segstudio.learn.strips import streamed_tiles
from segstudio.text import _

__all__ = ["OVERLAP_PX", "WINDOW_PX", "Model", "Seconds", "TileProbabilities", "predict_tiles"]

_SMALLEST_WINDOW_PX = 128
_BAND_TILES = 32
_KEPT_WINDOWS = 24
_STREAMED_SHARE = 0.5
"""A plane is streamed if at least so much of it is to be made."""


def predict_tiles(
    model: Model,
    data: Dataset,
    entry: PlaneEntry,
    *,
    tiles: Sequence[tuple[int, int]] | None = None,
    first: Rect | None = None,
    seconds: Seconds | None = None,
    mirrored: bool = False,
) -> Iterator[TileProbabilities | None]:
    """Probabilities of label tiles (default: all), those that `first` touches before the others. If `mirrored`,
    they are averaged with those of the mirror image, for twice the work.

    If memory runs out, the batch is halved, then the window; finished windows are kept only while they are needed.
    Raises `UnreadableImage`, and `UserError` if not even the smallest window fits.
    """
    seconds = Seconds() if seconds is None else seconds
    open_tiles = dict.fromkeys(tiles if tiles is not None else tiles_of(entry.bounds))
    while open_tiles:
        grid = Grid.covering(
            entry.width, entry.height, model.pitch, model.window_px, model.overlap_px, model.context.px
        )
        try:
            for found in _made(model, data, entry, grid, list(open_tiles), first, seconds, mirrored=mirrored):
                if found is not None:
                    del open_tiles[found.ty, found.tx]
                yield found
        except torch.OutOfMemoryError:
            _make_smaller(model)


def _made(
    model: Model,
    data: Dataset,
    entry: PlaneEntry,
    grid: Grid,
    tiles: Sequence[tuple[int, int]],
    first: Rect | None,
    seconds: Seconds,
    *,
    mirrored: bool,
) -> Iterator[TileProbabilities | None]:
    """In windows what `first` touches, and all of it if it is little or `mirrored`; the rest of a large plane is
    streamed.
    """
    enough = _STREAMED_SHARE * sum(1 for _ in tiles_of(entry.bounds))
    before = set(tiles_of(first)) if first is not None else set()
    if len(before) >= enough:
        before = set()  # nearly all is in view: from top to bottom is soonest
    rest = [key for key in tiles if key not in before]
    streams = not mirrored and len(rest) >= enough and len(grid.x.starts) * len(grid.y.starts) > 1
    streams = streams and can_stream(model.net)
    for band in _bands([key for key in tiles if key in before] if streams else tiles, grid, first):
        yield from _band_tiles(model, data, entry, grid, band, seconds, mirrored=mirrored)
    if streams:
        yield from streamed_tiles(model, data, entry, grid, rest, seconds)


def _bands(tiles: Iterable[tuple[int, int]], grid: Grid, first: Rect | None) -> list[list[tuple[int, int]]]:
    """Tiles in the order they are made: what `first` touches, then bands of some columns, each from top to bottom.

    A band bounds the number of windows that are kept, however wide the plane; a small plane is one band.
    """
    before = set(tiles_of(first)) if first is not None else set()
    todo = sorted(tiles, key=lambda key: (key not in before, key))
    if len(grid.x.starts) * len(grid.y.starts) <= _KEPT_WINDOWS:
        return [todo]
    bands: dict[int, list[tuple[int, int]]] = {}
    for ty, tx in todo:
        bands.setdefault(-1 if (ty, tx) in before else tx // _BAND_TILES, []).append((ty, tx))
    return [bands[key] for key in sorted(bands)]


def _band_tiles(
    model: Model,
    data: Dataset,
    entry: PlaneEntry,
    grid: Grid,
    band: Sequence[tuple[int, int]],
    seconds: Seconds,
    *,
    mirrored: bool,
) -> Iterator[TileProbabilities | None]:
    """The tiles of one band; a window's values are dropped when the last tile that needs them is out."""
    needs = {key: list(grid.touching(grid.tile(*key))) for key in band}
    missing = {key: len(places) for key, places in needs.items()}
    users: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for key, places in needs.items():
        for place in places:
            users.setdefault(place, []).append(key)
    uses = {place: len(keys) for place, keys in users.items()}
    done: dict[tuple[int, int], NDArray[np.float16]] = {}
    order = list(users)
    for i in range(0, len(order), model.batch):
        places = order[i : i + model.batch]
        values = _run(model, data, entry, [grid.window(*place) for place in places], seconds, mirrored=mirrored)
        for place, found in zip(places, values, strict=True):
            done[place] = found
            for key in users[place]:
                missing[key] -= 1
                if missing[key]:
                    continue
                rect = grid.tile(*key)
                yield TileProbabilities(*key, rect, _blended(grid, rect, [(p, done[p]) for p in needs[key]]))
                for used in needs[key]:
                    uses[used] -= 1
                    if not uses[used]:
                        del done[used]
        yield None


def _run(
    model: Model, data: Dataset, entry: PlaneEntry, windows: Sequence[Window], seconds: Seconds, *, mirrored: bool
) -> NDArray[np.float16]:
    begun = time.perf_counter()
    inputs = np.stack([pixels_of(model, data, entry, w.image, w.seen.w, w.seen.h) for w in windows])
    read = time.perf_counter()
    inner = [window.net.moved(-window.seen.x, -window.seen.y) for window in windows]
    with noticing_memory():
        said = model.twice if mirrored else model.probabilities
        values = said(inputs, inner if windows[0].net != windows[0].seen else None)
    seconds.decode += read - begun
    seconds.network += time.perf_counter() - read
    drawn = sum(window.net.area for window in windows)
    around = sum(window.seen.area for window in windows) - drawn
    seconds.network_pixels += (drawn + round(around * model.context.encoder_share)) * (2 if mirrored else 1)
    return values


def _blended(
    grid: Grid, rect: Rect, windows: Sequence[tuple[tuple[int, int], NDArray[np.float16]]]
) -> NDArray[np.float32]:
    """Probabilities (outputs, h, w) of image pixels from the windows that cover them."""
    need = need_of(grid, rect)
    total = np.zeros((windows[0][1].shape[0], need.h, need.w), np.float32)
    weight = np.zeros((need.h, need.w), np.float32)
    for (row, column), values in windows:
        net = grid.window(row, column).net
        part = need.intersected(net)
        if part.empty:
            continue
        own = np.s_[part.y - net.y : part.bottom - net.y, part.x - net.x : part.right - net.x]
        to = np.s_[part.y - need.y : part.bottom - need.y, part.x - need.x : part.right - need.x]
        w = np.outer(grid.y.weights(row)[own[0]], grid.x.weights(column)[own[1]])
        total[:, to[0], to[1]] += single(values[:, own[0], own[1]]) * w
        weight[to] += w
    total /= weight
    return of_tile(total, need, rect, grid)


def _make_smaller(model: Model) -> None:
    """Halve the batch, then the window. Raises `UserError` when neither can be halved."""
    empty_cache(model.device)
    if model.batch > 1:
        model.batch //= 2
    elif model.window_px // 2 >= _SMALLEST_WINDOW_PX:
        model.window_px = model.window_px // 2 // UNIT * UNIT
    else:
        raise UserError(
            _("There is not enough memory for a prediction."), todo=_("Close other programs, or use the CPU.")
        )

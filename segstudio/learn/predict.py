"""Prediction of planes of any size in bounded memory: windows through the network, blended, out as label tiles.

A network ready for use is a `Model`, whatever learned it. `predict_tiles` is a generator that yields None after every
window, and the tiles that it completes, so that others get a turn.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.errors import UserError
from segstudio.geometry import Rect, tiles_of
from segstudio.imaging.pyramid import resized
from segstudio.learn.data import ByChannel, Dataset, PlaneEntry, padded_pixels
from segstudio.learn.device import empty_cache, is_out_of_memory
from segstudio.learn.fusing import fused
from segstudio.learn.grid import UNIT, Grid, Window
from segstudio.learn.networks import Context, logits_of
from segstudio.learn.sampling import with_channels
from segstudio.text import _

__all__ = ["Model", "Seconds", "TileProbabilities", "predict_tiles"]

Result = TypeVar("Result")

WINDOW_PX = 1088
OVERLAP_PX = 96
_SMALLEST_WINDOW_PX = 128
_BAND_TILES = 32
_KEPT_WINDOWS = 24
_GPU_BATCH = 4


@dataclass(slots=True, eq=False)
class Model:
    """A network in evaluation mode on its device, and how to use it.

    `net` turns normalised pixels (n, channels, h, w) into logits (n, outputs, h, w); output i means class `outputs[i]`,
    0 for nothing. `name` is the version, `pitch` image pixels for 32 network pixels; `batch` windows go at once.
    `levels` are those by which it learned to see pixels, () for each plane's own.
    Around each window the encoder sees `context.px` more, where `segstudio.learn.networks.draw` knows the net.
    """

    name: str
    net: nn.Module
    outputs: tuple[int, ...]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pitch: int
    device: torch.device
    bfloat16: bool = False
    channels_last: bool = False
    window_px: int = WINDOW_PX
    overlap_px: int = OVERLAP_PX
    context: Context = Context(0, 1.0)  # noqa: RUF009  (frozen)
    batch: int = 1
    levels: ByChannel = ()

    def __post_init__(self) -> None:
        """Fold and fuse, which leaves the given network as it is, and bring the result to its device."""
        self.net = fused(self.net, self.channels, self.device, bfloat16=self.bfloat16)
        memory = torch.channels_last if self.channels_last else torch.contiguous_format
        self.net = self.net.to(device=self.device, memory_format=memory).eval()  # type: ignore[call-overload]
        if self.device.type != "cpu":
            self.batch = _GPU_BATCH

    @torch.inference_mode()
    def probabilities(self, pixels: NDArray[np.float32], inner: Sequence[Rect] | None = None) -> NDArray[np.float16]:
        """Pixels (n, h, w, channels) in 0..1 to probabilities (n, outputs, h, w), or those of the rectangles `inner`,
        one a window and all of one size. Raises `torch.OutOfMemoryError`.
        """
        logits = self.apply(partial(logits_of, self.net), pixels, inner)
        return logits.float().softmax(1).half().cpu().numpy()

    def twice(self, pixels: NDArray[np.float32], inner: Sequence[Rect] | None = None) -> NDArray[np.float16]:
        """As `probabilities`, the mean of what is said of the pixels and of their mirror image."""
        width = pixels.shape[2]
        turned = None if inner is None else [Rect(width - r.right, r.y, r.w, r.h) for r in inner]
        other = self.probabilities(np.ascontiguousarray(pixels[:, :, ::-1]), turned)
        return (self.probabilities(pixels, inner) + other[:, :, :, ::-1]) * np.float16(0.5)

    def apply(
        self,
        what: Callable[[torch.Tensor, Sequence[Rect] | None], Result],
        pixels: NDArray[np.float32],
        inner: Sequence[Rect] | None,
    ) -> Result:
        """Some part of the network on pixels (n, h, w, channels) in 0..1, in the model's precision and format."""
        x = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)
        mean = torch.tensor(self.mean, device=self.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=self.device).view(1, -1, 1, 1)
        memory = torch.channels_last if self.channels_last else torch.contiguous_format
        x = ((x - mean) / std).contiguous(memory_format=memory)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return what(x, inner)


@dataclass(slots=True)
class Seconds:
    """The time a prediction took, summed up. A pixel that only the encoder saw counts as the encoder's share of one."""

    decode: float = 0.0
    network: float = 0.0
    network_pixels: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TileProbabilities:
    """Probabilities float32 (outputs, h, w) of one label tile's pixels within the plane, `rect`."""

    ty: int
    tx: int
    rect: Rect
    values: NDArray[np.float32]


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
            for band in _bands(open_tiles, grid, first):
                for found in _band_tiles(model, data, entry, grid, band, seconds, mirrored=mirrored):
                    if found is not None:
                        del open_tiles[found.ty, found.tx]
                    yield found
        except torch.OutOfMemoryError:
            _make_smaller(model)


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
    inputs = np.stack([_input(model, data, entry, window) for window in windows])
    read = time.perf_counter()
    inner = [window.net.moved(-window.seen.x, -window.seen.y) for window in windows]
    try:
        said = model.twice if mirrored else model.probabilities
        values = said(inputs, inner if windows[0].net != windows[0].seen else None)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or not is_out_of_memory(error):
            raise
        raise torch.OutOfMemoryError(str(error)) from error
    seconds.decode += read - begun
    seconds.network += time.perf_counter() - read
    drawn = sum(window.net.area for window in windows)
    around = sum(window.seen.area for window in windows) - drawn
    seconds.network_pixels += (drawn + round(around * model.context.encoder_share)) * (2 if mirrored else 1)
    return values


def _input(model: Model, data: Dataset, entry: PlaneEntry, window: Window) -> NDArray[np.float32]:
    """Pixels of a window at the working scale; beyond the plane it is mirrored."""
    pixels = with_channels(padded_pixels(data, entry, window.image, model.levels), model.channels)
    return resized(pixels, window.seen.w, window.seen.h)


def _blended(
    grid: Grid, rect: Rect, windows: Sequence[tuple[tuple[int, int], NDArray[np.float16]]]
) -> NDArray[np.float32]:
    """Probabilities (outputs, h, w) of image pixels from the windows that cover them."""
    scale = UNIT / grid.pitch
    need = Rect.of_edges(rect.x * scale - 1, rect.y * scale - 1, rect.right * scale + 1, rect.bottom * scale + 1)
    need = need.intersected(Rect(0, 0, grid.x.units * UNIT, grid.y.units * UNIT))
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
        total[:, to[0], to[1]] += values[:, own[0], own[1]].astype(np.float32) * w
        weight[to] += w
    total /= weight
    if grid.pitch == UNIT:
        return np.ascontiguousarray(
            total[:, rect.y - need.y : rect.bottom - need.y, rect.x - need.x : rect.right - need.x]
        )
    return _at_image_pixels(total, need, rect, scale)


def _at_image_pixels(values: NDArray[np.float32], need: Rect, rect: Rect, scale: float) -> NDArray[np.float32]:
    """Bilinear values at the centres of image pixels, from those at network pixels of `need`."""
    x = ((np.arange(rect.x, rect.right) + 0.5) * scale - need.x) / need.w * 2 - 1
    y = ((np.arange(rect.y, rect.bottom) + 0.5) * scale - need.y) / need.h * 2 - 1
    at = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), 2).astype(np.float32)
    found = F.grid_sample(
        torch.from_numpy(values)[None],
        torch.from_numpy(at)[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return found[0].numpy()


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

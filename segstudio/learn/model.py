"""A network ready for use, whatever learned it, and what every way of predicting with it shares."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.geometry import Rect
from segstudio.imaging.pyramid import resized
from segstudio.learn.data import ByChannel, Dataset, PlaneEntry, padded_pixels
from segstudio.learn.device import is_out_of_memory
from segstudio.learn.fusing import fused
from segstudio.learn.grid import UNIT, Grid
from segstudio.learn.networks import Context, logits_of
from segstudio.learn.sampling import with_channels
from segstudio.runs import Separation

__all__ = [
    "OVERLAP_PX",
    "WINDOW_PX",
    "Model",
    "Partner",
    "Seconds",
    "TileProbabilities",
    "need_of",
    "noticing_memory",
    "of_tile",
    "pixels_of",
    "probabilities_of",
    "single",
]

Result = TypeVar("Result")

WINDOW_PX = 1088
OVERLAP_PX = 96
_GPU_BATCH = 4


@dataclass(slots=True, eq=False)
class Model:
    """A network in evaluation mode on its device, and how to use it.

    `net` turns normalised pixels (n, channels, h, w) into logits (n, outputs, h, w); output i means class `outputs[i]`,
    0 for nothing. `name` is the version, `pitch` image pixels for 32 network pixels; `batch` windows go at once.
    `levels` are those by which it learned to see pixels, () for each plane's own.
    `separation` is how its proposals of touching objects are taken apart.
    `partner` answers beside it where nobody waits (`segstudio.learn.ensemble`).
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
    partner: "Partner | None" = None
    separation: Separation = Separation()  # noqa: RUF009  (frozen)

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
        return probabilities_of(self.apply(partial(logits_of, self.net), pixels, inner))

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
        x = self.normalised(pixels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return what(x, inner)

    def normalised(self, pixels: NDArray[np.float32]) -> torch.Tensor:
        """The network's input (n, channels, h, w) for pixels (n, h, w, channels) in 0..1."""
        # Whole rows at once: with three numbers at a time it takes four times as long.
        n, height, width, channels = pixels.shape
        scale = 1.0 / torch.tensor(self.std, device=self.device)
        shift = -torch.tensor(self.mean, device=self.device) * scale
        rows = torch.from_numpy(pixels).to(self.device).reshape(n * height, width * channels)
        x = torch.addcmul(shift.repeat(width), rows, scale.repeat(width))
        x = x.view(n, height, width, channels).permute(0, 3, 1, 2)
        memory = torch.channels_last if self.channels_last else torch.contiguous_format
        return x.contiguous(memory_format=memory)


@dataclass(frozen=True, slots=True, eq=False)
class Partner:
    """A model that answers with a share of the mean beside another, made when it is first asked, and the place of each
    of its outputs among those of the other, -1 for none.
    """

    model: Callable[[], Model]
    share: float
    places: tuple[int, ...]

    def mixed(self, values: NDArray[np.float32], own: NDArray[np.float16]) -> NDArray[np.float32]:
        """The mean of the other's probabilities (outputs, h, w) and this one's own (its outputs, h, w). What this one
        says of classes that the other does not have is left out, as if it had never been an answer.
        """
        kept = np.zeros_like(values)
        for place, said in zip(self.places, own, strict=True):
            if place >= 0:
                kept[place] += said
        total = kept.sum(0)
        known = total > 0
        np.divide(kept, total, out=kept, where=known)
        share = np.where(known, np.float32(self.share), np.float32(0))
        return values * (1 - share) + kept * share


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


@contextlib.contextmanager
def noticing_memory() -> Iterator[None]:
    """Every error that says that memory ran out becomes a `torch.OutOfMemoryError`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or not is_out_of_memory(error):
            raise
        raise torch.OutOfMemoryError(str(error)) from error


@torch.inference_mode()
def probabilities_of(logits: torch.Tensor) -> NDArray[np.float16]:
    """Probabilities (n, outputs, h, w) of logits of that shape."""
    return logits.float().softmax(1).half().cpu().numpy()


def pixels_of(
    model: Model, data: Dataset, entry: PlaneEntry, image: Rect, width: int, height: int
) -> NDArray[np.float32]:
    """Pixels of a part at the working scale; beyond the plane it is mirrored."""
    return resized(with_channels(padded_pixels(data, entry, image, model.levels), model.channels), width, height)


def single(values: NDArray[np.float16]) -> NDArray[np.float32]:
    """The same in single precision: torch uses the processor's own instructions, numpy takes ten times as long."""
    return torch.from_numpy(values).float().numpy()


def need_of(grid: Grid, rect: Rect) -> Rect:
    """The network pixels from which a rectangle of image pixels is made."""
    if grid.pitch == UNIT:
        return rect
    scale = UNIT / grid.pitch
    need = Rect.of_edges(rect.x * scale - 1, rect.y * scale - 1, rect.right * scale + 1, rect.bottom * scale + 1)
    return need.intersected(Rect(0, 0, grid.x.units * UNIT, grid.y.units * UNIT))


def of_tile(values: NDArray[np.float32], need: Rect, rect: Rect, grid: Grid) -> NDArray[np.float32]:
    """Values of a tile's image pixels from those of the network pixels that it needs."""
    if grid.pitch == UNIT:
        return np.ascontiguousarray(
            values[:, rect.y - need.y : rect.bottom - need.y, rect.x - need.x : rect.right - need.x]
        )
    return _at_image_pixels(values, need, rect, UNIT / grid.pitch)


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

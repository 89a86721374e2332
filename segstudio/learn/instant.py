"""The instant learner: one linear head on the features of the embedded base at all its scales, and simple filters.

Multinomial logistic regression, fitted in seconds to at most 12,000 known pixels that are not held out. A linear
head commutes with bilinear enlarging, so it runs at each scale's own size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.errors import NotEnoughLabels, UnreadableImage
from segstudio.geometry import Rect
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry, padded_labels, padded_pixels
from segstudio.learn.networks import DEFAULT_NETWORK, NETWORKS
from segstudio.learn.predict import Model
from segstudio.learn.sampling import with_channels
from segstudio.learn.split import excluded, margin_within, rects_of
from segstudio.learn.versions import normalisation_of
from segstudio.learn.weights import embedded_card, load_base
from segstudio.runs import INSTANT, Block
from segstudio.text import _

__all__ = ["InstantNetwork", "fit_instant"]

_PIXELS = 12_000
_PATCH = 256
_PATCHES = 24
_DECAY = 1e-3
_ITERATIONS = 60


class InstantNetwork(nn.Module):
    """Encoder features and filters, standardised, under one linear head; `outputs` classes."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.encoder = base.get_submodule("encoder")
        self.decoder = base.get_submodule("decoder")
        self.embedded_head = base.get_submodule("segmentation_head")
        self.heads = nn.ParameterList()
        self.bias = nn.Parameter(torch.zeros(1))

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Parts (n, d, h, w): at full size filters, what the decoder draws and the embedded head makes of it; then the
        encoder's features at their strides.
        """
        return self._parts(self.encoder(x))

    def _parts(self, levels: list[torch.Tensor]) -> list[torch.Tensor]:
        x = levels[0]
        # Depth-wise convolutions in bfloat16 fall back to a path a thousand times slower on CPUs (torch 2.15).
        with torch.autocast(x.device.type, enabled=False):
            filtered = _filters(x.float())
        drawn = self.decoder(levels)
        return [torch.cat([filtered, drawn, self.embedded_head(drawn)], 1), *levels[1:]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, outputs, h, w) of normalised pixels (n, 3, h, w)."""
        return self.draw(self.encoder(x))

    def draw(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Logits (n, outputs, h, w) from the levels of the encoder."""
        x = levels[0]
        total = self.bias.view(1, -1, 1, 1)
        for part, weight in zip(self._parts(levels), self.heads, strict=True):
            scored = F.conv2d(part, weight.to(part.dtype)[:, :, None, None])
            total = total + F.interpolate(scored.float(), x.shape[-2:], mode="bilinear", align_corners=False)
        return total

    def set_head(self, weight: torch.Tensor, bias: torch.Tensor, sizes: Sequence[int]) -> None:
        """Take over a fitted head: weight (outputs, sum of sizes), bias (outputs)."""
        self.heads = nn.ParameterList([nn.Parameter(w.clone()) for w in weight.split(list(sizes), 1)])
        self.bias = nn.Parameter(bias.clone())


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    features: torch.Tensor
    classes: torch.Tensor
    sizes: tuple[int, ...]


def fit_instant(
    data: Dataset,
    classes: Sequence[ClassEntry],
    blocks: Sequence[Block],
    margin_px: int,
    device: torch.device,
    *,
    bfloat16: bool,
    seed: int = 0,
) -> Iterator[Model | None]:
    """Fit to the known pixels of the training side: yields None between patches, the model at the end. The margin is
    at most an eighth of an image.

    Raises `NotEnoughLabels` if fewer than two classes have known pixels.
    """
    card = embedded_card("base")
    mean, std = normalisation_of(card.normalisation)
    net = InstantNetwork(load_base()).to(
        device=device,
        memory_format=torch.channels_last,  # type: ignore[call-overload]
    )
    net.eval()
    lookup = np.full(max((c.id for c in classes), default=0) + 2, -1, np.int64)
    for place, entry in enumerate(classes):
        lookup[entry.id] = place
    rng = np.random.default_rng(seed)
    samples: list[_Sample] = []
    patches = _patches(data, rng)
    damaged: set[tuple[int, int]] = set()
    for entry, rect in patches:
        labels = _labels(data, entry, rect, lookup, blocks, margin_px)
        chosen = _chosen(labels, len(classes), _PIXELS // len(patches), rng)
        if len(chosen) and (entry.image, entry.plane) not in damaged:
            try:
                pixels = with_channels(padded_pixels(data, entry, rect), 3)
            except UnreadableImage:  # learn from the other images; the data set reports which one it is
                damaged.add((entry.image, entry.plane))
                continue
            samples.append(_sample(net, pixels, labels, chosen, mean, std, device))
        yield None
    found = torch.unique(torch.cat([s.classes for s in samples])) if samples else torch.zeros(0)
    if len(found) < 2:
        raise NotEnoughLabels(
            _("The instant learner needs labelled pixels of at least two classes that are not held out."),
            todo=_("Paint some pixels of the object and some of the background."),
        )
    _fit(net, samples, found)
    outputs = tuple(classes[int(place)].id for place in found)
    yield Model(
        name=INSTANT,
        net=net,
        outputs=outputs,
        channels=3,
        mean=mean,
        std=std,
        pitch=32,
        device=device,
        bfloat16=bfloat16,
        channels_last=True,
        context=NETWORKS[DEFAULT_NETWORK].context,
    )


def _patches(data: Dataset, rng: np.random.Generator) -> list[tuple[PlaneEntry, Rect]]:
    """Squares that begin on label tiles with known pixels, most recently changed images first, up to a limit."""
    entries = (e for e in data.planes() if e.part is Part.TRAIN and data.learnable(e.image))
    entries = sorted(entries, key=lambda e: (-e.seq, e.image, e.plane))
    by_plane = []
    for entry in entries:
        if len(by_plane) == _PATCHES:
            break
        rects = list(data.labelled(entry.image, entry.plane))
        rng.shuffle(rects)  # type: ignore[arg-type]
        if rects:
            by_plane.append([(entry, Rect(r.x, r.y, _PATCH, _PATCH)) for r in rects])
    turns = (found[i] for i in range(_PATCHES) for found in by_plane if i < len(found))
    return [patch for patch, _ in zip(turns, range(_PATCHES), strict=False)]


def _labels(
    data: Dataset,
    entry: PlaneEntry,
    rect: Rect,
    lookup: NDArray[np.int64],
    blocks: Sequence[Block],
    margin_px: int,
) -> NDArray[np.int64]:
    ids, _ = padded_labels(data, entry, rect)
    labels = lookup[np.minimum(ids, len(lookup) - 1)]
    hidden = excluded(rects_of(blocks, entry), margin_within(entry, margin_px), rect)
    if hidden is not None:
        labels[hidden] = -1
    return labels


def _chosen(labels: NDArray[np.int64], n: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Flat positions of known pixels: each class gets an equal share as far as it reaches, the rest goes to all."""
    flat = labels.ravel()
    per_class = [np.flatnonzero(flat == place) for place in range(n)]
    per_class = [rng.permutation(found) for found in per_class if len(found)]
    if not per_class:
        return np.zeros(0, np.int64)
    share = max(most // (2 * len(per_class)), 1)
    first = np.concatenate([found[:share] for found in per_class])
    rest = rng.permutation(np.concatenate([found[share:] for found in per_class]))
    return np.concatenate([first, rest[: most - len(first)]])


@torch.inference_mode()
def _sample(
    net: InstantNetwork,
    pixels: NDArray[np.float32],
    labels: NDArray[np.int64],
    chosen: NDArray[np.int64],
    mean: Sequence[float],
    std: Sequence[float],
    device: torch.device,
) -> _Sample:
    """Features at the chosen pixels, interpolated as `forward` does."""
    x = torch.from_numpy(pixels).to(device).permute(2, 0, 1)[None]
    x = (x - torch.tensor(mean, device=device).view(1, -1, 1, 1)) / torch.tensor(std, device=device).view(1, -1, 1, 1)
    h, w = labels.shape
    at = np.stack([(chosen % w + 0.5) / w * 2 - 1, (chosen // w + 0.5) / h * 2 - 1], 1).astype(np.float32)
    grid = torch.from_numpy(at).to(device)[None, None]
    parts = [
        F.grid_sample(part.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)[0, :, 0].T
        for part in net.features(x.contiguous(memory_format=torch.channels_last))
    ]
    classes = torch.from_numpy(labels.ravel()[chosen]).to(device)
    return _Sample(torch.cat(parts, 1), classes, tuple(part.shape[1] for part in parts))


def _fit(net: InstantNetwork, samples: Sequence[_Sample], found: torch.Tensor) -> None:
    """Logistic regression with an L2 penalty by L-BFGS (Liu and Nocedal 1989) on standardised features."""
    x = torch.cat([s.features for s in samples]).clone()
    y = torch.searchsorted(found, torch.cat([s.classes for s in samples]))
    centre, spread = x.mean(0), x.std(0).clamp(min=1e-4)
    x = (x - centre) / spread
    counts = torch.bincount(y, minlength=len(found)).float()
    weights = counts.clamp(min=1) ** -0.5
    weights = weights / (weights * counts).sum() * counts.sum()
    w = torch.zeros(len(found), x.shape[1], device=x.device, requires_grad=True)
    b = torch.zeros(len(found), device=x.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=_ITERATIONS, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = (F.cross_entropy(x @ w.T + b, y, reduction="none") * weights[y]).mean() + _DECAY * (w**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)  # type: ignore[arg-type]
    weight = w.detach() / spread
    net.set_head(weight, b.detach() - weight @ centre, samples[0].sizes)


def _filters(x: torch.Tensor) -> torch.Tensor:
    """Colour, colour smoothed at three scales, and for each scale the strength of the gradient and the local spread."""
    grey = x.mean(1, keepdim=True)
    parts = [x]
    for sigma in (1.0, 2.0, 4.0):
        smooth = _gaussian(x, sigma)
        level = smooth.mean(1, keepdim=True)
        dx, dy = F.pad(level, (1, 1, 0, 0), mode="replicate"), F.pad(level, (0, 0, 1, 1), mode="replicate")
        gradient = ((dx[..., 2:] - dx[..., :-2]) ** 2 + (dy[..., 2:, :] - dy[..., :-2, :]) ** 2).sqrt() * sigma
        spread = (_gaussian(grey**2, sigma) - _gaussian(grey, sigma) ** 2).clamp(min=0).sqrt()
        parts += [smooth, gradient, spread]
    return torch.cat(parts, 1)


def _gaussian(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian smoothing (n, c, h, w), mirrored at the rim as far as the picture reaches."""
    radius = int(3 * sigma)
    at = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    channels = x.shape[1]
    x = F.pad(x, (radius, radius, radius, radius), mode="replicate")
    x = F.conv2d(x, kernel[:, :, None, :].expand(channels, 1, 1, -1).contiguous(), groups=channels)
    return F.conv2d(x, kernel[:, :, :, None].expand(channels, 1, -1, 1).contiguous(), groups=channels)

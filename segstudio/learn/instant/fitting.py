"""Fitting the instant learner's small net, and putting the shares of its classes right."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.learn.instant.network import Head

__all__ = ["class_shares", "fitted_head"]

_HIDDEN = 64
_STEPS = 200
_BATCH = 512
_RATE = 4e-3
_DECAY = 1e-2
_DROPPED = 0.1
_FAR_DROPPED = 0.5
_CORRECTED = 0.5
_WARM_UP = 0.1
_RANGE = 5.0


def fitted_head(x: torch.Tensor, y: torch.Tensor, shares: Sequence[float], far: int, seed: int) -> Head:
    """A net with 64 hidden units for features (n, d) and outputs int64 (n), which are 0 ... len(shares) - 1.

    Some 200 steps of AdamW (Loshchilov and Hutter 2019) on standardised features. `shares` are those of the classes
    among all known pixels: what was drawn in other shares is put right in the last bias (Elkan 2001; Menon et al.
    2021), by half, between the shares that occur and equal ones: mean IoU counts every class alike. The last `far`
    features, of what lies around a pixel, are left out of every other step, and the answers with and without them are
    averaged: they tell the parts of a street, but of a tissue only where in the picture a pixel lies. The same
    features and seed give the same net on a CPU.
    """
    centre, spread = x.mean(0), x.std(0, correction=0).clamp(min=1e-4)
    x = ((x - centre) / spread).clamp(-_RANGE, _RANGE)
    rng = torch.Generator().manual_seed(seed)
    first, second = (layer.to(x.device) for layer in _fresh(x.shape[1], len(shares), rng))
    _descend(first, second, x, y, far, rng)
    drawn = torch.bincount(y, minlength=len(shares)).float() / len(y)
    true = torch.tensor(shares, dtype=torch.float32, device=x.device)
    with torch.no_grad():
        second.bias.add_(_CORRECTED * (true.clamp(min=1e-6).log() - drawn.clamp(min=1e-6).log()))
        weight = first.weight / spread
        usual = weight * centre
        near = _layer(weight[:, :-far], first.bias - usual[:, :-far].sum(1))
        return Head(near, _layer(weight[:, -far:], -usual[:, -far:].sum(1)), second).requires_grad_(False)


def _fresh(features: int, outputs: int, rng: torch.Generator) -> tuple[nn.Linear, nn.Linear]:
    """Two layers with He's initialisation (He et al. 2015), from a generator of its own."""
    first, second = nn.Linear(features, _HIDDEN), nn.Linear(_HIDDEN, outputs)
    for layer in (first, second):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=rng)
        nn.init.zeros_(layer.bias)
    return first, second


def _layer(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    return layer


def _descend(
    first: nn.Linear, second: nn.Linear, x: torch.Tensor, y: torch.Tensor, far: int, rng: torch.Generator
) -> None:
    batch = min(_BATCH, len(x))
    layers = [*first.parameters(), *second.parameters()]
    optimiser = torch.optim.AdamW(layers, lr=_RATE, weight_decay=_DECAY)
    order = torch.randperm(len(x), generator=rng)
    at = 0
    for step in range(_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * _rate_share(step)
        if at + batch > len(x):
            order, at = torch.randperm(len(x), generator=rng), 0
        picked = order[at : at + batch].to(x.device)
        at += batch
        # Whole features are dropped, for the batch at once: that costs a fraction of dropping single values.
        kept = (torch.rand(x.shape[1], generator=rng) >= _DROPPED).float() / (1 - _DROPPED)
        if torch.rand(1, generator=rng).item() < _FAR_DROPPED:
            kept[-far:] = 0
        hidden = first(x[picked] * kept.to(x.device)).relu()
        loss = F.cross_entropy(second(hidden), y[picked])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def _rate_share(step: int) -> float:
    """Rising over a tenth of the steps, then falling to zero along a cosine."""
    warm = _STEPS * _WARM_UP
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / (_STEPS - warm))))


def class_shares(known: Sequence[NDArray[np.float64]], places: Sequence[int]) -> list[float]:
    """Shares of some classes among all known pixels."""
    total = np.sum(known, axis=0)[list(places)]
    return [float(value) for value in total / total.sum()]

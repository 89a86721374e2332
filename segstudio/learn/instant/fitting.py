"""Fitting the instant learner's small net, and putting the shares of its classes right."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.learn.instant.network import Head

__all__ = ["class_shares", "fitted_head"]

_NETS = 4
_HIDDEN = 16
_STEPS = 200
_BATCH = 512
_RATE = 8e-3
_DECAY = 1e-2
_DROPPED = 0.1
_LEVEL_DROPPED = 0.5
_FAR_DROPPED = 0.5
_CORRECTED = 0.5
_WARM_UP = 0.1
_RANGE = 5.0


def fitted_head(x: torch.Tensor, y: torch.Tensor, shares: Sequence[float], encoded: Sequence[slice], seed: int) -> Head:
    """Four nets with 16 hidden units each, as one, for features (n, d) and outputs int64 (n), which are
    0 ... len(shares) - 1. `encoded` says where the encoder's levels lie among the features; the coarsest are the last.

    Some 200 steps of AdamW (Loshchilov and Hutter 2019) on standardised features. `shares` are those of the classes
    among all known pixels: what was drawn in other shares is put right in the last bias (Elkan 2001; Menon et al.
    2021), by half, between the shares that occur and equal ones: mean IoU counts every class alike.

    At each step each net does without some of the encoder's levels, so that none is leaned on that tells the classes of
    one picture apart by where they lie in it; never without filters and decoder, which thin lines need. Without the
    coarsest level, of what lies around a pixel, it does more often, and the answers with and without are averaged: that
    one tells the parts of a street, but of a tissue only where in the picture a pixel lies. The mean of the nets'
    logits is one net again. The same features and seed give the same one on a CPU.
    """
    centre, spread = x.mean(0), x.std(0, correction=0).clamp(min=1e-4)
    x = ((x - centre) / spread).clamp(-_RANGE, _RANGE)
    rng = torch.Generator().manual_seed(seed)
    nets = _Nets(x.shape[1], len(shares), rng).to(x.device)
    _descend(nets, x, y, encoded, rng)
    drawn = torch.bincount(y, minlength=len(shares)).float() / len(y)
    true = torch.tensor(shares, dtype=torch.float32, device=x.device)
    put_right = _CORRECTED * (true.clamp(min=1e-6).log() - drawn.clamp(min=1e-6).log())
    near, weight = encoded[-1].start, nets.weight.detach() / spread
    usual = weight * centre
    return Head(
        _layer(weight[:, :near], nets.bias.detach() - usual[:, :near].sum(1)),
        _layer(weight[:, near:], -usual[:, near:].sum(1)),
        _layer(nets.last.detach().flatten(0, 1).T / _NETS, nets.last_bias.detach().mean((0, 1)) + put_right),
    ).requires_grad_(False)


class _Nets(nn.Module):
    """Small nets that learn side by side from the same pixels: their hidden units in one product of matrices."""

    def __init__(self, features: int, outputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = _started((_NETS * _HIDDEN, features), features, rng)
        self.bias = nn.Parameter(torch.zeros(_NETS * _HIDDEN))
        self.last = _started((_NETS, _HIDDEN, outputs), _HIDDEN, rng)
        self.last_bias = nn.Parameter(torch.zeros(_NETS, 1, outputs))

    def forward(self, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Logits (nets, n, outputs) of features (n, d), of which each net sees its own: `kept` (nets, d)."""
        hidden = F.linear(x, self.weight * kept.repeat_interleave(_HIDDEN, 0), self.bias).relu()
        return self.last_bias + hidden.view(len(x), _NETS, _HIDDEN).transpose(0, 1) @ self.last


def _started(shape: Sequence[int], inputs: int, rng: torch.Generator) -> nn.Parameter:
    """Weights as He et al. (2015) start them, of units with so many inputs."""
    bound = math.sqrt(6 / inputs)
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=rng))


def _layer(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def _descend(nets: _Nets, x: torch.Tensor, y: torch.Tensor, encoded: Sequence[slice], rng: torch.Generator) -> None:
    batch = min(_BATCH, len(x))
    optimiser = torch.optim.AdamW(nets.parameters(), lr=_RATE, weight_decay=_DECAY)
    order = torch.randperm(len(x), generator=rng)
    at = 0
    for step in range(_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * _rate_share(step)
        if at + batch > len(x):
            order, at = torch.randperm(len(x), generator=rng), 0
        picked = order[at : at + batch].to(x.device)
        at += batch
        logits = nets(x[picked], _kept(x.shape[1], encoded, rng).to(x.device))
        loss = F.cross_entropy(logits.flatten(0, 1), y[picked].repeat(_NETS))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def _kept(features: int, encoded: Sequence[slice], rng: torch.Generator) -> torch.Tensor:
    """What each net sees of the features in one step (nets, d), drawn for the batch at once: that costs a fraction of
    dropping single values.
    """
    kept = (torch.rand(_NETS, features, generator=rng) >= _DROPPED).float() / (1 - _DROPPED)
    for level in encoded:
        kept[:, level] *= torch.rand(_NETS, 1, generator=rng) >= _LEVEL_DROPPED
    kept[:, encoded[-1]] *= torch.rand(_NETS, 1, generator=rng) >= _FAR_DROPPED
    return kept


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

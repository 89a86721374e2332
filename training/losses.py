"""What a step of the base's training asks for: the heads of the sets, the foreground head, and episodes.

An episode (as Bertinetto et al., Meta-learning with differentiable closed-form solvers, 2019) fits a fresh head in
closed form to a few labelled pixels of one patch and is judged on the other patch of the pair: the features learn to
be what a fresh head can be fitted to, which is what the program does with them. It needs no pass of its own: the
features are those that the sets' heads see.
"""

from dataclasses import dataclass

import torch
from patches import Batch
from sets import UNKNOWN
from torch import nn
from torch.nn import functional as F  # noqa: N812

FOREGROUND_WEIGHT = 0.5
EPISODE_WEIGHT = 0.5
RIDGE = 0.3  # penalty by support pixel, for standardised features
LEAST_VARIANCE = 0.3  # of the features' mean one: what hardly moves in the support is not blown up in the query
SHARPNESS = 5.0  # logits of an episode are regressed 0 and 1, times this
LEAST_SUPPORT = 8  # pixels of a class, else it is not part of the episode


@dataclass(frozen=True, slots=True)
class Losses:
    """The parts of a step's loss, each a scalar tensor; `total` is what is minimised."""

    heads: torch.Tensor
    foreground: torch.Tensor
    episodes: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The weighted sum."""
        return self.heads + FOREGROUND_WEIGHT * self.foreground + EPISODE_WEIGHT * self.episodes


def region_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus soft Dice over the known pixels of (n, C, H, W) logits; unknown ones have weight exactly zero.

    Both sums run over known pixels only, and Dice (Milletari et al. 2016) is the mean over the classes the truth has.
    """
    known = truth != UNKNOWN
    if not bool(known.any()):
        return logits.sum() * 0.0
    flat = logits.float().permute(0, 2, 3, 1)[known]
    wanted = truth[known].long()
    entropy = F.cross_entropy(flat, wanted)
    shares, ones = flat.softmax(1), F.one_hot(wanted, flat.shape[1]).float()
    sizes = ones.sum(0)
    dice = (2 * (shares * ones).sum(0) + 1.0) / (shares.sum(0) + sizes + 1.0)
    return entropy + 1.0 - dice[sizes > 0].mean()


def batch_losses(features: torch.Tensor, head: nn.Conv2d, batch: Batch, slices: list[tuple[int, int]]) -> Losses:
    """Losses of decoder features (2n, D, S, S) in single precision; `slices` are the channels of each set in `head`,
    those of the foreground last. Each pair is judged by its own set's channels only, so the others are not computed.
    """
    zero = features.new_zeros(())
    heads, episodes = zero, zero
    for i, (number, weight) in enumerate(zip(batch.sets, batch.weights, strict=True)):
        pair = slice(2 * i, 2 * i + 2)
        if number >= 0:
            logits = _headed(features[pair], head, slices[number])
            heads = heads + weight * region_loss(logits, batch.classes[pair])
        episodes = episodes + weight * episode_loss(features[pair], batch.classes[pair], batch.support[i])
    foreground = region_loss(_headed(features, head, slices[-1]), batch.foreground)
    n = len(batch.sets)
    return Losses(heads / n, foreground, episodes / n)


def _headed(features: torch.Tensor, head: nn.Conv2d, channels: tuple[int, int]) -> torch.Tensor:
    """Logits of some channels of the head."""
    start, stop = channels
    bias = None if head.bias is None else head.bias[start:stop]
    return F.conv2d(features, head.weight[start:stop], bias, padding=head.weight.shape[-1] // 2)


def episode_loss(features: torch.Tensor, classes: torch.Tensor, support: torch.Tensor) -> torch.Tensor:
    """The loss on the second patch of a head fitted to the support pixels of the first.

    `features` (2, D, S, S), `classes` (2, S, S) bytes, `support` flat positions, -1 to be left out. 0 where the first
    shows fewer than two classes. Classes that the first does not show are unknown in the second.
    """
    at = support[support >= 0]
    values = classes[0].reshape(-1)[at].long()
    counts = torch.bincount(values, minlength=UNKNOWN)
    present = torch.nonzero(counts >= LEAST_SUPPORT).flatten()
    if len(present) < 2:
        return features.sum() * 0.0
    keep = torch.isin(values, present)
    at, values = at[keep], torch.searchsorted(present, values[keep])
    weight, bias = ridge_head(neighbourhoods(features[0], at), values, len(present))
    kernel = weight.T.reshape(len(present), features.shape[1], 3, 3)
    places = torch.full((UNKNOWN + 1,), UNKNOWN, dtype=torch.long, device=classes.device)
    places[present] = torch.arange(len(present), device=classes.device)
    return region_loss(SHARPNESS * F.conv2d(features[1:], kernel, bias, padding=1), places[classes[1:].long()])


def neighbourhoods(features: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(P, 9 D): the 3 x 3 features around flat positions of (D, S, S), zero beyond the rim, in a kernel's order."""
    side = features.shape[-1]
    padded = F.pad(features, (1, 1, 1, 1))
    y, x = at // side, at % side
    around = torch.arange(3, device=at.device)
    found = padded[:, (y[:, None] + around)[:, :, None], (x[:, None] + around)[:, None, :]]  # (D, P, 3, 3)
    return found.movedim(1, 0).flatten(1)


def ridge_head(x: torch.Tensor, values: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (F, classes) and bias (classes) of the ridge regression of one-hot classes on features (P, F).

    Features are standardised over the support, classes weigh the same; both are undone in what is returned, so that
    x @ weights + bias are the regressed shares. Differentiable in `x`.
    """
    counts = torch.bincount(values, minlength=classes)
    each = (len(values) / classes / counts.float())[values]
    each = each / each.sum()
    centre = (each[:, None] * x).sum(0)
    variance = (each[:, None] * (x - centre) ** 2).sum(0)
    spread = (variance + LEAST_VARIANCE * variance.mean() + 1e-6).sqrt()
    z = (x - centre) / spread
    wanted = F.one_hot(values, classes).float()
    middle = (each[:, None] * wanted).sum(0)
    gram = z.T @ (each[:, None] * z) + RIDGE * torch.eye(x.shape[1], device=x.device)
    solved = torch.linalg.solve(gram, z.T @ (each[:, None] * (wanted - middle)))
    weight = solved / spread[:, None]
    return weight, middle - centre @ weight

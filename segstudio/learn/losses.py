"""The table of losses. Unknown pixels weigh exactly zero, and every sum is divided by the batch's known pixels."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from segstudio.learn.sampling import UNKNOWN
from segstudio.registry import Registry
from segstudio.text import _

__all__ = ["LOSSES", "Loss", "ce_dice"]


def ce_dice(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and soft Dice over the known pixels of a batch, added.

    `logits` (n, outputs, h, w), `labels` int64 (n, h, w) with `UNKNOWN` where nothing is known. Probabilities, not
    logits, are set to zero at unknown pixels: a zero logit would still be half a prediction. Dice is taken over the
    batch as one picture, and averaged over the classes it holds (Milletari et al. 2016; batch Dice as in nnU-Net,
    Isensee et al. 2021). A batch without a known pixel gives 0 and no gradient.
    """
    known = labels != UNKNOWN
    count = known.sum().clamp(min=1)
    entropy = F.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum") / count
    truth = F.one_hot(labels.clamp(min=0), logits.shape[1]).movedim(-1, 1) * known[:, None]
    found = torch.where(known[:, None], logits.softmax(1), 0)
    both = (found * truth).sum((0, 2, 3))
    size = found.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    smooth = 1.0
    dice = (2 * both + smooth) / (size + smooth)
    missing = torch.where(present, 1 - dice, 0).sum() / present.sum().clamp(min=1)
    return entropy + missing


Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A scalar of logits (n, outputs, h, w) and int64 labels (n, h, w) in which `UNKNOWN` has no weight."""

LOSSES: Registry[Loss] = Registry(
    "losses", {"ce_dice": ce_dice}, lambda _name, row: "" if callable(row) else _("it is not a function")
)

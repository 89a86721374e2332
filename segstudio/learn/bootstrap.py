"""How sure it is that one model is better than another on the same held-out pixels. Pure functions of counts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["share_better"]

_RESAMPLED = 2000


def share_better(parent: Sequence[NDArray[np.int64]], child: Sequence[NDArray[np.int64]]) -> float:
    """In which share of resamplings the child's mean IoU is the higher one: a paired bootstrap (Efron 1979) over units
    such as images, drawn with replacement. The counts (n, n + 1) of unit i are those of the same pixels on both sides.

    The same counts give the same share. Raises ValueError for no units, or another number on one side.
    """
    if not parent or len(parent) != len(child):
        raise ValueError(f"{len(parent)} and {len(child)} units cannot be compared")
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(parent), np.full(len(parent), 1 / len(parent)), _RESAMPLED)
    gain = _mean_iou(drawn, child) - _mean_iou(drawn, parent)
    return float(np.mean(gain > 0))


def _mean_iou(drawn: NDArray[np.int64], units: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Mean IoU by resampling (k), over the classes in its truth."""
    n = units[0].shape[0]
    hits, truth, found = (
        drawn @ np.stack(part)
        for part in (
            [np.diagonal(unit[:, :n]) for unit in units],
            [unit.sum(1) for unit in units],
            [unit[:, :n].sum(0) for unit in units],
        )
    )
    iou = hits / np.maximum(truth + found - hits, 1)
    return (iou * (truth > 0)).sum(1) / np.maximum((truth > 0).sum(1), 1)

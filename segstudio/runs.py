"""Frozen values about learning that every room may use: choices, run events, metrics of a confusion matrix.

Plain values and NumPy; no torch, no Qt, no disk. JSON and msgpack by msgspec.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Checkpointed",
    "Choices",
    "ClassMetrics",
    "Evaluated",
    "Event",
    "Figures",
    "Finished",
    "Metrics",
    "Started",
    "Stepped",
    "TrainResult",
    "confusion",
    "metrics",
]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose before training; None = decided by the plan."""

    base: str | None = None
    max_seconds: float | None = None
    max_steps: int | None = None
    device: str = "auto"
    seed: int = 0


class ClassMetrics(msgspec.Struct, frozen=True):
    """Figures of one class, each 0..1."""

    iou: float
    dice: float
    precision: float
    recall: float


class Metrics(msgspec.Struct, frozen=True):
    """Figures of a confusion matrix; means over the classes that occur in the truth."""

    pixel_accuracy: float
    mean: ClassMetrics
    classes: dict[str, ClassMetrics]
    pixels: int


class Figures(msgspec.Struct, frozen=True):
    """Held-out figures: mean cross-entropy a known pixel, mean IoU over classes in the truth, IoU by class name."""

    loss: float
    mean_iou: float
    iou: dict[str, float]


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`step` counts optimiser steps done; `seconds` since the first step began."""

    step: int
    seconds: float


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The plan is final and the first step is about to begin."""

    steps: int
    max_seconds: float | None
    device: str
    threads: int
    held_out_groups: list[str]
    train_groups: list[str]
    optimistic: bool
    parent: str


class Stepped(_Event, frozen=True, kw_only=True, tag="stepped"):
    """One optimiser step was made."""

    loss: float
    patches_per_second: float
    rate: float
    memory_mb: float


class Evaluated(_Event, frozen=True, kw_only=True, tag="evaluated"):
    """The averaged weights were measured on the held-out pixels."""

    held_out: Figures


class Checkpointed(_Event, frozen=True, kw_only=True, tag="checkpointed"):
    """The run can be resumed from this step."""

    path: str


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """The last step was made, or Stop was asked for."""

    reason: Literal["done", "stopped", "time"]


Event = Started | Stepped | Evaluated | Checkpointed | Finished


class TrainResult(msgspec.Struct, frozen=True):
    """How a run ended; `held_out` compares parent and child on the same pixels."""

    version: str
    parent: str
    promoted: bool
    reason: str
    steps: int
    seconds: float
    held_out: dict[str, Figures | None]


def confusion(truth: NDArray[np.integer], found: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Counts (n, n + 1): rows are truth 0..n-1, columns found 0..n-1 and, last, nothing found.

    Pixels whose truth is outside 0..n-1 do not count; a found value outside 0..n-1 counts as nothing found.
    """
    known = (truth >= 0) & (truth < n)
    rows = truth[known].astype(np.int64)
    columns = found[known].astype(np.int64)
    columns = np.where((columns >= 0) & (columns < n), columns, n)
    return np.bincount(rows * (n + 1) + columns, minlength=n * (n + 1)).reshape(n, n + 1)


def metrics(counts: NDArray[np.int64], names: list[str]) -> Metrics:
    """Figures of a confusion matrix (n, n + 1) or (n, n) whose rows are the truth.

    IoU = TP / (TP + FP + FN), Dice = F1 = 2 TP / (2 TP + FP + FN), precision = TP / (TP + FP), recall = TP / (TP + FN)
    (Everingham et al., The PASCAL Visual Object Classes Challenge, 2010; Dice 1945). A class that is absent from the
    truth has its figures but no part in the means; a quotient 0 / 0 is 0.
    """
    n = len(names)
    hits = np.diagonal(counts[:, :n]).astype(np.float64)
    truth = counts.sum(1).astype(np.float64)
    found = counts[:, :n].sum(0).astype(np.float64)
    iou, dice = _ratio(hits, truth + found - hits), _ratio(2 * hits, truth + found)
    precision, recall = _ratio(hits, found), _ratio(hits, truth)
    classes = {
        name: ClassMetrics(float(iou[i]), float(dice[i]), float(precision[i]), float(recall[i]))
        for i, name in enumerate(names)
    }
    present = truth > 0
    mean = ClassMetrics(*(float(a[present].mean()) if present.any() else 0.0 for a in (iou, dice, precision, recall)))
    total = int(truth.sum())
    return Metrics(float(hits.sum() / total) if total else 0.0, mean, classes, total)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)

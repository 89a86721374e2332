"""Frozen values about learning that every room may use: choices, plan, run events, metrics of a confusion matrix.

Plain values and NumPy; no torch, no Qt, no disk. JSON and msgpack by msgspec.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EMBEDDED",
    "FROM_PEOPLE",
    "INSTANT",
    "Block",
    "Checkpointed",
    "Choices",
    "ClassMetrics",
    "Evaluated",
    "Event",
    "Figures",
    "Finished",
    "LabelStamp",
    "Metrics",
    "Plan",
    "PlanClass",
    "PlanPlane",
    "PlaneFacts",
    "Preparing",
    "Recipe",
    "Started",
    "Stepped",
    "TrainResult",
    "Warned",
    "confusion",
    "metrics",
]

EMBEDDED = "embedded"
"""Name of the shipped model as a version: its proposals are a guess."""

INSTANT = "instant"
"""Name of the instant learner as a version."""

FROM_PEOPLE = frozenset({"imported", "merged"})
"""Versions of proposals that no model made: masks taken in as such, and the other side of a merge. Nothing takes
their place by itself."""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose before training; None = decided by the plan.

    `network` names a row of the table of networks; tests choose the tiny one.
    """

    base: str | None = None
    max_seconds: float | None = None
    max_steps: int | None = None
    device: str = "auto"
    seed: int = 0
    network: str | None = None


class LabelStamp(msgspec.Struct, frozen=True):
    """Which labels of a plane something was measured on: as they stood after edit `seq`, the image holding `pixels`
    known ones. `classes` are (id, id that it counts as or 0, kind) of every class there was.
    """

    image: int
    plane: int
    seq: int
    pixels: int
    classes: tuple[tuple[int, int, str], ...] = ()


class PlaneFacts(msgspec.Struct, frozen=True):
    """What was measured on the labels of one plane. `known` and `fit` (painted or imported) pixels go by `classes`.

    `cells` are the same by place, packed. `objects` are (diameter in pixels, area) by class, None where not measured.
    """

    classes: tuple[int, ...]
    known: tuple[int, ...]
    fit: tuple[int, ...]
    painted: int
    cells: bytes
    objects: dict[int, list[tuple[float, int]]] | None = None


class PlanClass(msgspec.Struct, frozen=True):
    """An output of the network, bound to a class by its id."""

    id: int
    name: str


class PlanPlane(msgspec.Struct, frozen=True):
    """A plane with known pixels, the edit its labels were read at, and which side of the split it is on."""

    image: int
    plane: int
    path: str
    group: str
    part: Literal["train", "held-out"]
    seq: int


class Block(msgspec.Struct, frozen=True):
    """A rectangle of image pixels whose labels are held out although the rest of its plane trains."""

    image: int
    plane: int
    x: int
    y: int
    w: int
    h: int


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How the network learns. Patches are squares of `patch_px` pixels at the working scale.

    `rate` is the highest learning rate; the encoder's convolutions learn at `rate * encoder_factor`. The exponential
    average of the weights looks back over `ema_steps` steps. `precision` is that of the forward pass.
    """

    patch_px: int = 256
    batch: int = 8
    optimiser: str = "adamw"
    schedule: str = "warmup_cosine"
    loss: str = "ce_dice"
    rate: float = 3e-3
    encoder_factor: float = 1.0
    frozen_statistics: bool = False
    weight_decay: float = 1e-2
    warmup_steps: int = 5
    clip_norm: float = 1.0
    ema_steps: int = 10
    zoom: tuple[float, float] = (0.7, 1.4)
    turns: bool = True
    brightness: float = 0.2
    contrast: float = 0.2
    gamma: float = 0.2
    hue: float = 0.03
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Every decision of a run. The same plan on the same labels gives the same weights, bit for bit on a CPU.

    The working scale is 32 / `pitch`: 32 pixels of the network cover `pitch` pixels of the image. `steps` is the length
    of the schedule: None until the first steps have been timed. `stopped_at` is the step at which the run ended before
    its schedule did. `margin_px` image pixels around every block neither train nor measure. `in_parts` are (step, n):
    from that step on a batch went through the network in n parts, because memory had run out.
    """

    format: int = 1
    classes: tuple[PlanClass, ...]
    planes: tuple[PlanPlane, ...]
    blocks: tuple[Block, ...] = ()
    margin_px: int = 0
    optimistic: bool = False
    pitch: int = 32
    channels: int = 3
    mean: tuple[float, ...]
    std: tuple[float, ...]
    network: str
    base: str
    recipe: Recipe
    device: str
    threads: int
    seed: int
    max_seconds: float | None
    max_steps: int | None
    steps: int | None = None
    evaluate_every: int = 0
    stopped_at: int | None = None
    in_parts: tuple[tuple[int, int], ...] = ()

    @property
    def scale(self) -> float:
        """Network pixels for one image pixel."""
        return 32 / self.pitch

    def groups(self, part: str) -> list[str]:
        """The groups on one side of the split, in order and without repetition."""
        return list(dict.fromkeys(p.group for p in self.planes if p.part == part))


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


class Preparing(_Event, frozen=True, kw_only=True, tag="preparing"):
    """What happens before the first step, as a person reads it; `done` of `total`, which is 0 where it is unknown."""

    text: str
    done: int = 0
    total: int = 0


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


class Warned(_Event, frozen=True, kw_only=True, tag="warned"):
    """Something went wrong that the run survived; one sentence."""

    sentence: str


Event = Preparing | Started | Stepped | Evaluated | Checkpointed | Finished | Warned


class TrainResult(msgspec.Struct, frozen=True):
    """How a run ended; `held_out` compares parent and child on the same pixels. `advice` says what would help where
    the child was not promoted.
    """

    version: str
    parent: str
    promoted: bool
    reason: str
    steps: int
    seconds: float
    held_out: dict[str, Figures | None]
    advice: str = ""


def confusion(truth: NDArray[np.integer], found: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Counts (n, n + 1): rows are truth 0..n-1, columns found 0..n-1 and, last, nothing found.

    Pixels whose truth is outside 0..n-1 do not count; a found value outside 0..n-1 counts as nothing found.
    Raises ValueError where the two differ in shape.
    """
    if truth.shape != found.shape:
        raise ValueError(f"truth {truth.shape} and found {found.shape} differ in shape")
    counts = np.zeros(n * (n + 1), np.int64)
    rows, columns = truth.reshape(-1), found.reshape(-1)
    for start in range(0, rows.size, _CHUNK):
        counts += _counted(rows[start : start + _CHUNK], columns[start : start + _CHUNK], n)
    return counts.reshape(n, n + 1)


_CHUNK = 1 << 20
"""Pixels counted at a time: the working arrays take 8 bytes a pixel."""


def _counted(truth: NDArray[np.integer], found: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    known = (truth >= 0) & (truth < n)
    rows = truth[known].astype(np.int64)
    columns = found[known].astype(np.int64)
    columns = np.where((columns >= 0) & (columns < n), columns, n)
    return np.bincount(rows * (n + 1) + columns, minlength=n * (n + 1))


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

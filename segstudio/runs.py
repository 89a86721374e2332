"""Frozen values about learning that every room may use: choices, plan, run events, figures.

Only values: `metrics` computes the figures. JSON and msgpack by msgspec.
"""

from typing import Literal

import msgspec

__all__ = [
    "EMBEDDED",
    "FROM_PEOPLE",
    "INSTANT",
    "Block",
    "Checkpointed",
    "Choices",
    "ClassMetrics",
    "Confusion",
    "Evaluated",
    "Event",
    "Figures",
    "Finished",
    "HeldOutPicture",
    "LabelStamp",
    "Measure",
    "Metrics",
    "ObjectFigures",
    "Plan",
    "PlanClass",
    "PlanPlane",
    "PlaneFacts",
    "Preparing",
    "Recipe",
    "Separation",
    "Started",
    "Stepped",
    "TrainResult",
    "Warned",
]

EMBEDDED = "embedded"
"""Name of the shipped model as a version: its proposals are a guess."""

INSTANT = "instant"
"""Name of the instant learner as a version."""

FROM_PEOPLE = frozenset({"imported", "merged"})
"""Versions of proposals that no model made: masks imported as proposals, and the other side of a merge. Nothing
replaces them automatically."""


Measure = Literal["confidence", "margin", "entropy", "flips"]
"""By what a version is unsure of a pixel; `segstudio.learn.uncertainty` says what each is."""


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
    """Which labels of a plane something was measured on: as they were after edit `seq`, with `pixels` known ones in the
    image. `classes` are (id, id that it counts as or 0, kind) of every class there was.
    """

    image: int
    plane: int
    seq: int
    pixels: int
    classes: tuple[tuple[int, int, str], ...] = ()


class PlaneFacts(msgspec.Struct, frozen=True):
    """Facts measured on the labels of one plane. `known` and `fit` (painted or imported) pixels are by `classes`.

    `cells` are the same by place, packed. `objects` are (diameter in pixels, area, whether all of it is labelled) by
    class, None if not measured.
    """

    classes: tuple[int, ...]
    known: tuple[int, ...]
    fit: tuple[int, ...]
    painted: int
    cells: bytes
    objects: dict[int, list[tuple[float, int, bool]]] | None = None


class PlanClass(msgspec.Struct, frozen=True):
    """An output of the network, bound to a class by its id."""

    id: int
    name: str


class PlanPlane(msgspec.Struct, frozen=True):
    """A plane with known pixels, the edit its labels were read at, and which side of the split it is on.

    `labelled` are (class id, known pixels); none in plans of earlier releases.
    """

    image: int
    plane: int
    path: str
    group: str
    part: Literal["train", "held-out"]
    seq: int
    labelled: tuple[tuple[int, int], ...] = ()


class Block(msgspec.Struct, frozen=True):
    """A rectangle of image pixels whose labels are held out while the rest of its plane trains."""

    image: int
    plane: int
    x: int
    y: int
    w: int
    h: int


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How the network learns. Patches are squares of `patch_px` pixels at the working scale.

    `rate` is the highest learning rate; the encoder's convolutions learn at `rate * encoder_factor`. The encoder stays
    as it is, weights and statistics, until the share `encoder_opens` of the run is over (1: to its end); then its late
    stages learn if `late_stages`, else all of it. Until then the decoder learns from the encoder's levels of the last
    `pool_patches` patches (0: every step draws its own), one renewed a step. `fits_head`: the head is fitted in closed
    form before the first step. The exponential average of the weights looks back over `ema_steps` steps. `augment` has
    the strength of each augmentation by name; None, as in plans of earlier releases, stands for all at their usual
    strength. `precision` is that of the forward pass.
    """

    patch_px: int = 256
    batch: int = 8
    optimiser: str = "adamw"
    schedule: str = "warmup_cosine"
    loss: str = "ce_dice"
    rate: float = 3e-3
    encoder_factor: float = 1.0
    encoder_opens: float = 0.0
    late_stages: bool = False
    pool_patches: int = 0
    fits_head: bool = False
    frozen_statistics: bool = False
    weight_decay: float = 1e-2
    warmup_steps: int = 5
    clip_norm: float = 1.0
    ema_steps: int = 10
    augment: dict[str, float] | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Every decision of a run. The same plan on the same labels gives the same weights, bit for bit on a CPU.

    The working scale is 32 / `pitch`: 32 pixels of the network cover `pitch` pixels of the image. `steps` is the length
    of the schedule: None until the first steps have been timed. `stopped_at` is the step at which the run ended before
    its schedule. `margin_px` image pixels around every block neither train nor measure. `in_parts` are (step, n):
    from that step on a batch went through the network in n parts, because memory had run out.

    What the clock decides in a run is written down, and followed when the plan is repeated: the step `opened_at` from
    which the encoder learns, and the step `decay_at` from which the rate falls, to the shares `decay` of the highest.

    `levels` are, by channel, the sample values that count as 0 and as 1 in pictures of as many channels that are not of
    8 bits; none, as in plans of earlier releases: each plane has its own.

    `picked_up` are (step, edit): from that step on the run learned from the labels as they were after that edit, as
    `planes` say of the last one. Labels before them are gone, so such a plan is repeated on the last ones alone.

    `watched` are the held-out groups by which the best step is chosen; the gate judges by the others. `kept_at` is the
    step whose average was kept as the best by them; None: the last one.

    `steps_before` are those of the run that this one resumes, whose version is its base; 0 for a new run.
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
    levels: tuple[tuple[float, float], ...] = ()
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
    opened_at: int | None = None
    decay_at: int | None = None
    decay: tuple[float, ...] = ()
    watched: tuple[str, ...] = ()
    kept_at: int | None = None
    picked_up: tuple[tuple[int, int], ...] = ()
    steps_before: int = 0

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


class Confusion(msgspec.Struct, frozen=True):
    """Held-out pixels (n rows, n + 1 columns) by class in the truth (row) and as predicted (column), in the order of
    `names`; the last column counts those that no class was predicted for.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Separation(msgspec.Struct, frozen=True):
    """How proposed objects of an instance class that touch are taken apart: a watershed on the distance from their
    edges, smoothed by `smooth_px` (image pixels, sigma of a Gaussian).

    They are cut where a neck is narrower than what it joins by the `share` of the usual half-width of an object (1 or
    more: nowhere), and no piece is smaller than the share `least` of a disc of that half-width. These defaults are also
    those of a version whose card says nothing.
    """

    share: float = 0.3
    smooth_px: float = 1.0
    least: float = 0.0


class ObjectFigures(msgspec.Struct, frozen=True):
    """How well proposed objects of instance classes match the `objects` that are held out whole: F1 (0..1) at an IoU
    above 0.5, as the version takes touching ones apart, and with the default `Separation`. With fewer held-out objects
    than can decide, both are the same and `tuned` is false.
    """

    objects: int
    f1: float
    f1_default: float
    tuned: bool


class Figures(msgspec.Struct, frozen=True):
    """Held-out figures: mean cross-entropy a known pixel, mean IoU over classes in the truth, IoU by class name.

    `accepted` is the share of the measured pixels that are accepted proposals, which favour the version that proposed
    them; `without_accepted` is the mean IoU on the others, None if there are none. `confusion` is what a version was
    judged by; the measurements of a run do without. `objects` likewise, None without an instance class.
    """

    loss: float
    mean_iou: float
    iou: dict[str, float]
    accepted: float = 0.0
    without_accepted: float | None = None
    confusion: Confusion | None = None
    objects: ObjectFigures | None = None


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`step` counts optimiser steps done; `seconds` since the first step began."""

    step: int
    seconds: float


class Preparing(_Event, frozen=True, kw_only=True, tag="preparing"):
    """What happens before the first step, in words for people; `done` of `total`, which is 0 if unknown."""

    text: str
    done: int = 0
    total: int = 0


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The plan is final, and the steps after `step` follow: 0 for a run from its beginning, else the checkpoint that it
    goes on from. What was told of later steps is made again.

    Earlier releases wrote the number of the steps that had been timed, which follow all the same.
    """

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
    """The last step was made, or Stop was requested."""

    reason: Literal["done", "stopped", "time"]


class Warned(_Event, frozen=True, kw_only=True, tag="warned"):
    """Something went wrong that the run survived; one sentence."""

    sentence: str


Event = Preparing | Started | Stepped | Evaluated | Checkpointed | Finished | Warned


class HeldOutPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A held-out image, or a part of it, as a run sees it after a step, reduced to 256 pixels a side at most.

    `image` is (height, width, 3) bytes. `truth` and `predicted` are class ids (height, width), little-endian uint16,
    0 for none. It is shown and kept nowhere: it is no event.
    """

    step: int
    path: str
    plane: int
    width: int
    height: int
    image: bytes
    truth: bytes
    predicted: bytes


class TrainResult(msgspec.Struct, frozen=True):
    """How a run ended; `held_out` compares parent and child on the same pixels. `advice` says what would help if
    the child was not promoted. `older` compares both on the finished images that the last promoted version had learned
    from, to show what was forgotten; empty if there are none.
    """

    version: str
    parent: str
    promoted: bool
    reason: str
    steps: int
    seconds: float
    held_out: dict[str, Figures | None]
    advice: str = ""
    older: dict[str, Figures | None] = {}

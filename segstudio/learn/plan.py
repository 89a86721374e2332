"""From facts and choices to the plan: every decision of a run, made once, in one place."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from segstudio.errors import NotEnoughLabels
from segstudio.learn.augment import default_strengths
from segstudio.learn.data import ByChannel, Part
from segstudio.learn.facts import Facts
from segstudio.learn.networks import DEFAULT_NETWORK, network_named
from segstudio.learn.pace import ema_steps
from segstudio.learn.schedules import CLOCKED
from segstudio.learn.split import MARGIN_PX, by_image, choose_blocks, free_cells, margin_within
from segstudio.learn.upright import is_upright
from segstudio.learn.watched import watched_groups
from segstudio.runs import EMBEDDED, Block, Choices, Plan, PlanClass, PlanPlane, Recipe
from segstudio.text import _

__all__ = [
    "DEFAULT_SECONDS",
    "Machine",
    "channels_of",
    "continued",
    "make_plan",
    "not_learned",
    "patch_px_of",
    "pitch_for",
    "pools",
]

DEFAULT_SECONDS = 60.0

_WARMUP = 5
_ENCODER_FACTOR = 0.1
_OPENS_LONG, _NEVER = 0.25, 1.0
_LONG_SECONDS, _LONG_STEPS = 180.0, 600
_POOL = 96
_PATCH_PX = 256
_OBJECT_PX = (32.0, 96.0)
_PITCH = (16, 256)


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts about the device before training. `step_s`: how long a step of the decoder takes, 0 if not measured."""

    device: str
    threads: int
    bfloat16: bool
    step_s: float = 0.0


def make_plan(
    facts: Facts,
    choices: Choices,
    machine: Machine,
    *,
    base: str,
    mean: Sequence[float],
    std: Sequence[float],
    blocks: Sequence[Block] = (),
    trained: Collection[str] = (),
    pitch: int | None = None,
    levels: ByChannel = (),
) -> Plan:
    """Decide everything. `mean` and `std` are those of the base, by channel; `blocks` were held out before. `pitch` is
    that of the version that the run continues: at another scale it would have to learn anew. `levels` are those that
    planes which are not of 8 bits share, if they do.

    `trained` are groups that some version has trained on: no new block is held out in them.

    Raises `NotEnoughLabels` if fewer than two classes have known pixels to train on.
    """
    network = choices.network or DEFAULT_NETWORK
    channels = channels_of(facts)
    margin = min(MARGIN_PX, network_named(network).halo_px)
    by_groups = facts.has_truth(Part.HELD_OUT)
    # Where a group is held out, blocks are not measured any more, and what is not measured trains.
    held = () if by_groups else choose_blocks(facts, blocks, margin, trained)
    max_seconds = choices.max_seconds
    if max_seconds is None and choices.max_steps is None:
        max_seconds = DEFAULT_SECONDS
    return Plan(
        classes=_outputs(facts, held, margin),
        planes=planes_of(facts),
        blocks=held,
        margin_px=margin,
        optimistic=bool(held) and not by_groups,
        pitch=pitch_for(facts) if pitch is None else pitch,
        channels=channels,
        mean=_by_channel(mean, channels),
        std=_by_channel(std, channels),
        levels=levels,
        network=network,
        base=base,
        recipe=_recipe(facts, base, network, machine, max_seconds, choices.max_steps),
        device=machine.device,
        threads=machine.threads,
        seed=choices.seed,
        max_seconds=max_seconds,
        max_steps=choices.max_steps,
        steps=choices.max_steps if max_seconds is None else None,
        watched=watched_groups(facts),
    )


def continued(plan: Plan, earlier: Plan) -> Plan:
    """The plan of a run that resumes an earlier one, from the version that it made: it learns in the same way, on the
    labels of today. Its rate rises again and falls at its end. The encoder goes on learning if it had begun to; else it
    begins where it would have done.
    """
    mine = plan.recipe
    recipe = msgspec.structs.replace(
        earlier.recipe,
        fits_head=False,
        schedule=mine.schedule,
        warmup_steps=mine.warmup_steps,
        ema_steps=mine.ema_steps,
        encoder_opens=0.0 if earlier.opened_at is not None else _opens_in_rest(plan, earlier),
        precision=mine.precision,
        channels_last=mine.channels_last,
    )
    made = earlier.steps or 0 if earlier.stopped_at is None else earlier.stopped_at
    return msgspec.structs.replace(plan, recipe=recipe, steps_before=earlier.steps_before + made)


def _opens_in_rest(plan: Plan, earlier: Plan) -> float:
    """The share of the rest of a run after which its encoder opens."""
    opens = earlier.recipe.encoder_opens
    limits = ((plan.max_seconds, earlier.max_seconds), (plan.max_steps, earlier.max_steps))
    rest = min((mine / theirs for mine, theirs in limits if mine and theirs), default=1.0)
    return opens if opens >= 1 or rest >= 1 else max(opens - (1 - rest), 0.0) / rest


def planes_of(facts: Facts) -> tuple[PlanPlane, ...]:
    """The planes with known pixels, as a plan lists them."""
    ids = [c.id for c in facts.classes]
    return tuple(
        PlanPlane(e.image, e.plane, e.path, e.group, e.part.value, e.seq, _labelled(ids, known))  # type: ignore[arg-type]
        for e, known in zip(facts.planes, facts.known.tolist(), strict=True)
    )


def _labelled(classes: Sequence[int], known: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((class_, n) for class_, n in zip(classes, known, strict=True) if n)


def pitch_for(facts: Facts) -> int:
    """Image pixels for 32 network pixels, 16 ... 256: the working scale is 32 / pitch.

    Instances come to 32 ... 96 px across in the median. Semantic regions are never enlarged, and shrunk only if even
    the class with the thinnest regions stays 96 px wide, and no class is of unknown width: a crack must not vanish.
    """
    instances = [facts.object_px[c.id] for c in facts.classes if c.instances and c.id in facts.object_px]
    regions = [facts.object_px[c.id] for c in facts.classes if not c.instances and c.id in facts.object_px]
    low, high = _OBJECT_PX
    measured = len(regions) == sum(
        not c.instances and not c.background and bool(n) for c, n in zip(facts.classes, facts.known.sum(0), strict=True)
    )
    scale = 1.0
    if instances:
        size = float(np.median(instances))
        scale = low / size if size < low else high / size if size > high else 1.0
    if regions and measured and min(regions) * scale > high:
        scale = high / min(regions)
    elif (regions or not measured) and scale < 1:
        scale = 1.0
    return int(np.clip(round(32 / scale), *_PITCH))


def not_learned(facts: Facts, plan: Plan) -> tuple[str, ...]:
    """Names of classes with known pixels, none of which trains: all that is labelled of them is held out."""
    outputs = {c.id for c in plan.classes}
    return tuple(c.name for c, n in zip(facts.classes, facts.known.sum(0), strict=True) if n and c.id not in outputs)


def _outputs(facts: Facts, blocks: Sequence[Block], margin: int) -> tuple[PlanClass, ...]:
    """The classes with a known training pixel: a class without one is never predicted."""
    rects = by_image(blocks)
    known = np.zeros(len(facts.classes), np.int64)
    for place, entry in enumerate(facts.planes):
        if entry.part is not Part.TRAIN:
            continue
        if inside := rects.get(entry.image):
            cells = facts.cells[place]
            known += cells.known[free_cells(cells, inside, margin_within(entry, margin))].sum(0)
        else:
            known += facts.known[place]
    outputs = tuple(PlanClass(c.id, c.name) for c, n in zip(facts.classes, known, strict=True) if n > 0)
    if len(outputs) < 2:
        raise NotEnoughLabels(
            _("There are too few labels to learn from: two classes need labelled pixels that are not held out."),
            todo=_("Paint some pixels of the object and some of the background."),
        )
    return outputs


def _recipe(
    facts: Facts, base: str, network: str, machine: Machine, max_seconds: float | None, max_steps: int | None
) -> Recipe:
    """How to learn. In a short run the decoder learns on an encoder that stays; in a long one the whole network, once
    it fits. From scratch all of it learns from the start.
    """
    known = network_named(network)
    steps = _expected_steps(machine, max_seconds, max_steps)
    ready, pooled = _is_trained(base, network), pools(base, network)
    long = steps >= _LONG_STEPS or (steps == 0 and (max_seconds or 0.0) >= _LONG_SECONDS)
    return Recipe(
        patch_px=patch_px_of(network),
        schedule=CLOCKED,
        ema_steps=ema_steps(max_steps or 0),
        warmup_steps=max(1, min(_WARMUP, steps // 5)) if steps else _WARMUP,
        encoder_factor=_ENCODER_FACTOR if ready else 1.0,
        encoder_opens=(_OPENS_LONG if long else _NEVER) if pooled else 0.0,
        frozen_statistics=ready,
        pool_patches=_POOL if pooled else 0,
        fits_head=ready and base in (EMBEDDED, "imagenet"),
        augment=_augmentations(facts),
        precision="bfloat16" if machine.bfloat16 else "float32",
        channels_last=known.channels_last,
    )


def _is_trained(base: str, network: str) -> bool:
    """Whether a run begins with an encoder that has learned: the shipped weights fit one network alone."""
    return network == DEFAULT_NETWORK if base in (EMBEDDED, "imagenet") else base != "scratch"


def pools(base: str, network: str) -> bool:
    """Whether the decoder of such a run learns from kept levels of the encoder."""
    return _is_trained(base, network) and network_named(network).context.px > 0


def patch_px_of(network: str) -> int:
    """Side of the patches that a network learns from."""
    return _PATCH_PX if network_named(network).receptive_field_px > _PATCH_PX // 4 else _PATCH_PX // 4


def _augmentations(facts: Facts) -> dict[str, float]:
    """The usual ones, but no quarter turns where up is up."""
    upright = is_upright(facts)
    return {name: s for name, s in default_strengths().items() if not (upright and name == "quarter_turn")}


def _expected_steps(machine: Machine, max_seconds: float | None, max_steps: int | None) -> int:
    """How many steps a run has, as far as that is known before the first: 0 if not at all."""
    fit = int(max_seconds / machine.step_s) if max_seconds is not None and machine.step_s > 0 else None
    return min((n for n in (fit, max_steps) if n is not None), default=0)


def channels_of(facts: Facts) -> int:
    """Channels of a network for these images: the most that one of them has. Grey ones are fed as three equal channels,
    so that they and colour images share one network.
    """
    most = max(facts.channels, default=3)
    return 3 if most <= 3 and 2 not in facts.channels else most


def _by_channel(values: Sequence[float], channels: int) -> tuple[float, ...]:
    return tuple(float(values[i % len(values)]) for i in range(channels))

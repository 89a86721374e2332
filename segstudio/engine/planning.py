"""The plan of a run as the engine makes it: on this device, from a base, between levels that the project shares."""

from collections.abc import Generator

import msgspec
import torch

from segstudio.engine.predicting import Step
from segstudio.engine.protocol import Train
from segstudio.engine.workshop import Workshop
from segstudio.errors import UnreadableImage
from segstudio.imaging.levels import Levels, pooled
from segstudio.learn.data import ByChannel, Dataset, Part
from segstudio.learn.facts import Facts
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import channels_of, continued, make_plan, patch_px_of, pools
from segstudio.learn.versions import read_card
from segstudio.learn.weights import embedded_card, normalisation_of
from segstudio.runs import EMBEDDED, Plan

__all__ = ["new_plan", "on_device"]

_POOLED_PLANES = 32


def new_plan(
    shop: Workshop, request: Train, data: Dataset, facts: Facts, device: torch.device
) -> Generator[Step, None, Plan]:
    """The plan of a new run. Raises `NotEnoughLabels`, and `WeightsDamaged` for a base that cannot be read."""
    base = request.choices.base or _usual_base(data, facts)
    pitch = None
    network = request.choices.network or DEFAULT_NETWORK
    machine = shop.machine(device, network, patch_px_of(network), pools=pools(base, network))
    if base in (EMBEDDED, "imagenet", "scratch"):
        mean, std = normalisation_of(embedded_card("imagenet" if base == "imagenet" else "base").normalisation)
        levels = yield from _shared_levels(facts, data)
    else:
        card = read_card(base, data)
        mean, std, pitch, levels = card.mean, card.std, card.pitch, card.levels
    plan = make_plan(
        facts,
        request.choices,
        machine,
        base=base,
        mean=mean,
        std=std,
        blocks=data.blocks(),
        trained=data.trained_groups(),
        pitch=pitch,
        levels=levels,
    )
    return plan if request.after is None else continued(plan, request.after)


def _shared_levels(facts: Facts, data: Dataset) -> Generator[Step, None, ByChannel]:
    """The levels that the project's planes share, from some that train, spread evenly over all. One that cannot be read
    is reported later.
    """
    entries = [entry for entry in facts.planes if entry.part is Part.TRAIN]
    found: list[list[Levels]] = []
    for i in range(0, len(entries), -(-len(entries) // _POOLED_PLANES) or 1):
        yield None
        try:
            levels = data.own_levels(entries[i].image, entries[i].plane)
        except UnreadableImage:
            continue
        if levels is not None:
            found.append([Levels(*each) for each in levels])
    return tuple((each.low, each.high) for each in pooled(found))


def _usual_base(data: Dataset, facts: Facts) -> str:
    """The promoted version, unless images with more channels than it knows were added since."""
    promoted = data.promoted_version()
    if promoted is None or read_card(promoted, data).channels != channels_of(facts):
        return EMBEDDED
    return promoted


def on_device(shop: Workshop, plan: Plan, device: torch.device) -> Plan:
    """The plan of a run that goes on, on another device than it began on if that is gone."""
    if plan.device == str(device):
        return plan
    pools = plan.recipe.pool_patches > 0
    machine = shop.machine(device, plan.network, plan.recipe.patch_px, pools=pools)
    recipe = msgspec.structs.replace(plan.recipe, precision="bfloat16" if machine.bfloat16 else "float32")
    return msgspec.structs.replace(plan, device=machine.device, threads=machine.threads, recipe=recipe)

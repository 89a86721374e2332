"""The engine's training job: facts, plan, run, gate; everything a run leaves behind goes out as messages."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import msgspec
import torch
from torch import nn

from segstudio.engine.agenda import Priority
from segstudio.engine.predicting import Step
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import CHUNK_BYTES, Blob, Done, RunEvent, RunPlanned, Train, Trained
from segstudio.engine.workshop import Workshop, is_grey, surveyed
from segstudio.errors import NotEnoughLabels, WeightsDamaged
from segstudio.learn.device import resolve
from segstudio.learn.facts import Facts
from segstudio.learn.gate import HeldOut, decide, held_out, measure, pixels_of
from segstudio.learn.loop import Trainer, metadata, train
from segstudio.learn.plan import Machine, make_plan
from segstudio.learn.predict import Model
from segstudio.learn.sampling import Sampler
from segstudio.learn.versions import (
    encode_weights,
    normalisation_of,
    read_card,
    starting_network,
    trained_model,
    version_card,
)
from segstudio.learn.weights import embedded_card
from segstudio.runs import EMBEDDED, Checkpointed, Figures, Finished, Plan, Warned

__all__ = ["Stopping", "train_job"]

_WATCHED_PX = 1 << 20
"""Held-out pixels that are measured while a run is under way."""


@dataclass(slots=True)
class Stopping:
    """Whether somebody asked the run to end and keep what it has."""

    asked: bool = field(default=False)


def train_job(shop: Workshop, request: Train, stopping: Stopping) -> Generator[Step, None, None]:
    """Fulfil a request to train. Raises what a person can mend: `NoSuchDevice`, `NotEnoughLabels`, `WeightsDamaged`."""
    yield Priority.TRAIN
    device = resolve(request.choices.device)
    data = shop.view()
    facts = yield from surveyed(data)
    broken = data.unreadable()
    more = f" {len(broken) - 1} more could not be read either." if len(broken) > 1 else ""
    if broken:
        sentence = f"{broken[0]}{more} The run learns from the other images."
        yield RunEvent(request.id, Warned(step=0, seconds=request.elapsed_s, sentence=sentence))
    saved = data.checkpoint(request.run) if request.resume else None
    try:
        plan = (
            _saved_plan(saved) if saved is not None else request.plan or _new_plan(shop, request, data, facts, device)
        )
    except NotEnoughLabels as error:
        if not broken:
            raise
        raise NotEnoughLabels(
            f"{broken[0]}{more} What the other images hold is too little to learn from.",
            todo="Put the files back, or say where they are now: 'segstudio relink', or Locate in the window.",
        ) from error
    torch.set_num_threads(plan.threads)
    yield RunPlanned(request.id, plan)
    trainer = Trainer(plan, starting_network(plan, data, data.classes(), is_grey(data)), device)
    if saved is not None:
        trainer.restore(saved)
    yield None
    yield from _run(request, trainer, Sampler(facts, plan, data), facts, data, stopping)
    yield RunPlanned(request.id, trainer.plan)
    yield from _judge(shop, request, trainer, facts, data)
    yield Done(request.id)


def _run(
    request: Train, trainer: Trainer, sampler: Sampler, facts: Facts, data: ProjectData, stopping: Stopping
) -> Generator[Step, None, None]:
    watched = held_out(facts, trainer.plan, _WATCHED_PX)
    card = version_card(trainer.plan)

    def look(net: nn.Module) -> Iterator[Figures | None]:
        half = card.precision == "bfloat16"
        return measure(trained_model("", net, card, trainer.device, bfloat16=half), data, watched)

    events = train(trainer, sampler.batch, look, evaluation_px=pixels_of(watched), elapsed_s=request.elapsed_s)
    plan = trainer.plan
    for event in events:
        if trainer.plan is not plan:
            plan = trainer.plan
            yield RunPlanned(request.id, plan)
        if isinstance(event, Checkpointed):
            yield from _blobs(request, "checkpoint", trainer.snapshot())
        yield None if event is None else RunEvent(request.id, event)
        if stopping.asked and not isinstance(event, Finished):
            events.close()
            trainer.plan = msgspec.structs.replace(trainer.plan, stopped_at=trainer.step)
            yield RunEvent(request.id, Finished(step=trainer.step, seconds=trainer.seconds, reason="stopped"))
            return


def _judge(
    shop: Workshop, request: Train, trainer: Trainer, facts: Facts, data: ProjectData
) -> Generator[Step, None, None]:
    """Compare the child with what is current on the same held-out pixels, and send its weights and card."""
    plan, device = trainer.plan, trainer.device
    target = held_out(facts, plan)
    card = version_card(plan)
    child = trained_model(request.version, trainer.averaged, card, device, bfloat16=card.precision == "bfloat16")
    child_figures = yield from _figures(child, data, target)
    parent, parent_figures = yield from _best_before(shop, plan, device, data, target)
    verdict = decide(parent_figures, child_figures)
    weights = encode_weights(trainer.averaged, {"version": request.version, "network": plan.network})
    yield from _blobs(request, "weights", weights)
    yield Trained(
        id=request.id,
        parent=parent.name,
        promoted=verdict.promoted,
        current=request.version if verdict.promoted else parent.name,
        reason=verdict.reason,
        steps=trainer.step,
        seconds=trainer.seconds,
        figures={"parent": parent_figures, "child": child_figures},
        card=msgspec.to_builtins(card),
    )


def _best_before(
    shop: Workshop, plan: Plan, device: torch.device, data: ProjectData, target: HeldOut
) -> Generator[Step, None, tuple[Model, Figures | None]]:
    """What proposes now: the promoted version or the instant learner, whichever is better on the held-out pixels.

    Before both it is the embedded guess.
    """
    candidates: list[Model] = []
    promoted = data.promoted_version()
    if promoted is not None:
        candidates.append((yield from shop.model(promoted, str(device), data)))
    instant = yield from shop.instant(device, data, plan.blocks, plan.margin_px)
    if instant is not None:
        candidates.append(instant)
    if not candidates:
        candidates.append((yield from shop.model(EMBEDDED, str(device), data)))
    measured: list[tuple[Model, Figures | None]] = []
    for model in candidates:
        measured.append((model, (yield from _figures(model, data, target))))
    return max(measured, key=lambda pair: -1.0 if pair[1] is None else pair[1].mean_iou)


def _figures(model: Model, data: ProjectData, target: HeldOut) -> Generator[Step, None, Figures | None]:
    figures = None
    for figures in measure(model, data, target):
        if figures is None:
            yield None
    return figures


def _new_plan(shop: Workshop, request: Train, data: ProjectData, facts: Facts, device: torch.device) -> Plan:
    base = request.choices.base or data.promoted_version() or EMBEDDED
    machine = Machine(str(device), shop.threads, shop.bfloat16(device))
    if base in (EMBEDDED, "imagenet", "scratch"):
        mean, std = normalisation_of(embedded_card("imagenet" if base == "imagenet" else "base").normalisation)
    else:
        card = read_card(base, data)
        mean, std = card.mean, card.std
    return make_plan(
        facts,
        request.choices,
        machine,
        base=base,
        mean=mean,
        std=std,
        blocks=data.blocks(),
        trained=data.trained_groups(),
    )


def _saved_plan(checkpoint: bytes) -> Plan:
    try:
        return msgspec.json.decode(metadata(checkpoint)["plan"], type=Plan)
    except (KeyError, msgspec.MsgspecError) as error:
        raise WeightsDamaged("The checkpoint of this run cannot be read.", todo="Start the run anew.") from error


def _blobs(request: Train, kind: str, data: bytes) -> Generator[Step, None, None]:
    for start in range(0, len(data), CHUNK_BYTES):
        part = data[start : start + CHUNK_BYTES]
        yield Blob(request.id, kind, part, start + CHUNK_BYTES >= len(data))

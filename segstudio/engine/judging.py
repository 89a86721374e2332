"""The end of a run: the child against what is current, on the same held-out pixels."""

from collections.abc import Generator

import msgspec

from segstudio.engine.predicting import Step
from segstudio.engine.protocol import RunPlanned, Train, Trained
from segstudio.engine.telling import blobs, warned
from segstudio.engine.workshop import Workshop
from segstudio.errors import NoSuchNetwork, WeightsDamaged
from segstudio.learn.data import Dataset, learned_planes
from segstudio.learn.ensemble import SHARE, joined_tiles, part_of, partner_of
from segstudio.learn.facts import Facts
from segstudio.learn.gate import HeldOut, PredictedTiles, Seen, Tally, advice, decide, finished_before, held_out, tally
from segstudio.learn.predict import Model, predict_tiles
from segstudio.learn.separating import HeldOutObjects
from segstudio.learn.trainer import Trainer
from segstudio.learn.versions import encode_weights, trained_model, version_card
from segstudio.runs import EMBEDDED, Figures
from segstudio.text import _

__all__ = ["judge"]


def judge(
    shop: Workshop, request: Train, trainer: Trainer, facts: Facts, data: Dataset, *, stopped: bool
) -> Generator[Step, None, None]:
    """Compare the child with what is current on the same held-out pixels, and send its weights and card."""
    plan, device = trainer.plan, trainer.device
    target = held_out(facts, plan)
    card = version_card(plan)
    child = trained_model(request.version, trainer.averaged, card, device, bfloat16=shop.bfloat16(device, plan.network))
    objects = HeldOutObjects(data, target)
    child_tally = yield from _tally(child, data, target, see=objects.see)
    instant = yield from shop.instant(device, data, plan.blocks, plan.margin_px)
    parent, parent_tally = yield from _best_before(shop, request, trainer, data, target, instant)
    verdict = decide(parent_tally, child_tally, data.tries(plan.planes, plan.steps_before + trainer.step))
    parent_figures = None if parent_tally is None else parent_tally.figures
    child_figures = None if child_tally is None else child_tally.with_confusion(target)
    separation, matched = yield from objects.tuned()
    card = msgspec.structs.replace(card, separation=separation)
    if child_figures is not None:
        child_figures = msgspec.structs.replace(child_figures, objects=matched)
    read = tuple(p for p in plan.planes if data.readable(p.image, p.plane))
    if read != plan.planes:  # nothing was learned from planes that could not be read
        yield RunPlanned(request.id, msgspec.structs.replace(plan, planes=read))
    older = yield from _remembered(facts, data, parent, child)
    beside = yield from _beside(child, child_tally, data, target, instant)
    if beside is not None:
        card = msgspec.structs.replace(card, instant=part_of(beside, SHARE))
    weights = encode_weights(trainer.averaged, {"version": request.version, "network": plan.network}, beside)
    yield from blobs(request, "weights", weights)
    yield Trained(
        id=request.id,
        parent=parent.name,
        promoted=verdict.promoted,
        current=request.version if verdict.promoted else parent.name,
        reason=verdict.reason,
        steps=trainer.step,
        seconds=trainer.seconds,
        figures={"parent": parent_figures, "child": child_figures},
        older=older,
        card=msgspec.to_builtins(card),
        advice="" if verdict.promoted else advice(plan, child_figures, trainer.step, stopped=stopped),
    )


def _remembered(
    facts: Facts, data: Dataset, parent: Model, child: Model
) -> Generator[Step, None, dict[str, Figures | None]]:
    """Figures of both on the finished images that the promoted version had learned from; empty if there are none."""
    try:
        promoted = data.promoted_version()
        learned = learned_planes(data.card(promoted)) if promoted is not None else ()
    except (WeightsDamaged, NoSuchNetwork):  # a version that cannot be read was reported when it was to be compared
        learned = ()
    target = finished_before(facts, learned)
    found: dict[str, Figures | None] = {}
    for side, model in (("parent", parent), ("child", child)) if target.tiles else ():
        counted = yield from _tally(model, data, target)
        found[side] = None if counted is None else counted.figures
    return found


def _best_before(
    shop: Workshop, request: Train, trainer: Trainer, data: Dataset, target: HeldOut, instant: Model | None
) -> Generator[Step, None, tuple[Model, Tally | None]]:
    """The current proposer: the promoted version or the instant learner, whichever is better on the held-out pixels.

    Before there is either, or where the version cannot be read and there is no other, it is the embedded guess.
    """
    device = trainer.device
    candidates: list[Model] = []
    promoted = data.promoted_version()
    if promoted is not None:
        try:
            candidates.append((yield from shop.model(promoted, str(device), data)))
        except (WeightsDamaged, NoSuchNetwork) as error:  # what was learned must not be lost over it
            yield warned(request, " ".join((error.sentence, _("The run is not compared with it."))), trainer)
    if instant is not None:
        candidates.append(instant)
    if not candidates:
        candidates.append((yield from shop.model(EMBEDDED, str(device), data)))
    measured: list[tuple[Model, Tally | None]] = []
    for model in candidates:
        measured.append((model, (yield from _tally(model, data, target))))
    return max(measured, key=lambda pair: -1.0 if pair[1] is None else pair[1].figures.mean_iou)


def _beside(
    child: Model, alone: Tally | None, data: Dataset, target: HeldOut, instant: Model | None
) -> Generator[Step, None, Model | None]:
    """The instant learner, if it makes the child no worse on the held-out pixels: then both answer together from now on
    where nobody waits.
    """
    if instant is None or alone is None:
        return None
    child.partner = partner_of(lambda: instant, instant.outputs, child.outputs, data.counts_as(), SHARE)
    both = yield from _tally(child, data, target, joined_tiles)
    return instant if both is not None and both.figures.mean_iou >= alone.figures.mean_iou else None


def _tally(
    model: Model, data: Dataset, target: HeldOut, predicted: PredictedTiles = predict_tiles, see: Seen | None = None
) -> Generator[Step, None, Tally | None]:
    found = None
    for found in tally(model, data, target, predicted, see):
        if found is None:
            yield None
    return found

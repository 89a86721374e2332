"""The engine's training job: facts, plan, run, gate; all results of a run are sent as messages."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import torch
from torch import nn

from segstudio.engine.agenda import Priority
from segstudio.engine.predicting import Step
from segstudio.engine.protocol import CHUNK_BYTES, Blob, Done, Measured, RunEvent, RunPlanned, Train, Trained
from segstudio.engine.workshop import Workshop, is_grey
from segstudio.errors import NoSuchNetwork, NotEnoughLabels, UnreadableImage, UserError, WeightsDamaged
from segstudio.imaging.levels import Levels, pooled
from segstudio.learn.best import BestSoFar
from segstudio.learn.data import ByChannel, Dataset, Part, learned_planes
from segstudio.learn.device import is_out_of_memory, resolve, too_little_memory
from segstudio.learn.facts import Facts, Looked, survey
from segstudio.learn.gate import (
    HeldOut,
    Tally,
    advice,
    decide,
    finished_before,
    held_out,
    measure,
    pixels_of,
    tally,
    watched_groups,
)
from segstudio.learn.loop import train
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import channels_of, make_plan, not_learned, patch_px_of, pools
from segstudio.learn.predict import Model
from segstudio.learn.sampling import Sampler
from segstudio.learn.trainer import Trainer, metadata
from segstudio.learn.versions import (
    encode_weights,
    normalisation_of,
    read_card,
    starting_network,
    trained_model,
    version_card,
)
from segstudio.learn.weights import embedded_card
from segstudio.runs import EMBEDDED, Checkpointed, Figures, Plan, Preparing, Stepped, Warned
from segstudio.text import _, count

__all__ = ["Stopping", "train_job"]

_TELL_S = 0.25

_POOLED_PLANES = 32
_LOST_STEPS = 20

_WATCHED_PX = 1 << 20
"""Held-out pixels that are measured during a run."""


@dataclass(slots=True)
class Stopping:
    """Whether the run was asked to end and keep what it has learned."""

    asked: bool = field(default=False)


def train_job(shop: Workshop, request: Train, stopping: Stopping) -> Generator[Step, None, None]:
    """Fulfil a request to train. Raises `NoSuchDevice`, `NotEnoughLabels`, `WeightsDamaged`, and `UserError` if
    memory runs out.
    """
    device = resolve(request.choices.device)
    try:
        yield from _train_job(shop, request, device, stopping)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return
    # Outside the handler the error is gone, and with it the memory that the run held.
    raise too_little_memory(device)


def _train_job(shop: Workshop, request: Train, device: torch.device, stopping: Stopping) -> Generator[Step, None, None]:
    yield Priority.TRAIN
    data = shop.view()
    facts = yield from _surveyed(request, data)
    missing = data.unreadable()
    if missing:
        yield _warned(request, " ".join((_all_of(missing), _("The run learns from the other images."))))
    yield _preparing(request, _("Preparing the network"))
    saved = data.checkpoint(request.run) if request.resume else None
    try:
        plan = request.plan if saved is None else _on_device(shop, _saved_plan(saved), device)
        if plan is None:
            plan = yield from _new_plan(shop, request, data, facts, device)
    except NotEnoughLabels as error:
        if not missing:
            raise
        raise _nothing_left(missing) from error
    torch.set_num_threads(plan.threads)
    yield RunPlanned(request.id, plan)
    if saved is None and (names := not_learned(facts, plan)):
        yield _warned(request, _not_learned_words(names))
    trainer = Trainer(plan, starting_network(plan, data, data.classes(), is_grey(data)), device)
    repeated = request.plan is not None and not request.resume
    best = BestSoFar(trainer, watches=bool(watched_groups(facts)), follows=repeated)
    if saved is not None:
        trainer.restore(saved)
        best.restore(saved)
        trainer.plan = _on_device(shop, trainer.plan, device)
    yield None
    try:
        yield from _run(shop, request, trainer, Sampler(facts, plan, data), facts, data, stopping, best)
    except UnreadableImage as error:
        raise _nothing_left(data.unreadable()) from error
    yield RunPlanned(request.id, trainer.plan)
    yield from _judge(shop, request, trainer, facts, data, stopped=stopping.asked)
    yield Done(request.id)


def _surveyed(request: Train, data: Dataset) -> Generator[Step, None, Facts]:
    """The facts of a project, yielding between planes; new ones go to the client, which keeps them."""
    told = -math.inf
    for found in survey(data):
        if isinstance(found, Facts):
            return found
        if isinstance(found, Looked):
            entry = found.entry
            yield Measured(request.id, data.stamp(entry.image, entry.plane), found.facts)
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                yield _preparing(request, _reading(found), found.done, found.total)
        yield None
    raise AssertionError("a survey ends with facts")


def _run(
    shop: Workshop,
    request: Train,
    trainer: Trainer,
    sampler: Sampler,
    facts: Facts,
    data: Dataset,
    stopping: Stopping,
    best: BestSoFar,
) -> Generator[Step, None, None]:
    watched = held_out(facts, trainer.plan, _WATCHED_PX, watched=True)
    card = version_card(trainer.plan)
    half = shop.bfloat16(trainer.device, trainer.plan.network)

    def look(net: nn.Module) -> Iterator[Figures | None]:
        return measure(trained_model("", net, card, trainer.device, bfloat16=half), data, watched)

    events = train(
        trainer,
        sampler.batch,
        look,
        evaluation_px=pixels_of(watched),
        elapsed_s=request.elapsed_s,
        stopping=lambda: stopping.asked,
    )
    plan, said, lost = _but_rates(trainer.plan), data.unreadable(), _LostSteps()
    for event in events:
        best.see(event)
        if _but_rates(trainer.plan) != plan:  # the rates of a decay go with the last plan and with checkpoints
            plan = _but_rates(trainer.plan)
            yield RunPlanned(request.id, trainer.plan)
        if damaged := [sentence for sentence in data.unreadable() if sentence not in said]:
            said = data.unreadable()
            sentence = " ".join((_all_of(damaged), _("The run goes on without them.")))
            yield _warned(request, sentence, trainer)
        if isinstance(event, Checkpointed):
            yield from _blobs(request, "checkpoint", trainer.snapshot(best.tensors))
        if isinstance(event, Stepped) and lost.takes(event):
            yield _warned(request, lost.sentence, trainer) if lost.is_first else None
        else:
            yield None if event is None else RunEvent(request.id, event)
    yield from best.settled(look)


@dataclass(slots=True)
class _LostSteps:
    """Steps without a finite loss, which have no place in a curve. Too many in a row end a run."""

    in_a_row: int = 0
    sentence: str = ""
    is_first: bool = False

    def takes(self, event: Stepped) -> bool:
        """Whether a step is one of them; the first has a `sentence`. Raises `UserError` for too many."""
        if math.isfinite(event.loss):
            self.in_a_row = 0
            return False
        self.in_a_row += 1
        if self.in_a_row == _LOST_STEPS:
            raise UserError(
                _("The run was abandoned: {n} steps in a row had no finite loss.", n=_LOST_STEPS),
                safe=_("Everything painted is safe, and the previous version stays in use."),
                todo=_("Train again with another seed or base."),
            )
        self.is_first = not self.sentence
        self.sentence = self.sentence or _(
            "The loss of step {n} is not a finite number. Such steps change nothing, and the run goes on.", n=event.step
        )
        return True


def _but_rates(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, decay=())


def _reading(found: Looked) -> str:
    """How far the survey is; planes are counted where an image has several."""
    if found.images == found.total:
        return count(found.total, "Reading {done:,} of {n} image", "Reading {done:,} of {n} images", done=found.done)
    return count(found.total, "Reading {done:,} of {n} plane", "Reading {done:,} of {n} planes", done=found.done)


def _not_learned_words(names: Sequence[str]) -> str:
    return count(
        len(names),
        "All that is labelled of {names} is held out, so it is not learned. Label it in a training image too.",
        "All that is labelled of {names} is held out, so they are not learned. Label them in training images too.",
        names=", ".join(names),
    )


def _preparing(request: Train, text: str, done: int = 0, total: int = 0) -> RunEvent:
    return RunEvent(request.id, Preparing(step=0, seconds=request.elapsed_s, text=text, done=done, total=total))


def _warned(request: Train, sentence: str, trainer: Trainer | None = None) -> RunEvent:
    step, seconds = (0, request.elapsed_s) if trainer is None else (trainer.step, trainer.seconds)
    return RunEvent(request.id, Warned(step=step, seconds=seconds, sentence=sentence))


def _all_of(broken: Sequence[str]) -> str:
    """The first of some sentences about images, and how many more there are."""
    more = len(broken) - 1
    if not more:
        return broken[0]
    others = count(more, "{n} more could not be read either.", "{n} more could not be read either.")
    return " ".join((broken[0], others))


def _nothing_left(broken: Sequence[str]) -> NotEnoughLabels:
    return NotEnoughLabels(
        " ".join((_all_of(broken), _("The other images have too few labels to learn from."))),
        todo=_("Put the files back, or find them with 'segstudio relink' or Locate in the window."),
    )


def _judge(
    shop: Workshop, request: Train, trainer: Trainer, facts: Facts, data: Dataset, *, stopped: bool
) -> Generator[Step, None, None]:
    """Compare the child with what is current on the same held-out pixels, and send its weights and card."""
    plan, device = trainer.plan, trainer.device
    target = held_out(facts, plan)
    card = version_card(plan)
    child = trained_model(request.version, trainer.averaged, card, device, bfloat16=shop.bfloat16(device, plan.network))
    child_tally = yield from _tally(child, data, target)
    parent, parent_tally = yield from _best_before(shop, request, trainer, data, target)
    verdict = decide(parent_tally, child_tally, data.tries(plan.planes, trainer.step))
    parent_figures, child_figures = (None if t is None else t.figures for t in (parent_tally, child_tally))
    read = tuple(p for p in plan.planes if data.readable(p.image, p.plane))
    if read != plan.planes:  # nothing was learned from planes that could not be read
        yield RunPlanned(request.id, msgspec.structs.replace(plan, planes=read))
    older = yield from _remembered(facts, data, parent, child)
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
        older=older,
        card=msgspec.to_builtins(card),
        advice="" if verdict.promoted else advice(plan, child_figures, trainer.step, stopped=stopped),
    )


def _remembered(
    facts: Facts, data: Dataset, parent: Model, child: Model
) -> Generator[Step, None, dict[str, Figures | None]]:
    """Figures of both on the finished images that the promoted version had learned from; empty if there are none."""
    promoted = data.promoted_version()
    target = finished_before(facts, learned_planes(data.card(promoted)) if promoted is not None else ())
    found: dict[str, Figures | None] = {}
    for side, model in (("parent", parent), ("child", child)) if target.tiles else ():
        counted = yield from _tally(model, data, target)
        found[side] = None if counted is None else counted.figures
    return found


def _best_before(
    shop: Workshop, request: Train, trainer: Trainer, data: Dataset, target: HeldOut
) -> Generator[Step, None, tuple[Model, Tally | None]]:
    """The current proposer: the promoted version or the instant learner, whichever is better on the held-out pixels.

    Before there is either, or where the version cannot be read and there is no other, it is the embedded guess.
    """
    plan, device = trainer.plan, trainer.device
    candidates: list[Model] = []
    promoted = data.promoted_version()
    if promoted is not None:
        try:
            candidates.append((yield from shop.model(promoted, str(device), data)))
        except (WeightsDamaged, NoSuchNetwork) as error:  # what was learned must not be lost over it
            yield _warned(request, " ".join((error.sentence, _("The run is not compared with it."))), trainer)
    instant = yield from shop.instant(device, data, plan.blocks, plan.margin_px)
    if instant is not None:
        candidates.append(instant)
    if not candidates:
        candidates.append((yield from shop.model(EMBEDDED, str(device), data)))
    measured: list[tuple[Model, Tally | None]] = []
    for model in candidates:
        measured.append((model, (yield from _tally(model, data, target))))
    return max(measured, key=lambda pair: -1.0 if pair[1] is None else pair[1].figures.mean_iou)


def _tally(model: Model, data: Dataset, target: HeldOut) -> Generator[Step, None, Tally | None]:
    found = None
    for found in tally(model, data, target):
        if found is None:
            yield None
    return found


def _new_plan(
    shop: Workshop, request: Train, data: Dataset, facts: Facts, device: torch.device
) -> Generator[Step, None, Plan]:
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
    return make_plan(
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


def _saved_plan(checkpoint: bytes) -> Plan:
    try:
        return msgspec.json.decode(metadata(checkpoint)["plan"], type=Plan)
    except (KeyError, msgspec.MsgspecError) as error:
        raise WeightsDamaged(_("The checkpoint of this run cannot be read."), todo=_("Start a new run.")) from error


def _on_device(shop: Workshop, plan: Plan, device: torch.device) -> Plan:
    """The plan of a run that goes on, on another device than it began on if that is gone."""
    if plan.device == str(device):
        return plan
    pools = plan.recipe.pool_patches > 0
    machine = shop.machine(device, plan.network, plan.recipe.patch_px, pools=pools)
    recipe = msgspec.structs.replace(plan.recipe, precision="bfloat16" if machine.bfloat16 else "float32")
    return msgspec.structs.replace(plan, device=machine.device, threads=machine.threads, recipe=recipe)


def _blobs(request: Train, kind: str, data: bytes) -> Generator[Step, None, None]:
    for start in range(0, len(data), CHUNK_BYTES):
        part = data[start : start + CHUNK_BYTES]
        yield Blob(request.id, kind, part, start + CHUNK_BYTES >= len(data))

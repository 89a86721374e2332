"""The engine's training job: facts, plan, run, gate; all results of a run are sent as messages."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import msgspec
import torch
from torch import nn

from segstudio.engine.agenda import Priority
from segstudio.engine.corrections import Corrections
from segstudio.engine.judging import judge
from segstudio.engine.planning import new_plan, on_device
from segstudio.engine.predicting import Step
from segstudio.engine.protocol import Done, Measured, RunEvent, RunPicture, RunPlanned, Train
from segstudio.engine.telling import all_of, blobs, preparing, warned
from segstudio.engine.workshop import Workshop, is_grey
from segstudio.errors import NotEnoughLabels, UnreadableImage, UserError, WeightsDamaged
from segstudio.learn.best import BestSoFar
from segstudio.learn.data import Dataset
from segstudio.learn.device import resolve, saying_memory, too_little_memory
from segstudio.learn.facts import Facts, Looked, survey
from segstudio.learn.gate import held_out, measure, pixels_of
from segstudio.learn.loop import train
from segstudio.learn.plan import not_learned
from segstudio.learn.preview import Preview
from segstudio.learn.trainer import Trainer, metadata
from segstudio.learn.versions import starting_network, trained_model, version_card
from segstudio.runs import Checkpointed, Evaluated, Figures, Plan, Stepped
from segstudio.text import _, count

__all__ = ["Stopping", "train_job"]

_TELL_S = 0.25
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
    yield from saying_memory(_train_job(shop, request, device, stopping), lambda: too_little_memory(device))


def _train_job(shop: Workshop, request: Train, device: torch.device, stopping: Stopping) -> Generator[Step, None, None]:
    yield Priority.TRAIN
    data = shop.view()
    facts = yield from _surveyed(request, data)
    missing = data.unreadable()
    if missing:
        yield warned(request, " ".join((all_of(missing), _("The run learns from the other images."))))
    yield preparing(request, _("Preparing the network"))
    saved = data.checkpoint(request.run) if request.resume else None
    try:
        plan = request.plan if saved is None else on_device(shop, _saved_plan(saved), device)
        if plan is None:
            plan = yield from new_plan(shop, request, data, facts, device)
    except NotEnoughLabels as error:
        if not missing:
            raise
        raise _nothing_left(missing) from error
    if gone := [c.name for c in plan.classes if c.id not in {there.id for there in facts.classes}]:
        raise _cannot_go_on(gone)
    torch.set_num_threads(plan.threads)
    yield RunPlanned(request.id, plan)
    if saved is None and (names := not_learned(facts, plan)):
        yield warned(request, _not_learned_words(names))
    trainer = Trainer(plan, starting_network(plan, data, data.classes(), is_grey(data)), device)
    repeated = request.plan is not None and not request.resume
    best = BestSoFar(trainer, watches=bool(plan.watched), follows=repeated)
    if saved is not None:
        trainer.restore(saved)
        best.restore(saved)
        trainer.plan = on_device(shop, trainer.plan, device)
    yield None
    surveyed = partial(_surveyed, request, quiet=True)
    source = Corrections(shop, facts, data, trainer, surveyed, picks_up=request.picks_up)
    try:
        yield from _run(shop, request, trainer, source, stopping, best)
    except UnreadableImage as error:
        raise _nothing_left(source.unreadable()) from error
    yield RunPlanned(request.id, trainer.plan)
    yield from judge(shop, request, trainer, source.facts, source.data, stopped=stopping.asked or bool(source.gone))
    yield Done(request.id)


def _surveyed(request: Train, data: Dataset, *, quiet: bool = False) -> Generator[Step, None, Facts]:
    """The facts of a project, yielding between planes; new ones go to the client, which keeps them. How far it is, is
    said unless it is `quiet`.
    """
    told = -math.inf
    for found in survey(data):
        if isinstance(found, Facts):
            return found
        if isinstance(found, Looked):
            entry = found.entry
            yield Measured(request.id, data.stamp(entry.image, entry.plane), found.facts)
            if not quiet and time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                yield preparing(request, _reading(found), found.done, found.total)
        yield None
    raise AssertionError("a survey ends with facts")


def _run(
    shop: Workshop,
    request: Train,
    trainer: Trainer,
    source: Corrections,
    stopping: Stopping,
    best: BestSoFar,
) -> Generator[Step, None, None]:
    facts, data = source.facts, source.data
    watched = held_out(facts, trainer.plan, _WATCHED_PX, watched=True)
    card = version_card(trainer.plan)
    half = shop.bfloat16(trainer.device, trainer.plan.network)
    preview = Preview(data, watched, trainer.plan.levels)

    def look(net: nn.Module) -> Iterator[Figures | None]:
        return measure(trained_model("", net, card, trainer.device, bfloat16=half), data, watched, preview.see)

    events = train(
        trainer,
        source.batch,
        look,
        evaluation_px=pixels_of(watched),
        elapsed_s=request.elapsed_s,
        stopping=lambda: stopping.asked or bool(source.gone),
    )
    plan, said, lost = _but_rates(trainer.plan), data.unreadable(), _LostSteps()
    ending = False
    for event in events:
        best.see(event)
        if isinstance(event, Stepped):
            yield from source.look()
        if source.gone and not ending:
            ending = True
            yield warned(request, _gone_words(source.gone), trainer)
        if _but_rates(trainer.plan) != plan:  # the rates of a decay go with the last plan and with checkpoints
            plan = _but_rates(trainer.plan)
            yield RunPlanned(request.id, trainer.plan)
        if damaged := [sentence for sentence in source.unreadable() if sentence not in said]:
            said = [*said, *damaged]
            sentence = " ".join((all_of(damaged), _("The run goes on without them.")))
            yield warned(request, sentence, trainer)
        if isinstance(event, Checkpointed):
            yield from blobs(request, "checkpoint", trainer.snapshot(best.tensors))
        if isinstance(event, Stepped) and lost.takes(event):
            yield warned(request, lost.sentence, trainer) if lost.is_first else None
        else:
            yield None if event is None else RunEvent(request.id, event)
        if isinstance(event, Evaluated):
            yield from _pictured(request, preview, event.step)
    yield from best.settled(look)


def _pictured(request: Train, preview: Preview, step: int) -> Iterator[Step]:
    """The held-out image as it was just measured; none where its file cannot be read, which is told elsewhere."""
    with suppress(UnreadableImage):
        picture = preview.picture(step)
        if picture is not None:
            yield RunPicture(request.id, picture)


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


def _cannot_go_on(names: Sequence[str]) -> UserError:
    return UserError(
        count(
            len(names),
            "This run cannot go on: {names} is no longer among the classes.",
            "This run cannot go on: {names} are no longer among the classes.",
            names=", ".join(names),
        ),
        safe=_("Everything painted is safe, and the previous version stays in use."),
        todo=_("Start a new run."),
    )


def _gone_words(names: Sequence[str]) -> str:
    return count(
        len(names),
        "{names} is no longer among the classes, so this run ends. The next one learns the labels as they are now.",
        "{names} are no longer among the classes, so this run ends. The next one learns the labels as they are now.",
        names=", ".join(names),
    )


def _nothing_left(broken: Sequence[str]) -> NotEnoughLabels:
    return NotEnoughLabels(
        " ".join((all_of(broken), _("The other images have too few labels to learn from."))),
        todo=_("Put the files back, or find them with 'segstudio relink' or Locate in the window."),
    )


def _saved_plan(checkpoint: bytes) -> Plan:
    try:
        return msgspec.json.decode(metadata(checkpoint)["plan"], type=Plan)
    except (KeyError, msgspec.MsgspecError) as error:
        raise WeightsDamaged(_("The checkpoint of this run cannot be read."), todo=_("Start a new run.")) from error

"""The training loop: a generator of events that knows no database. Closing it ends it; the averaged weights stay.

It yields None to let others have a turn. The same plan on the same data makes the same weights: all random numbers
follow from (seed, step), and a step's rate from the plan, into which the clock's decisions are written.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from torch import nn

from segstudio.learn.clocked import OPENED_COST, STOP_STEPS, ended, is_repeated, scheduled
from segstudio.learn.device import memory_mb
from segstudio.learn.pace import (
    EVALUATIONS,
    TIMED_STEPS,
    Clock,
    Pace,
    evaluates,
    settled,
    too_late,
    with_evaluations,
)
from segstudio.learn.pool import Encoded, Pool
from segstudio.learn.sampling import Batch
from segstudio.learn.schedules import rate_at
from segstudio.learn.trainer import Trainer
from segstudio.runs import (
    Checkpointed,
    Evaluated,
    Event,
    Figures,
    Finished,
    Preparing,
    Started,
    Stepped,
    Warned,
)
from segstudio.text import _, count

__all__ = ["Batches", "Measure", "Trainer", "train"]

Batches = Callable[[int, int | None], Batch]
"""The patches of a step: so many, or None for a whole batch."""

Measure = Callable[[nn.Module], Iterator[Figures | None]]
"""Held-out figures of a network in evaluation mode: None between tiles, the figures last; none if nothing is held
out."""

_CHECKPOINT_S = 20.0


def train(
    trainer: Trainer,
    batches: Batches,
    measure: Measure,
    *,
    evaluation_px: int,
    elapsed_s: float = 0.0,
    now: Callable[[], float] = time.monotonic,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Event | None, None, None]:
    """Run a plan from where the trainer is. `elapsed_s` had passed before; a measurement takes `evaluation_px`.

    The clock wins: no step and no measurement begins that, judged by those before it, would not end in time, but for
    one at the least rate where the last was not low: a run always ends on a low one. Where `stopping` says so, a few
    steps more bring it there. A plan that says where its run ended is followed to that step.
    """
    run = _Run(trainer, batches, Clock(now, max(elapsed_s, trainer.seconds)), stopping)
    clock = run.clock
    clock.start()
    timed: list[tuple[Stepped, float]] = []
    warned = False
    last_saved = clock.seconds
    if trainer.plan.steps is not None:
        trainer.plan = with_evaluations(trainer.plan, EVALUATIONS)
        yield _started(trainer, clock, trainer.step)
    else:
        yield _timing(trainer, 0)
    yield from run.pool.filled(trainer.step) if trainer.pools else ()
    looks = Pace()
    while run.goes_on():
        known = trainer.plan.in_parts
        event, took = run.step()
        if trainer.plan.in_parts != known and not warned:
            warned = True
            yield _in_parts(trainer)
        if trainer.plan.steps is None:
            timed.append((event, took))
            yield _timing(trainer, len(timed))
            if len(timed) < TIMED_STEPS:
                continue
            trainer.plan = settled(trainer.plan, [t for _, t in timed], trainer.step, clock.seconds, evaluation_px)
            yield _started(trainer, clock, trainer.step - len(timed))
            yield from (e for e, _ in timed)
        else:
            yield event
        if evaluates(trainer.plan, trainer.step) and not run.is_ending:
            yield from _evaluated(run, measure, looks)
        if clock.seconds - last_saved > _CHECKPOINT_S and trainer.step < (trainer.plan.steps or 0):
            last_saved = trainer.seconds = clock.seconds
            yield Checkpointed(step=trainer.step, seconds=clock.seconds, path="")
    if trainer.plan.steps is None:  # not even the timed steps fitted in
        trainer.plan = msgspec.structs.replace(trainer.plan, steps=trainer.step, stopped_at=trainer.step)
        yield _started(trainer, clock, trainer.step - len(timed))
        yield from (e for e, _ in timed)
    elif trainer.step < trainer.plan.steps:
        trainer.plan = msgspec.structs.replace(trainer.plan, stopped_at=trainer.step)
    trainer.seconds = clock.seconds
    yield Finished(step=trainer.step, seconds=clock.seconds, reason=run.reason)


@dataclass(slots=True)
class _Run:
    """Steps of a trainer, and whether there is another."""

    trainer: Trainer
    batches: Batches
    clock: Clock
    stopping: Callable[[], bool]
    pace: Pace = field(default_factory=Pace)
    reason: Literal["done", "stopped", "time"] = "done"
    is_ending: bool = False
    pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        recipe = self.trainer.plan.recipe
        self.pool = Pool(recipe.pool_patches, recipe.batch, self.batches, self.trainer.encoded)

    def goes_on(self) -> bool:
        """Whether another step is made; the end of a run begins here."""
        trainer = self.trainer
        if is_repeated(trainer.plan):
            return trainer.step < (trainer.plan.stopped_at or 0)
        if self.stopping():
            self._end("stopped", STOP_STEPS)
        elif self._is_over():
            self._end("time", 1)
        if trainer.plan.stopped_at is not None:
            return trainer.step < trainer.plan.stopped_at
        return trainer.plan.steps is None or trainer.step < trainer.plan.steps

    def step(self) -> tuple[Stepped, float]:
        """Make a step; its event and how long it took."""
        trainer, clock = self.trainer, self.clock
        before, opened = clock.now(), trainer.plan.opened_at
        trainer.plan = scheduled(trainer.plan, trainer.step, clock.seconds, self.pace.expected_s)
        if trainer.plan.opened_at != opened:
            self.pace = Pace(last=OPENED_COST * self.pace.expected_s)
        loss = trainer.learn(self._batch())
        took = clock.now() - before
        self.pace.add(took)
        trainer.seconds = clock.seconds
        return _stepped(trainer, loss, took), took

    def _batch(self) -> Batch | Encoded:
        trainer = self.trainer
        plan = trainer.plan
        batch = self.pool.batch(trainer.step, plan.seed) if trainer.pools else self.batches(trainer.step, None)
        if trainer.step == 0 and plan.recipe.fits_head:
            trainer.fit_head(batch)
        return batch

    def _end(self, reason: Literal["stopped", "time"], steps: int) -> None:
        if not self.is_ending:
            self.is_ending, self.reason = True, reason
            plan, step = self.trainer.plan, self.trainer.step
            left = steps if plan.steps is None else min(steps, plan.steps - step)
            self.trainer.plan = ended(plan, step, left) if left > 0 else plan

    def _is_over(self) -> bool:
        plan, step = self.trainer.plan, self.trainer.step
        if plan.stopped_at is not None and step >= plan.stopped_at:
            return True
        return step > 0 and too_late(plan, self.clock.seconds + self.pace.expected_s)


def _evaluated(run: _Run, measure: Measure, pace: Pace) -> Iterator[Event | None]:
    """Measure if there is time for it and a step more; given up between two windows if there turns out not to be."""
    trainer, clock = run.trainer, run.clock
    begun = before = clock.seconds
    step_s, longest = run.pace.expected_s, 0.0
    if too_late(trainer.plan, begun + pace.expected_s + step_s):
        return
    for figures in measure(trainer.averaged):
        longest, before = max(longest, clock.seconds - before), clock.seconds
        if figures is not None:
            pace.add(clock.seconds - begun)
            yield Evaluated(step=trainer.step, seconds=clock.seconds, held_out=figures)
            return
        yield None
        if too_late(trainer.plan, clock.seconds + longest + step_s):
            return


def _started(trainer: Trainer, clock: Clock, step: int) -> Started:
    """The steps after `step` are told next, those that were timed included."""
    plan = trainer.plan
    return Started(
        step=step,
        seconds=clock.seconds,
        steps=plan.steps or 0,
        max_seconds=plan.max_seconds,
        device=plan.device,
        threads=plan.threads,
        held_out_groups=plan.groups("held-out"),
        train_groups=plan.groups("train"),
        optimistic=plan.optimistic,
        parent=plan.base,
    )


def _timing(trainer: Trainer, done: int) -> Preparing:
    return Preparing(
        step=trainer.step, seconds=trainer.seconds, text=_("Timing the first steps"), done=done, total=TIMED_STEPS
    )


def _in_parts(trainer: Trainer) -> Warned:
    on = {"patches": trainer.plan.recipe.batch}
    if trainer.device.type == "cpu":
        sentence = count(
            trainer.parts,
            "The computer has too little memory for {patches} patches at once: they go through in {n} part.",
            "The computer has too little memory for {patches} patches at once: they go through in {n} parts.",
            **on,
        )
    else:
        sentence = count(
            trainer.parts,
            "The GPU has too little memory for {patches} patches at once: they go through in {n} part.",
            "The GPU has too little memory for {patches} patches at once: they go through in {n} parts.",
            **on,
        )
    return Warned(step=trainer.step, seconds=trainer.seconds, sentence=sentence)


def _stepped(trainer: Trainer, loss: float, took: float) -> Stepped:
    recipe = trainer.plan.recipe
    return Stepped(
        step=trainer.step,
        seconds=trainer.seconds,
        loss=loss,
        patches_per_second=recipe.batch / took if took > 0 else 0.0,
        rate=recipe.rate * rate_at(trainer.plan, trainer.step - 1),
        memory_mb=memory_mb(trainer.device),
    )

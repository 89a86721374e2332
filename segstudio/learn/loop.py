"""The training loop: a generator of events that knows no database. Closing it stops it; the averaged weights stay.

It yields None to let others have a turn. The same plan on the same data makes the same weights: all random numbers
follow from (seed, step), and a step's rate from the step alone.
"""

import time
from collections.abc import Callable, Generator, Iterator

import msgspec
from torch import nn

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

__all__ = ["Measure", "Trainer", "train"]

Measure = Callable[[nn.Module], Iterator[Figures | None]]
"""Held-out figures of a network in evaluation mode: None between tiles, the figures last; none if nothing is held
out."""

_CHECKPOINT_S = 20.0


def train(
    trainer: Trainer,
    batches: Callable[[int], Batch],
    measure: Measure,
    *,
    evaluation_px: int,
    elapsed_s: float = 0.0,
    now: Callable[[], float] = time.monotonic,
) -> Generator[Event | None, None, None]:
    """Run a plan from where the trainer is. `elapsed_s` had passed before; a measurement takes `evaluation_px`.

    The clock wins: no step and no measurement begins that, judged by those before it, would not end in time. The
    schedule keeps its length, and the plan records the step it stopped at.
    """
    clock = Clock(now, max(elapsed_s, trainer.seconds))
    clock.start()
    timed: list[tuple[Stepped, float]] = []
    warned = False
    last_saved = clock.seconds
    if trainer.plan.steps is not None:
        trainer.plan = with_evaluations(trainer.plan, EVALUATIONS)
        yield _started(trainer, clock)
    else:
        yield _timing(trainer, 0)
    steps, looks = Pace(), Pace()
    reason = "done"
    while trainer.plan.steps is None or trainer.step < trainer.plan.steps:
        if _is_over(trainer, clock.seconds, steps.expected_s):
            reason = "time"
            break
        before, known = clock.now(), trainer.plan.in_parts
        loss = trainer.learn(batches(trainer.step))
        took = clock.now() - before
        steps.add(took)
        trainer.seconds = clock.seconds
        event = _stepped(trainer, loss, took)
        if trainer.plan.in_parts != known and not warned:
            warned = True
            yield _in_parts(trainer)
        if trainer.plan.steps is None:
            timed.append((event, took))
            yield _timing(trainer, len(timed))
            if len(timed) < TIMED_STEPS:
                continue
            trainer.plan = settled(trainer.plan, [t for _, t in timed], trainer.step, clock.seconds, evaluation_px)
            yield _started(trainer, clock)
            yield from (e for e, _ in timed)
        else:
            yield event
        if evaluates(trainer.plan, trainer.step):
            yield from _evaluated(trainer, measure, clock, looks)
        if clock.seconds - last_saved > _CHECKPOINT_S and trainer.step < (trainer.plan.steps or 0):
            last_saved = trainer.seconds = clock.seconds
            yield Checkpointed(step=trainer.step, seconds=clock.seconds, path="")
    if trainer.plan.steps is None:  # not even the timed steps fitted in
        trainer.plan = msgspec.structs.replace(trainer.plan, steps=trainer.step, stopped_at=trainer.step)
        yield _started(trainer, clock)
        yield from (e for e, _ in timed)
    elif trainer.step < trainer.plan.steps:
        trainer.plan = msgspec.structs.replace(trainer.plan, stopped_at=trainer.step)
    trainer.seconds = clock.seconds
    yield Finished(step=trainer.step, seconds=clock.seconds, reason=reason)  # type: ignore[arg-type]


def _is_over(trainer: Trainer, seconds: float, step_s: float) -> bool:
    plan = trainer.plan
    if plan.stopped_at is not None and trainer.step >= plan.stopped_at:
        return True
    return trainer.step > 0 and too_late(plan, seconds + step_s)


def _evaluated(trainer: Trainer, measure: Measure, clock: Clock, pace: Pace) -> Iterator[Event | None]:
    """Measure if there is time for it; given up between two windows if there turns out not to be."""
    begun = before = clock.seconds
    longest = 0.0
    if too_late(trainer.plan, begun + pace.expected_s):
        return
    for figures in measure(trainer.averaged):
        longest, before = max(longest, clock.seconds - before), clock.seconds
        if figures is not None:
            pace.add(clock.seconds - begun)
            yield Evaluated(step=trainer.step, seconds=clock.seconds, held_out=figures)
            return
        yield None
        if too_late(trainer.plan, clock.seconds + longest):
            return


def _started(trainer: Trainer, clock: Clock) -> Started:
    plan = trainer.plan
    return Started(
        step=trainer.step,
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

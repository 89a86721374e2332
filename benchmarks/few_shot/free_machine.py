"""A budget in seconds as steps of a free machine, so that a busy one spoils no figure.

How long a step takes is measured once and written down (`Rates`). A budget of ours is then
turned into a plan: the program's own loop (`segstudio.learn.loop.train`) is run with a trainer that learns nothing and
a clock that goes on by those times. What the clock decides (how many steps, at which one the encoder opens, at which
one the rate falls and how far) it writes into the plan as in every run, and the engine follows a plan that says where
its run ended, whatever its own clock says. So a run by steps has just the phases of a run by the clock. `max_steps`
alone would not do: late stages open at three quarters of the steps then, which are far less than three quarters of the
time, for a step costs some four times as much from there on.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from segstudio.learn.loop import train
from segstudio.learn.networks import build
from segstudio.learn.sampling import Batch
from segstudio.learn.trainer import Trainer
from segstudio.runs import Figures, Plan

__all__ = ["Rates", "Took", "clocked", "plain_steps"]


class Took(msgspec.Struct, frozen=True):
    """How long a step took: the median of some, which is taken, and the least and the most."""

    median_s: float
    least_s: float
    most_s: float
    steps: int

    @staticmethod
    def of(seconds: list[float]) -> "Took":
        """Of the times of steps."""
        median, least, most = (round(f(seconds), 4) for f in (statistics.median, min, max))
        return Took(median, least, most, len(seconds))


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """How long steps of 8 patches take on this machine when it is free.

    Ours: the `first` (8 patches through the encoder, the head fitted), of the `decoder` on pooled patches, with `late`
    stages, of the `whole` network; measuring takes `measure_s` a megapixel. `plain`: of the plain recipe, from
    ImageNet's weights or from scratch. Runs are made at this `precision`. `clock` is that of the wall, or the processor
    time of the thread that makes the steps, where the machine was not free.
    """

    first: Took
    decoder: Took
    late: Took
    whole: Took
    plain: Took
    measure_s: float
    precision: str
    threads: int
    clock: str
    date: str
    measured_on: str
    machine: dict[str, object]

    @staticmethod
    def read(path: Path) -> "Rates":
        """What `write` wrote."""
        return msgspec.json.decode(path.read_bytes(), type=Rates)

    def write(self, path: Path) -> None:
        """As JSON that a person can read."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    def a_minute(self) -> dict[str, float]:
        """Steps of each kind in a minute."""
        kinds = {"decoder": self.decoder, "late": self.late, "whole": self.whole, "plain": self.plain}
        return {name: round(60 / took.median_s, 1) for name, took in kinds.items()}


def plain_steps(rates: Rates, seconds: float) -> int:
    """Steps of the plain recipe in this time."""
    return max(int(seconds / rates.plain.median_s), 1)


def clocked(plan: Plan, rates: Rates, held_out_px: int) -> Plan:
    """The plan of a run by the clock, with all that a free machine's clock decides. What it measures on the way, on
    so many pixels, takes its time here, but not in the run that follows the plan.
    """
    recipe = msgspec.structs.replace(plan.recipe, precision=rates.precision)
    trainer = _StandIn(msgspec.structs.replace(plan, recipe=recipe), rates)
    measuring = rates.measure_s * held_out_px / 1e6

    def measure(_net: nn.Module) -> Iterator[Figures]:
        trainer.clock_s += measuring
        yield Figures(0.0, 0.0, {})

    nothing = Batch(np.zeros((0, 0, 0, 0), np.float32), np.zeros((0, 0, 0), np.int64))
    run = train(trainer, lambda *_: nothing, measure, evaluation_px=held_out_px, now=lambda: trainer.clock_s)
    for _ in run:
        pass
    steps = trainer.step
    return msgspec.structs.replace(
        trainer.plan, steps=steps, stopped_at=steps, max_seconds=None, evaluate_every=steps + 1
    )


class _StandIn(Trainer):
    """A trainer that learns nothing; a step takes as long as on a free machine."""

    def __init__(self, plan: Plan, rates: Rates) -> None:
        super().__init__(plan, build("tiny", classes=2), torch.device("cpu"))
        self.clock_s = 0.0
        self._rates = rates

    @property
    def pools(self) -> bool:
        """There is nothing to keep."""
        return False

    def fit_head(self, batch: object) -> None:
        """Its time is part of the first step's."""

    def learn(self, batch: object) -> float:
        """The time of one more step goes by."""
        took = self._rates.decoder if self.step else self._rates.first
        if self.encoder_learns:
            took = self._rates.late if self.plan.recipe.late_stages else self._rates.whole
        self.clock_s += took.median_s
        self.step += 1
        return 0.0

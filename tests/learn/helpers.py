"""Short ways to facts, plans and runs for the tests of learning."""

import itertools
from collections.abc import Generator, Sequence

import numpy as np
import torch

from segstudio.learn.data import Dataset
from segstudio.learn.facts import Facts, survey
from segstudio.learn.loop import Measure, Trainer, train
from segstudio.learn.networks import build
from segstudio.learn.plan import Machine, make_plan
from segstudio.learn.predict import Model, predict_tiles
from segstudio.learn.sampling import Batch, Sampler
from segstudio.runs import Choices, Event, Plan, Preparing
from tests.learn.conftest import MemoryData

CPU = Machine("cpu", 1, False)
MEAN_STD = {"mean": (0.5,), "std": (0.5,)}


def facts_of(data: Dataset) -> Facts:
    """The facts of a data set."""
    return next(found for found in survey(data) if isinstance(found, Facts))


def tiny_plan(data: Dataset, **choices: object) -> Plan:
    """A plan for the tiny network from random weights."""
    chosen = Choices(network="tiny", **choices)  # type: ignore[arg-type]
    return make_plan(facts_of(data), chosen, CPU, base="scratch", **MEAN_STD)  # type: ignore[arg-type]


def tiny_trainer(plan: Plan) -> Trainer:
    """A trainer of the tiny network, the same at every call."""
    torch.manual_seed(plan.seed)
    return Trainer(plan, build("tiny", channels=plan.channels, classes=len(plan.classes)), torch.device("cpu"))


class Clock:
    """A clock on which a step takes `step_s` seconds and all else takes none; each step `slower` times the last, or
    each as long as the next of `steps`, over and over.
    """

    def __init__(self, step_s: float = 0.5, slower: float = 1.0, steps: Sequence[float] = ()) -> None:
        self.time = 0.0
        self.step_s = step_s
        self.slower = slower
        self._steps = itertools.cycle(steps) if steps else None

    def __call__(self) -> float:
        return self.time

    def step(self) -> None:
        self.time += self.step_s if self._steps is None else next(self._steps)
        self.step_s *= self.slower


def events_of(
    trainer: Trainer,
    data: Dataset,
    clock: Clock | None = None,
    measure: Measure = lambda _net: iter(()),
    **options: object,
) -> Generator[Event | None, None, None]:
    """The generator of a run's events."""
    sampler = Sampler(facts_of(data), trainer.plan, data)
    clock = clock or Clock()

    def batch(step: int, count: int | None) -> Batch:
        clock.step()
        return sampler.batch(step, count)

    options = {"evaluation_px": 0, **options}
    return train(trainer, batch, measure, now=clock, **options)  # type: ignore[arg-type]


def run_to_end(trainer: Trainer, data: Dataset, clock: Clock | None = None, **options: object) -> list[Event]:
    """All events of a run but those that say what is being prepared."""
    every = events_of(trainer, data, clock, **options)  # type: ignore[arg-type]
    return [event for event in every if event is not None and not isinstance(event, Preparing)]


def classes_of(model: Model, data: MemoryData, **options: object) -> np.ndarray:
    """The output at each pixel of the first plane, -1 where none was made; no pixel comes twice."""
    entry = data.planes()[0]
    out = np.full((entry.height, entry.width), -1)
    for found in predict_tiles(model, data, entry, **options):  # type: ignore[arg-type]
        if found is not None:
            rect = found.rect
            assert (out[rect.y : rect.bottom, rect.x : rect.right] == -1).all()
            out[rect.y : rect.bottom, rect.x : rect.right] = found.values.argmax(0)
    return out

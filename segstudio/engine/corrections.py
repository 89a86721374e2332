"""What is painted while a run is under way, learned in that run: looked for between its steps."""

import time
from collections.abc import Callable, Generator

import msgspec

from segstudio.engine.predicting import Step
from segstudio.engine.workshop import Workshop
from segstudio.learn.data import Dataset
from segstudio.learn.facts import Facts
from segstudio.learn.plan import planes_of
from segstudio.learn.sampling import Batch, Sampler
from segstudio.learn.trainer import Trainer
from segstudio.runs import Plan

__all__ = ["Corrections", "Surveyed"]

_EVERY_S = 5.0
_LEAST_PAUSES = 20.0
"""So many times as long as a look took, the next one waits: the looks are at most a twentieth of a run's time."""

Surveyed = Callable[[Dataset], Generator[Step, None, Facts]]
"""Measures a data set, telling the client of each plane that it measured."""


class Corrections:
    """The data, the facts and the sampler of a run; with `picks_up` they follow the labels while it learns.

    Newer labels are those of groups that the run began with. The labels of a plane are read whole at one moment. What
    the run learned from stands in its plan: the edit of each plane, and at which steps newer labels were picked up.
    """

    def __init__(
        self,
        shop: Workshop,
        facts: Facts,
        data: Dataset,
        trainer: Trainer,
        surveyed: Surveyed,
        *,
        picks_up: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        # Whether a new group trains or is held out is settled when the next run begins: until then it does neither.
        self._groups = frozenset(plane.group for plane in trainer.plan.planes)
        self.facts, self.data = facts.only(self._groups) if picks_up else facts, data
        if picks_up and planes_of(self.facts) != trainer.plan.planes:  # it goes on from a checkpoint, on newer labels
            trainer.plan = _with_labels_of(self.facts, trainer)
        self._shop, self._trainer, self._surveyed = shop, trainer, surveyed
        self._first = data
        self._sampler = Sampler(self.facts, trainer.plan, data)
        self._refused = -1
        self.gone: tuple[str, ...] = ()
        """Names of classes that the run learns and that are no longer there: it is to end, so that the next one learns
        what is painted of the others."""
        self._picks_up, self._now = picks_up, now
        self._next = now() + _EVERY_S

    def batch(self, step: int, count: int | None = None) -> Batch:
        """The patches of a step, as `Sampler.batch`."""
        return self._sampler.batch(step, count)

    def unreadable(self) -> list[str]:
        """A sentence for each image that cannot be read: of what is learned now, and of what is watched, which is as it
        was when the run began.
        """
        return list(dict.fromkeys([*self._first.unreadable(), *self.data.unreadable()]))

    def look(self) -> Generator[Step, None, None]:
        """Take up newer labels, if it is time and there are any."""
        if not self._picks_up or self.gone or self._now() < self._next:
            return
        spent, begun = 0.0, self._now()
        if self.data.newest_edit() not in (self.data.last_edit(), self._refused):
            for step in self._take():
                spent += self._now() - begun
                yield step
                begun = self._now()  # what others do in between is no reason to look less often
        spent += self._now() - begun
        self._next = self._now() + max(_EVERY_S, _LEAST_PAUSES * spent)

    def _take(self) -> Generator[Step, None, None]:
        data = self._shop.view()
        there = {c.id for c in data.classes()}
        self.gone = tuple(c.name for c in self._trainer.plan.classes if c.id not in there)
        if self.gone:
            return
        facts = (yield from self._surveyed(data)).only(self._groups)
        trainer = self._trainer
        plan = _with_labels_of(facts, trainer)
        sampler = Sampler(facts, plan, data)
        if sampler.is_empty:
            self._refused = facts.last_edit
            return
        self.data, self.facts, self._sampler = data, facts, sampler
        trainer.plan = plan


def _with_labels_of(facts: Facts, trainer: Trainer) -> Plan:
    """The plan of a run that learns from these labels from now on."""
    picked_up = (*trainer.plan.picked_up, (trainer.step, facts.last_edit))
    return msgspec.structs.replace(trainer.plan, planes=planes_of(facts), picked_up=picked_up)

"""How long the pieces of a run take, and how many fit into its time."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from segstudio.runs import Plan

__all__ = [
    "EVALUATIONS",
    "TIMED_STEPS",
    "Clock",
    "Pace",
    "ema_steps",
    "evaluates",
    "settled",
    "too_late",
    "with_evaluations",
]

TIMED_STEPS = 3
"""Steps by which the length of a run is judged that has none yet."""
EVALUATIONS = 5
_EVALUATION_SHARE = 0.12
_USED = 0.97
_EMA_SHARE, _EMA_LEAST = 10, 10


@dataclass(slots=True)
class Clock:
    """Seconds since the first step began, including those before a resume."""

    now: Callable[[], float]
    offset: float
    begun: float = 0.0

    def start(self) -> None:
        """The first step begins."""
        self.begun = self.now()

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self.offset + self.now() - self.begun


@dataclass(slots=True)
class Pace:
    """How long the next piece of work may take, from those before it: running mean and mean deviation, as for round
    trips in a network (Jacobson, Congestion Avoidance and Control, 1988, appendix A), and never less than the last.
    """

    mean: float = 0.0
    deviation: float = 0.0
    last: float = 0.0
    known: bool = False

    def add(self, took: float) -> None:
        """One more piece is done."""
        off = took - self.mean if self.known else 0.0
        self.mean = self.mean + off / 4 if self.known else took
        self.deviation += (abs(off) - self.deviation) / 4
        self.last, self.known = took, True

    @property
    def expected_s(self) -> float:
        """How long the next piece may take; 0 while none is known."""
        return max(self.mean + 2 * self.deviation, self.last)


def too_late(plan: Plan, seconds: float) -> bool:
    """Whether a run of this plan has no more time by then."""
    return plan.max_seconds is not None and seconds > plan.max_seconds


def settled(plan: Plan, took: list[float], step: int, seconds: float, evaluation_px: int) -> Plan:
    """The plan with the number of steps that fit into the remaining time, evaluations included.

    `took` are the seconds of the timed steps, `evaluation_px` how many pixels a measurement looks at.
    """
    step_s = min(took[1:])  # an upper bound: where steps turn out slower, the clock ends the run
    left = max((plan.max_seconds or 0.0) * _USED - seconds, 0.0)
    per_px = step_s / (plan.recipe.batch * plan.recipe.patch_px**2) / 3  # a forward pass is a third of a step
    measure_s = evaluation_px * per_px
    evaluations = min(EVALUATIONS, int(left * _EVALUATION_SHARE / measure_s)) if measure_s > 0 else 0
    steps = step + max(int((left - evaluations * measure_s) / step_s), 1)
    if plan.max_steps is not None:
        steps = min(steps, plan.max_steps)
    recipe = msgspec.structs.replace(plan.recipe, ema_steps=ema_steps(steps))
    return with_evaluations(msgspec.structs.replace(plan, steps=steps, recipe=recipe), evaluations)


def ema_steps(steps: int) -> int:
    """How many steps back the average of a run of this length reaches: a tenth, but over the rate's ups and downs."""
    return max(steps // _EMA_SHARE, _EMA_LEAST)


def with_evaluations(plan: Plan, evaluations: int) -> Plan:
    """The plan with so many measurements on its way, unless it says when or has no length yet."""
    if plan.evaluate_every or plan.steps is None or evaluations < 1:
        return plan
    return msgspec.structs.replace(plan, evaluate_every=max(-(-plan.steps // (evaluations + 1)), 1))


def evaluates(plan: Plan, step: int) -> bool:
    """Whether a measurement comes after this many steps."""
    return plan.evaluate_every > 0 and step % plan.evaluate_every == 0 and step < (plan.steps or 0)

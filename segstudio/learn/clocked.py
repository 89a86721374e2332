"""What the clock decides in a run, written into its plan: when the encoder opens, when the rate falls, and how far.

The rate stays at its highest until three quarters of the time or of the steps are over, then falls with what is left,
so that a run ends at 5 % of it or less however busy the machine becomes; a repeated plan follows what is written.
"""

import msgspec

from segstudio.learn.schedules import CLOCKED, rate_at
from segstudio.runs import Plan

__all__ = ["OPENED_COST", "STOP_STEPS", "ended", "is_low", "is_repeated", "scheduled"]

STOP_STEPS = 5
"""Steps of a run that was asked to stop, on which its rate falls."""
OPENED_COST = 4
"""A step in which the encoder learns takes up to so many times as long as one of the decoder alone."""
_DECAY_FROM = 0.75
_LOW, _LEAST = 0.05, 0.02
_OPENED_STEPS = 4


def is_repeated(plan: Plan) -> bool:
    """Whether a plan says where its run ended: it is followed, whatever the clock says."""
    return plan.recipe.schedule == CLOCKED and plan.stopped_at is not None


def is_low(plan: Plan, step: int) -> bool:
    """Whether the last of so many steps was made at a rate at which a run may end."""
    return plan.recipe.schedule != CLOCKED or step == 0 or rate_at(plan, step - 1) <= _LOW


def scheduled(plan: Plan, step: int, seconds: float, step_s: float) -> Plan:
    """The plan with what is decided for a step that begins after so many seconds and may take `step_s`."""
    if plan.recipe.schedule != CLOCKED or is_repeated(plan):
        return plan
    now = _along(plan, step, seconds)
    if plan.opened_at is None and 0 < plan.recipe.encoder_opens <= now and _has_room(plan, seconds, step_s):
        plan = msgspec.structs.replace(plan, opened_at=step)
        step_s *= OPENED_COST
    last = _along(plan, step + 1, seconds + step_s) >= 1 or _is_over(plan, step + 1, seconds + 2 * step_s)
    if plan.decay_at is None and (now >= _DECAY_FROM or last):
        plan = msgspec.structs.replace(plan, decay_at=step)
    if plan.decay_at is None or step < plan.decay_at + len(plan.decay):
        return plan
    after = _along(plan, step + 1, seconds + step_s)
    share = min((1 - after) / (1 - _DECAY_FROM), *(plan.decay[-1:] or (1.0,)), _LOW if last else 1.0)
    return _falling(plan, (max(share, _LEAST),))


def ended(plan: Plan, step: int, steps: int) -> Plan:
    """The plan of a run that ends after so many more steps, on which its rate falls; at once if it is low already."""
    if plan.recipe.schedule != CLOCKED or is_low(plan, step):
        return msgspec.structs.replace(plan, stopped_at=step)
    if plan.decay_at is None:
        plan = msgspec.structs.replace(plan, decay_at=step)
    plan = msgspec.structs.replace(plan, decay=plan.decay[: step - (plan.decay_at or 0)])
    share = rate_at(plan, step - 1)
    falling = (*(max(share * (1 - i / steps), _LEAST) for i in range(1, steps)), _LEAST)
    return msgspec.structs.replace(_falling(plan, falling), stopped_at=step + steps)


def _falling(plan: Plan, shares: tuple[float, ...]) -> Plan:
    return msgspec.structs.replace(plan, decay=plan.decay + tuple(round(share, 4) for share in shares))


def _along(plan: Plan, step: int, seconds: float) -> float:
    """Which share of the run is over: of its time or of its steps, whichever is more."""
    limits = [step / plan.steps if plan.steps else 0.0, seconds / plan.max_seconds if plan.max_seconds else 0.0]
    return max(limits)


def _is_over(plan: Plan, step: int, seconds: float) -> bool:
    """Whether no step that begins then ends within the run."""
    return (plan.steps is not None and step >= plan.steps) or (
        plan.max_seconds is not None and seconds > plan.max_seconds
    )


def _has_room(plan: Plan, seconds: float, step_s: float) -> bool:
    """Whether some steps of an encoder that learns still fit in."""
    needed = _OPENED_STEPS * OPENED_COST * step_s
    return plan.max_seconds is None or seconds + needed <= plan.max_seconds

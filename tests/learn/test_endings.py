"""However a run ends, its last rate is low, and what the clock decided is in the plan."""

from collections.abc import Callable

import msgspec
import pytest
import torch

from segstudio.learn.schedules import rate_at
from segstudio.runs import Checkpointed, Finished, Plan, Stepped
from tests.learn.conftest import MemoryData
from tests.learn.helpers import Clock, events_of, run_to_end, tiny_plan, tiny_trainer


def _read(plan: Plan) -> Plan:
    return msgspec.json.decode(msgspec.json.encode(plan), type=Plan)


def _rates(plan: Plan, steps: int) -> list[float]:
    return [rate_at(plan, step) for step in range(steps)]


class _Busy(Clock):
    """A clock on which every step from the fourth on takes five times as long: somebody paints meanwhile."""

    def step(self) -> None:
        super().step()
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == 3:
            self.step_s *= 5


_CLOCKS: dict[str, Callable[[], Clock]] = {
    "steady": lambda: Clock(0.5),
    "busy": lambda: _Busy(0.5),
    "slower": lambda: Clock(0.5, slower=1.05),
    "faster": lambda: Clock(0.5, slower=0.97),
    "uneven": lambda: Clock(steps=(0.3, 0.2, 1.1, 0.2)),
}


@pytest.mark.parametrize("clock", _CLOCKS)
@pytest.mark.parametrize("seconds", [3.0, 11.0])
def test_a_run_of_some_time_ends_low_however_busy_the_machine_becomes(
    discs: MemoryData, clock: str, seconds: float
) -> None:
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=seconds))
    events = run_to_end(trainer, discs, _CLOCKS[clock]())
    steps = [e for e in events if isinstance(e, Stepped)]
    plan = _read(trainer.plan)
    rates = _rates(plan, trainer.step)
    assert [e.rate for e in steps] == pytest.approx([plan.recipe.rate * rate for rate in rates])
    assert rates[-1] <= 0.05
    assert rates[plan.decay_at :] == sorted(rates[plan.decay_at :], reverse=True)
    assert all(e.seconds <= seconds for e in steps[:-2])  # but for the step under way, and one at the least rate


def test_the_decay_begins_at_three_quarters_of_the_time(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=40.0))
    run_to_end(trainer, discs, Clock(0.5))
    assert trainer.plan.decay_at == pytest.approx(0.75 * trainer.step, abs=2)
    assert len(trainer.plan.decay) == trainer.step - trainer.plan.decay_at


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 12, 40])
def test_a_run_of_some_steps_ends_low(discs: MemoryData, steps: int):
    trainer = tiny_trainer(tiny_plan(discs, max_steps=steps))
    run_to_end(trainer, discs)
    assert trainer.step == steps
    assert rate_at(_read(trainer.plan), steps - 1) <= 0.05


@pytest.mark.parametrize("asked_at", [1, 2, 7, 20, 33, 39])
@pytest.mark.parametrize("limit", [{"max_steps": 40}, {"max_seconds": 20.0}])
def test_a_run_that_is_asked_to_stop_makes_five_steps_to_a_low_rate(
    discs: MemoryData, asked_at: int, limit: dict[str, float]
) -> None:
    trainer = tiny_trainer(tiny_plan(discs, **limit))
    events = run_to_end(trainer, discs, Clock(0.5), stopping=lambda: trainer.step >= asked_at)
    plan = _read(trainer.plan)
    rates = _rates(plan, trainer.step)
    assert rates[-1] <= 0.05
    assert trainer.step <= asked_at + 5
    assert rates[plan.decay_at :] == sorted(rates[plan.decay_at :], reverse=True)
    if 5 <= asked_at < 30:
        assert rates[asked_at:] == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.02])
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == "stopped"
        assert plan.stopped_at == trainer.step


@pytest.mark.parametrize("how", ["time", "stopped"])
def test_the_plan_of_a_run_that_ended_early_gives_the_same_bits_again(discs: MemoryData, how: str):
    first = tiny_trainer(tiny_plan(discs, max_seconds=8.0))
    asked = 7 if how == "stopped" else 1000
    run_to_end(first, discs, _Busy(0.3), stopping=lambda: first.step >= asked)
    again = tiny_trainer(_read(first.plan))
    run_to_end(again, discs, Clock(100.0))  # a machine on which nothing would fit in
    assert again.step == first.step
    pairs = zip(first.averaged.state_dict().values(), again.averaged.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_run_that_was_cut_in_its_decay_goes_on_with_it(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=100.0))
    saved = b""
    for event in events_of(trainer, discs, Clock(2.0)):
        if isinstance(event, Checkpointed):
            saved = trainer.snapshot()
    resumed = tiny_trainer(trainer.plan)
    resumed.restore(saved)
    begun = resumed.step
    assert resumed.plan.decay_at is not None
    assert resumed.plan.decay_at < begun < trainer.step
    run_to_end(resumed, discs, Clock(2.0))
    assert _rates(resumed.plan, begun) == _rates(trainer.plan, begun)
    assert rate_at(resumed.plan, resumed.step - 1) <= 0.05

"""A run by steps is the run that a free machine's clock would have made."""

from types import ModuleType
from typing import Any

import msgspec
import pytest

from segstudio.learn.schedules import rate_at
from segstudio.runs import EMBEDDED, Choices, Plan
from tests.benchmarks.conftest import Load
from tests.learn.conftest import MemoryData
from tests.learn.helpers import CPU, Clock, facts_of, make_plan, run_to_end, tiny_plan, tiny_trainer

DECODER, LATE, WHOLE, FIRST = 0.35, 0.8, 0.9, 0.75


@pytest.fixture
def free(benchmark: Load) -> ModuleType:
    """benchmarks/few_shot/free_machine.py."""
    return benchmark("few_shot.free_machine")


def _rates(free: ModuleType, *, slower: float = 1.0, measure_s: float = 0.8) -> Any:
    kinds = {"first": FIRST, "decoder": DECODER, "late": LATE, "whole": WHOLE, "plain": 2.0}
    return free.Rates(
        **{kind: free.Took(slower * s, slower * s, slower * s, 9) for kind, s in kinds.items()},
        measure_s=measure_s,
        precision="bfloat16",
        threads=2,
        clock="processor",
        date="2026-01-01",
        measured_on="discs",
        machine={"cores": 2},
    )


def _plan(discs: MemoryData, seconds: float) -> Plan:
    return make_plan(facts_of(discs), Choices(max_seconds=seconds), CPU, base=EMBEDDED, mean=(0.5,), std=(0.5,))


def _seconds(plan: Plan, late: float = LATE) -> list[float]:
    """When each step of a plan ends on a free machine that measures nothing."""
    ends, now = [], 0.0
    for step in range(plan.steps or 0):
        opened = plan.opened_at is not None and step >= plan.opened_at
        now += late if opened else DECODER if step else FIRST
        ends.append(now)
    return ends


def test_late_stages_open_at_three_quarters_of_the_time_and_not_of_the_steps(free: ModuleType, discs: MemoryData):
    plan = _plan(discs, 60.0)
    recipe = msgspec.structs.replace(plan.recipe, encoder_opens=0.75, late_stages=True)
    plan = free.clocked(msgspec.structs.replace(plan, recipe=recipe), _rates(free), 0)
    ends = _seconds(plan)
    assert 0.72 * 60 <= ends[plan.opened_at - 1] <= 0.75 * 60 + DECODER
    assert 60.0 - 2 * LATE <= ends[-1] <= 60.0
    assert plan.opened_at / plan.steps > 0.85
    assert rate_at(plan, plan.opened_at - 1) == 1.0
    assert rate_at(plan, plan.steps - 1) <= 0.05


def test_a_long_run_is_planned_as_one_and_its_whole_network_learns(free: ModuleType, discs: MemoryData):
    plan = free.clocked(_plan(discs, 240.0), _rates(free), 0)
    assert not plan.recipe.late_stages
    ends = _seconds(plan, WHOLE)
    assert 0.24 * 240 <= ends[plan.opened_at - 1] <= 0.25 * 240 + DECODER
    assert 240.0 - 2 * WHOLE <= ends[-1] <= 240.0


def test_what_a_run_measures_on_its_way_costs_it_steps(free: ModuleType, discs: MemoryData):
    nothing = free.clocked(_plan(discs, 60.0), _rates(free), 0)
    much = free.clocked(_plan(discs, 60.0), _rates(free, measure_s=2.0), 1_000_000)
    assert nothing.steps - 40 < much.steps < nothing.steps - 3


def test_a_slower_machine_makes_fewer_steps(free: ModuleType, discs: MemoryData):
    fast, slow = (free.clocked(_plan(discs, 60.0), _rates(free, slower=s), 0) for s in (1.0, 2.0))
    assert fast.steps / 2.1 < slow.steps < fast.steps / 1.9
    assert free.plain_steps(_rates(free), 60.0) == 30
    assert free.plain_steps(_rates(free, slower=2.0), 60.0) == 15


def test_the_engine_follows_such_a_plan_however_slow_its_own_clock_makes_it_look(free: ModuleType, discs: MemoryData):
    made = free.clocked(tiny_plan(discs, max_seconds=20.0), _rates(free), 0)
    made = msgspec.structs.replace(made, recipe=msgspec.structs.replace(made.recipe, precision="float32"))
    trainer = tiny_trainer(made)
    run_to_end(trainer, discs, Clock(500.0))
    assert (
        trainer.step == made.steps == 21
    )  # the tiny network is from scratch: 0.9 s a step, of 20 less what settles it
    assert trainer.plan == made


def test_rates_are_read_as_they_were_written(free: ModuleType, tmp_path: Any):
    rates = _rates(free)
    rates.write(tmp_path / "rates.json")
    assert free.Rates.read(tmp_path / "rates.json") == rates
    assert rates.a_minute() == {"decoder": 171.4, "late": 75.0, "whole": 66.7, "plain": 30.0}

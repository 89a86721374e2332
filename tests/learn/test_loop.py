import itertools
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
import torch

from segstudio.errors import WeightsDamaged
from segstudio.learn.sampling import Sampler
from segstudio.runs import Checkpointed, Evaluated, Figures, Finished, Plan, Started, Stepped
from tests.learn.conftest import MemoryData
from tests.learn.helpers import Clock, events_of, facts_of, run_to_end, tiny_plan, tiny_trainer


def _same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_same_plan_gives_the_same_bits(discs: MemoryData):
    plan = tiny_plan(discs, max_steps=6)
    a, b = tiny_trainer(plan), tiny_trainer(plan)
    losses = [[e.loss for e in run_to_end(t, discs) if isinstance(e, Stepped)] for t in (a, b)]
    assert losses[0] == losses[1]
    assert _same(a.averaged, b.averaged)
    other = tiny_trainer(msgspec.structs.replace(plan, seed=1))
    run_to_end(other, discs)
    assert not _same(a.averaged, other.averaged)


def test_a_timed_run_repeated_from_its_final_plan_gives_the_same_bits(discs: MemoryData):
    first = tiny_trainer(tiny_plan(discs, max_seconds=4.0))
    run_to_end(first, discs, clock=Clock())
    plan = msgspec.json.decode(msgspec.json.encode(first.plan), type=Plan)
    again = tiny_trainer(plan)
    run_to_end(again, discs, clock=Clock(0.0))
    assert again.step == first.step
    assert _same(first.averaged, again.averaged)


def test_a_resumed_run_ends_in_the_same_bits_as_one_that_was_not_cut(discs: MemoryData):
    plan = tiny_plan(discs, max_steps=8)
    whole, cut = tiny_trainer(plan), tiny_trainer(plan)
    run_to_end(whole, discs)
    events = events_of(cut, discs)
    for event in events:
        if isinstance(event, Stepped) and event.step == 4:
            break
    saved = cut.snapshot()
    events.close()
    resumed = tiny_trainer(msgspec.structs.replace(plan, seed=5))
    resumed.restore(saved)
    assert (resumed.step, resumed.plan) == (4, cut.plan)
    run_to_end(resumed, discs)
    assert _same(whole.net, resumed.net)
    assert _same(whole.averaged, resumed.averaged)


def test_the_average_is_over_all_steps_first_and_then_looks_back_over_so_many(discs: MemoryData):
    """Also where a run goes on from a checkpoint, which says nothing of how far the average is but its step."""
    trainer = tiny_trainer(tiny_plan(discs, max_steps=9))
    recipe = msgspec.structs.replace(trainer.plan.recipe, ema_steps=3)
    trainer.plan = msgspec.structs.replace(trainer.plan, recipe=recipe)
    sampler = Sampler(facts_of(discs), trainer.plan, discs)
    naive = {name: value.clone() for name, value in trainer.averaged.state_dict().items()}
    for step in range(1, 10):
        if step == 6:
            saved = trainer.snapshot()
            trainer = tiny_trainer(trainer.plan)
            trainer.restore(saved)
        trainer.learn(sampler.batch(step - 1))
        for name, value in trainer.net.state_dict().items():
            if value.is_floating_point():
                naive[name] += (value - naive[name]) / min(step, 3)
            else:
                naive[name] = value.clone()
        for name, value in trainer.averaged.state_dict().items():
            torch.testing.assert_close(value, naive[name], rtol=1e-5, atol=1e-6)
    assert not any(parameter.requires_grad for parameter in trainer.averaged.parameters())


def test_a_damaged_checkpoint_is_said_so(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_steps=2))
    saved = trainer.snapshot()
    for broken in (b"", saved[:50], saved[:-100]):
        with pytest.raises(WeightsDamaged):
            tiny_trainer(trainer.plan).restore(broken)


def test_it_learns_what_is_bright(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_steps=40))
    losses = [e.loss for e in run_to_end(trainer, discs) if isinstance(e, Stepped)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_events_come_in_order_and_the_clock_never_goes_back(discs: MemoryData):
    events = run_to_end(tiny_trainer(tiny_plan(discs, max_seconds=5.0)), discs, clock=Clock())
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    steps = [e.step for e in events if isinstance(e, Stepped)]
    assert steps == list(range(1, len(steps) + 1))
    seconds = [e.seconds for e in events if isinstance(e, Stepped)]
    assert all(a <= b for a, b in itertools.pairwise(seconds))


def test_a_run_whose_first_steps_were_timed_says_that_it_starts_before_them(discs: MemoryData):
    events = run_to_end(tiny_trainer(tiny_plan(discs, max_seconds=5.0)), discs, clock=Clock())
    started = [e.step for e in events if isinstance(e, Started)]
    assert started == [0]


def test_a_run_ends_in_time_where_steps_become_slower(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=10.0))
    events = run_to_end(trainer, discs, Clock(0.5, slower=1.05))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert finished.reason == "time"
    assert finished.seconds <= 10.0
    assert trainer.plan.steps == started.steps > trainer.step
    assert trainer.plan.stopped_at == trainer.step


@pytest.mark.parametrize("max_seconds", [5.0, 6.5, 8.0, 9.3])
def test_a_run_ends_in_time_where_steps_and_measurements_take_now_long_now_short(discs: MemoryData, max_seconds: float):
    clock = Clock(steps=(0.3, 0.2, 1.1, 0.2))

    def measure(_net: torch.nn.Module) -> Iterator[Figures | None]:
        for _ in range(3):
            clock.time += 0.4
            yield None
        yield Figures(loss=1.0, mean_iou=0.5, iou={})

    trainer = tiny_trainer(tiny_plan(discs, max_seconds=max_seconds))
    events = run_to_end(trainer, discs, clock, measure=measure, evaluation_px=1)
    assert any(isinstance(e, Evaluated) for e in events)
    assert max_seconds - 2.5 < events[-1].seconds <= max_seconds + 1.1  # the one at the least rate may come after
    assert [e for e in events if isinstance(e, Stepped)][-2].seconds <= max_seconds
    assert trainer.plan.stopped_at in (None, trainer.step)


def test_a_measurement_that_would_not_end_in_time_is_given_up(discs: MemoryData):
    clock = Clock(0.1)

    def endless(_net: torch.nn.Module) -> Iterator[Figures | None]:
        while True:
            clock.time += 0.5
            yield None

    trainer = tiny_trainer(tiny_plan(discs, max_seconds=4.0))
    events = run_to_end(trainer, discs, clock, measure=endless, evaluation_px=1)
    assert events[-1].seconds <= 4.0


def test_even_too_little_time_makes_a_step_and_one_at_the_least_rate(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=0.01))
    events = run_to_end(trainer, discs, clock=Clock())
    assert [type(e) for e in events] == [Started, Stepped, Stepped, Finished]
    assert (trainer.step, trainer.plan.steps) == (2, 2)


def test_steps_and_seconds_bound_a_run_together(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=100.0, max_steps=7))
    run_to_end(trainer, discs, clock=Clock())
    assert trainer.step == 7


def test_seconds_that_passed_before_a_resume_count(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=10.0))
    events = run_to_end(trainer, discs, clock=Clock(), elapsed_s=9.0)
    assert events[-1].seconds <= 10.0
    assert events[-1].seconds > 9.0


def test_closing_is_stopping_and_the_average_stays(discs: MemoryData):
    trainer = tiny_trainer(tiny_plan(discs, max_steps=50))
    events = events_of(trainer, discs)
    while trainer.step < 3:
        next(events)
    events.close()
    assert trainer.step == 3
    assert not trainer.averaged.training
    assert all(torch.isfinite(v).all() for v in trainer.averaged.state_dict().values())


def test_it_is_measured_a_few_times_and_saved_every_twenty_seconds(discs: MemoryData):
    figures = Figures(loss=1.0, mean_iou=0.5, iou={})
    trainer = tiny_trainer(tiny_plan(discs, max_seconds=100.0, max_steps=30))
    events = list(events_of(trainer, discs, Clock(3.0), lambda _net: iter([None, figures]), evaluation_px=1000))
    measured = [e for e in events if isinstance(e, Evaluated)]
    assert 3 <= len(measured) <= 6
    assert None in events
    saved = [e for e in events if isinstance(e, Checkpointed)]
    assert saved
    assert all(b.seconds - a.seconds > 20 for a, b in itertools.pairwise(saved))


def test_a_step_without_a_finite_gradient_changes_nothing(discs: MemoryData):
    """Neither weights nor running statistics nor the average of both: once in, a NaN would stay there for ever."""
    trainer = tiny_trainer(tiny_plan(discs, max_steps=5))
    sampler = Sampler(facts_of(discs), trainer.plan, discs)
    trainer.learn(sampler.batch(0))
    nets = (trainer.net, trainer.averaged)
    before = [{k: v.clone() for k, v in net.state_dict().items()} for net in nets]
    batch = sampler.batch(1)
    batch.pixels[0, 0, 0, 0] = np.nan
    trainer.learn(batch)
    for net, held in zip(nets, before, strict=True):
        assert all(torch.equal(held[k], v) for k, v in net.state_dict().items())
    for step in range(2, 5):
        assert np.isfinite(trainer.learn(sampler.batch(step)))
    assert all(torch.isfinite(v).all() for net in nets for v in net.state_dict().values())

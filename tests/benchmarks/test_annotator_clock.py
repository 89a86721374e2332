"""A person and a machine on one clock."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))


@pytest.fixture
def clock():
    from annotator.clock import Timeline

    return Timeline()


def test_the_hand_paints_travels_and_finds_at_its_speeds(clock):
    from annotator.clock import Find, Paint, Travel, Wait

    assert clock.does(Paint(200)) == pytest.approx(0.5)
    assert clock.does(Travel(200)) == pytest.approx(0.75)
    assert clock.does(Find()) == pytest.approx(0.95)
    assert clock.does(Wait(2)) == pytest.approx(2.95)


def test_nothing_takes_less_than_no_time(clock):
    from annotator.clock import Paint, Speeds

    with pytest.raises(ValueError, match="no time"):
        clock.does(Paint(-1))
    with pytest.raises(ValueError, match="positive"):
        Speeds(paint_px_s=0)


def test_the_machine_works_while_the_person_paints(clock):
    from annotator.clock import Wait

    clock.does(Wait(10))
    assert clock.given(60) == 70
    clock.does(Wait(30))
    assert clock.now == 40
    assert clock.given(5) == 75  # after what it is at
    assert clock.awaited() == 75
    assert clock.awaited() == 75


def test_the_machine_that_was_idle_begins_when_it_is_given_work(clock):
    from annotator.clock import Wait

    clock.given(1)
    clock.does(Wait(100))
    assert clock.given(1) == 101


def test_steps_are_counted_whole_and_what_was_begun_is_not_lost(clock):
    from annotator.clock import Wait

    found = []
    for _ in range(10):
        clock.does(Wait(0.7))
        found.append(clock.steps_due(2.0))
    assert sum(found) == 14
    assert found[:3] == [1, 1, 2]
    assert clock.steps_due(2.0) == 0


def test_no_step_is_due_while_the_machine_is_at_something_else(clock):
    from annotator.clock import Wait

    clock.given(10)
    clock.does(Wait(5))
    assert clock.steps_due(1.0) == 0
    clock.does(Wait(7))
    assert clock.steps_due(1.0) == 2

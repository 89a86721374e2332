"""What the curves of a run are: read from events, smoothed, reduced to what a plot can show. No window is needed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.app.learning.curves import best_at, curves_of, reduced, smoothed
from segstudio.runs import Evaluated, Event, Figures, Started, Stepped

FINITE = st.floats(-1e6, 1e6)


def started(step: int = 0) -> Started:
    return Started(
        step=step,
        seconds=float(step),
        steps=50,
        max_seconds=None,
        device="cpu",
        threads=1,
        held_out_groups=[],
        train_groups=[],
        optimistic=False,
        parent="",
    )


def stepped(step: int, loss: float = 0.5) -> Stepped:
    return Stepped(step=step, seconds=step / 2, loss=loss, patches_per_second=1.0, rate=1e-3, memory_mb=1.0)


def evaluated(step: int, **iou: float) -> Evaluated:
    return Evaluated(step=step, seconds=step / 2, held_out=Figures(0.4, sum(iou.values()) / len(iou), iou))


def test_the_curves_of_a_run_come_from_its_events() -> None:
    found = curves_of([started(), stepped(1, 0.9), stepped(2, 0.8), evaluated(2, nucleus=0.5, debris=0.7)])
    assert (found.loss.steps, found.loss.seconds, found.loss.values) == ([1, 2], [0.5, 1.0], [0.9, 0.8])
    assert found.held_out_loss.values == [0.4]
    assert found.mean_iou.values == [pytest.approx(0.6)]
    assert {name: curve.values for name, curve in found.classes.items()} == {"nucleus": [0.5], "debris": [0.7]}


def test_a_run_that_was_resumed_has_each_step_once() -> None:
    events: list[Event] = [started(), *(stepped(n, 1.0) for n in range(1, 9)), evaluated(4, a=0.1), evaluated(8, a=0.2)]
    found = curves_of([*events, started(5), *(stepped(n, 2.0) for n in range(6, 11)), evaluated(8, a=0.3)])
    assert found.loss.steps == list(range(1, 11))
    assert found.loss.values == [1.0] * 5 + [2.0] * 5
    assert (found.mean_iou.steps, found.mean_iou.values) == ([4, 8], [0.1, 0.3])


def test_a_run_of_an_earlier_release_that_began_again_has_each_step_once() -> None:
    again: list[Event] = [started(3), *(stepped(n, 1.0) for n in range(1, 6)), evaluated(4, a=0.1)]
    again += [started(3), *(stepped(n, 2.0) for n in range(1, 5)), evaluated(4, a=0.3)]
    found = curves_of(again)
    assert (found.loss.steps, found.loss.values) == ([1, 2, 3, 4], [2.0] * 4)
    assert (found.mean_iou.steps, found.mean_iou.values) == ([4], [0.3])


@given(st.lists(FINITE, max_size=30))
def test_without_weight_nothing_is_smoothed(values: list[float]) -> None:
    assert smoothed(values, 0.0) == pytest.approx(values)


@given(st.lists(FINITE, min_size=1, max_size=30), st.floats(0, 0.99))
def test_an_average_begins_at_the_first_value_and_stays_between_the_values(values: list[float], weight: float) -> None:
    found = smoothed(values, weight)
    assert found[0] == pytest.approx(values[0])
    slack = 1e-6 * (1 + max(map(abs, values)))
    assert min(values) - slack <= min(found)
    assert max(found) <= max(values) + slack


def test_an_average_is_the_one_of_the_formula() -> None:
    assert smoothed([1.0, 3.0, 2.0], 0.5) == pytest.approx([1.0, (0.25 + 1.5) / 0.75, (0.125 + 0.75 + 1.0) / 0.875])


def test_a_value_that_is_no_number_counts_for_nothing() -> None:
    assert smoothed([1.0, math.inf, 1.0], 0.9)[2] == pytest.approx(1.0)


def test_the_best_is_the_last_of_the_highest() -> None:
    assert best_at([0.1, 0.5, 0.5, 0.2]) == 2
    assert best_at([math.nan, 0.1]) == 1
    assert best_at([]) is None


@given(st.lists(FINITE, min_size=1, max_size=3000), st.integers(10, 200))
def test_a_reduced_curve_has_the_lowest_the_highest_and_the_last_point(values: list[float], most: int) -> None:
    x, y = reduced(list(range(len(values))), values, most)
    assert len(x) <= max(most + 2, min(len(values), most))
    assert (y.min(), y.max(), x[-1]) == (min(values), max(values), len(values) - 1)
    assert (np.diff(x) > 0).all()
    assert all(values[int(at)] == value for at, value in zip(x, y, strict=True))


def test_what_a_logarithm_cannot_show_is_left_out() -> None:
    x, y = reduced([1, 2, 3, 4], [0.0, 0.5, math.nan, 0.25], 100, above=0.0)
    assert x.tolist() == [2, 4]
    assert y.tolist() == [0.5, 0.25]

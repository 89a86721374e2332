"""Figures by class from the counts that a version was judged by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.app.learning.class_figures import class_figures, confusion_shares
from segstudio.metrics import metrics
from segstudio.runs import Confusion

NAMES = ("background", "nucleus", "debris")
COUNTS = st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=3, max_size=3)


def confusion(*rows: tuple[int, ...]) -> Confusion:
    return Confusion(NAMES[: len(rows)], rows)


@given(COUNTS)
def test_the_figures_are_those_that_the_gate_computes(counts: list[list[int]]) -> None:
    found = {row.name: row for row in class_figures(Confusion(NAMES, tuple(map(tuple, counts))))}
    wanted = metrics(np.array(counts), list(NAMES))
    for place, name in enumerate(NAMES):
        if name not in found:
            assert not any(counts[place])
            assert not any(row[place] for row in counts)
            continue
        row, of = found[name], wanted.classes[name]
        assert row.pixels == sum(counts[place])
        assert (row.iou or 0.0, row.dice or 0.0) == pytest.approx((of.iou, of.dice))
        assert (row.precision or 0.0, row.recall or 0.0) == pytest.approx((of.precision, of.recall))


def test_a_class_that_nobody_labelled_and_nothing_predicted_has_no_row() -> None:
    assert [row.name for row in class_figures(confusion((5, 0, 1, 0), (0, 0, 0, 0), (1, 0, 3, 0)))] == [
        "background",
        "debris",
    ]


def test_what_cannot_be_divided_is_not_a_figure() -> None:
    (_first, missed, invented) = class_figures(confusion((5, 0, 2, 0), (4, 0, 0, 0), (0, 0, 0, 0)))
    assert (missed.precision, missed.recall) == (None, 0.0)
    assert (invented.precision, invented.recall) == (0.0, None)


def test_each_row_of_the_matrix_is_shared_out() -> None:
    found = confusion_shares(confusion((6, 2, 0, 0), (1, 3, 0, 0), (0, 0, 0, 0)))
    assert found.rows == ("background", "nucleus")
    assert found.columns == ("background", "nucleus")
    assert found.shares == ((0.75, 0.25), (0.25, 0.75))
    assert found.pixels == ((6, 2), (1, 3))


def test_pixels_for_which_no_class_was_predicted_have_a_column() -> None:
    found = confusion_shares(confusion((6, 0, 0, 2), (0, 0, 0, 0), (0, 0, 0, 0)))
    assert (found.columns, found.shares) == (("background", ""), ((0.75, 0.25),))

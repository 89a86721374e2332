import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.labels.agreement import Verdict, agreement_map
from segstudio.metrics import IGNORED, UNKNOWN, ObjectCounts, agreement, pair_counts
from tests.labels.label_strategies import some

NAMES = ["soil", "leaf", "cell"]
_VALUES = st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), max_size=40)


def _arrays(pixels: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pixels, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


@some
@given(_VALUES)
def test_figures_are_those_of_sets_of_pixels(pixels: list[tuple[int, int]]) -> None:
    figures = agreement(pair_counts(*_arrays(pixels), 3), NAMES)
    counted = [(a, b) for a, b in pixels if IGNORED not in (a, b)]
    both = [(a, b) for a, b in counted if UNKNOWN not in (a, b)]
    assert figures.pixels == len(both)
    assert figures.only_a == sum(a >= 0 and b == UNKNOWN for a, b in counted)
    assert figures.only_b == sum(b >= 0 and a == UNKNOWN for a, b in counted)
    assert figures.nobody == sum(a == b == UNKNOWN for a, b in counted)
    for i, name in enumerate(NAMES):
        in_a, in_b = ({p for p, pair in enumerate(both) if pair[side] == i} for side in (0, 1))
        found = figures.classes[name]
        assert (found.pixels_a, found.pixels_b) == (len(in_a), len(in_b))
        if in_a | in_b:
            assert found.iou == pytest.approx(len(in_a & in_b) / len(in_a | in_b))
            assert found.dice == pytest.approx(2 * len(in_a & in_b) / (len(in_a) + len(in_b)))
        else:
            assert found.iou is None
            assert found.dice is None


@some
@given(_VALUES)
def test_no_figure_depends_on_which_side_is_named_first(pixels: list[tuple[int, int]]) -> None:
    a, b = _arrays(pixels)
    one, other = agreement(pair_counts(a, b, 3), NAMES), agreement(pair_counts(b, a, 3), NAMES)
    assert (one.pixel_agreement, one.kappa, one.mean_iou) == (
        pytest.approx(other.pixel_agreement),
        pytest.approx(other.kappa),
        pytest.approx(other.mean_iou),
    )
    assert (one.only_a, one.only_b) == (other.only_b, other.only_a)


@some
@given(_VALUES)
def test_a_map_counts_what_the_figures_count(pixels: list[tuple[int, int]]) -> None:
    a, b = _arrays(pixels)
    counts = np.bincount(agreement_map(a, b), minlength=6)
    figures = agreement(pair_counts(a, b, 3), NAMES)
    assert counts[Verdict.AGREE] + counts[Verdict.DIFFER] == figures.pixels
    assert counts[Verdict.ONLY_A] == figures.only_a
    assert counts[Verdict.ONLY_B] == figures.only_b
    assert counts[Verdict.NOBODY] == figures.nobody
    assert counts.sum() == len(pixels)


def test_kappa_is_that_of_cohens_example() -> None:
    # Fleiss, Statistical Methods for Rates and Proportions, 2nd edition, 1981, table 13.1: kappa 0.676.
    table = np.zeros((4, 4), np.int64)
    table[:3, :3] = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    figures = agreement(table, NAMES)
    assert figures.pixel_agreement == pytest.approx(0.89)
    assert figures.kappa == pytest.approx(0.676, abs=0.0005)


def test_kappa_of_one_class_alone_is_no_figure() -> None:
    table = np.zeros((4, 4), np.int64)
    table[1, 1] = 50
    figures = agreement(table, NAMES)
    assert figures.pixel_agreement == 1.0
    assert figures.kappa is None
    assert figures.mean_iou == 1.0


def test_nothing_known_to_both_has_no_figures() -> None:
    figures = agreement(np.zeros((4, 4), np.int64), NAMES)
    assert (figures.pixel_agreement, figures.kappa, figures.mean_iou, figures.mean_dice) == (None, None, None, None)


def test_objects_match_where_more_than_half_is_shared() -> None:
    a = np.zeros((4, 12), np.uint32)
    b = np.zeros((4, 12), np.uint32)
    a[:, 0:4], b[:, 1:4] = 1, 7  # IoU 0.75
    a[:, 5:7], b[:, 6:8] = 2, 8  # IoU 1/3
    b[:, 10:12] = 9
    counts = ObjectCounts()
    counts.add(a[:2], b[:2])
    counts.add(a[2:], b[2:])
    counts.close_image()
    found = counts.figures()
    assert (found.matched, found.only_a, found.only_b) == (1, 1, 2)
    assert found.f1 == pytest.approx(2 / 5)
    assert found.sq == pytest.approx(0.75)
    assert found.pq == pytest.approx(0.3)


def test_objects_of_two_images_with_the_same_numbers_are_kept_apart() -> None:
    one, two = ObjectCounts(), ObjectCounts()
    cell = np.ones((2, 2), np.uint32)
    one.add(cell, cell)
    one.close_image()
    two.add(cell, np.zeros_like(cell))
    two.close_image()
    one.join(two)
    assert (one.figures().matched, one.figures().only_a) == (1, 1)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        pair_counts(np.zeros(3, np.int64), np.zeros(4, np.int64), 3)
    with pytest.raises(ValueError, match="not below 3"):
        pair_counts(np.full(3, 3), np.zeros(3, np.int64), 3)

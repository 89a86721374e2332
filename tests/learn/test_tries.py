"""Which versions count as tries on nearly the same labels, and what that keeps thirty rounds of a dab each from."""

from collections.abc import Callable

import numpy as np
import pytest

from segstudio.learn.data import LearnedPlane
from segstudio.learn.gate import Tally, decide
from segstudio.learn.tries import tries_before
from segstudio.metrics import metrics
from segstudio.runs import Figures


def _labels(edit: int, *pixels: tuple[int, int]) -> list[LearnedPlane]:
    """Planes with so many pixels of classes 1 and 2."""
    return [LearnedPlane(f"{i}.png", 0, "train", edit, ((1, a), (2, b))) for i, (a, b) in enumerate(pixels)]


def _counts(rounds: list[list[LearnedPlane]]) -> list[int]:
    return [tries_before(rounds[:i], rounds[i]) for i in range(len(rounds))]


def test_the_first_run_is_no_repetition():
    assert tries_before([], _labels(1, (500, 500))) == 0


def test_one_more_dab_makes_no_labels_new():
    assert _counts([_labels(i, (500 + i, 500)) for i in range(30)]) == list(range(30))


def test_a_tenth_of_the_labels_since_the_last_first_try_makes_a_new_one():
    grown = [_labels(i, (500 + 50 * i, 500)) for i in range(7)]
    assert _counts(grown) == [0, 1, 2, 0, 1, 2, 0]  # 1000, 1050, 1100, 1150 ...


def test_an_image_more_and_pixels_that_change_class_are_new_labels():
    before = _labels(1, (500, 500))
    assert tries_before([before], _labels(2, (500, 500), (60, 60))) == 0
    assert tries_before([before], _labels(2, (300, 700))) == 0
    assert tries_before([before], _labels(2, (460, 540))) == 1


def test_labels_that_were_taken_back_are_no_new_ones():
    less, more = _labels(1, (500, 500)), _labels(2, (550, 500))
    assert _counts([more, less, more, less, more]) == [0, 1, 2, 3, 4]


def test_a_version_without_pixels_in_its_card_counts_where_its_edits_are_the_same():
    old = [LearnedPlane("0.png", 0, "train", 1)]
    assert tries_before([old, []], _labels(1, (500, 500))) == 1
    assert tries_before([old, []], _labels(2, (500, 500))) == 0


@pytest.mark.parametrize("luck", [0.01, 0.02])
def test_thirty_rounds_of_one_dab_each_promote_hardly_ever_by_luck(luck: float):
    """Of runs that are no better, each lucky by chance alone; `luck` falls on all blocks of a run."""
    rounds = [_labels(i, (500 + 3 * i, 500)) for i in range(30)]
    counted = _counts(rounds)
    assert counted == list(range(30))
    before = np.mean([_promoted(seed, luck, lambda _at: 0) for seed in range(20)])
    after = np.mean([_promoted(seed, luck, counted.__getitem__) for seed in range(20)])
    assert before > 0.5
    assert after < before / 3


def _promoted(seed: int, luck: float, tries: Callable[[int], int]) -> int:
    """How many of thirty equally good runs are promoted, each against the last promoted one, on 16 blocks."""
    rng = np.random.default_rng(seed)
    current, n = _tally(rng, luck), 0
    for at in range(30):
        child = _tally(rng, luck)
        if decide(current, child, tries(at)).promoted:
            current, n = child, n + 1
    return n


def _tally(rng: np.random.Generator, luck: float) -> Tally:
    shared = rng.normal(0, luck)
    ious = np.clip(0.6 + shared + rng.normal(0, 0.06, 16), 0.05, 0.95)
    hits = np.round(2000 * ious / (1 + ious)).astype(int).tolist()
    blocks = {(1, 0, 0, i): np.array([[h, 1000 - h, 0], [1000 - h, h, 0]]) for i, h in enumerate(hits)}
    total = sum(blocks.values())
    mean = metrics(total, ["a", "b"]).mean.iou
    return Tally(Figures(loss=0.0, mean_iou=mean, iou={}), {"1.png": total}, blocks)

"""Touching objects of one class taken apart at their necks."""

import cv2
import numpy as np
import pytest

from segstudio.labels.touching import separated
from segstudio.runs import Separation


def _discs(*discs: tuple[int, int, int], shape: tuple[int, int] = (120, 200)) -> np.ndarray:
    out = np.zeros(shape, np.uint8)
    for x, y, radius in discs:
        cv2.circle(out, (x, y), radius, 1, -1)
    return out > 0


def test_discs_that_touch_are_two_objects_cut_between_their_centres():
    mask = _discs((60, 60, 30), (112, 60, 30))
    n, found = separated(mask)
    assert n == 2
    assert np.array_equal(found > 0, mask)
    left, right = found[60, 60], found[60, 112]
    assert left != right
    assert (found[:, :82][mask[:, :82]] == left).all()
    assert (found[:, 91:][mask[:, 91:]] == right).all()


def test_a_chain_of_many_and_one_apart_are_as_many_objects():
    n, found = separated(_discs((20, 30, 15), (46, 30, 15), (72, 30, 15), (98, 30, 15), (160, 90, 15)))
    assert n == 5
    assert len({int(found[30, x]) for x in (20, 46, 72, 98)} | {int(found[90, 160])}) == 5


@pytest.mark.parametrize("discs", [((60, 60, 30),), ((60, 60, 30), (72, 60, 30))])
def test_one_disc_and_two_that_lie_upon_each_other_stay_one(discs: tuple[tuple[int, int, int], ...]):
    n, found = separated(_discs(*discs))
    assert n == 1
    assert set(np.unique(found).tolist()) == {0, 1}


def test_a_long_object_of_even_width_and_a_dented_one_stay_whole():
    mask = np.zeros((120, 200), bool)
    mask[10:30, 5:195] = True
    mask[60:110, 20:120] = True
    mask[60:66, 65:75] = False
    assert separated(mask)[0] == 2


def test_a_wavy_thin_line_stays_whole():
    mask = np.zeros((120, 200), np.uint8)
    points = np.array([[x, round(60 + 30 * np.sin(x / 15))] for x in range(5, 195)], np.int32)
    cv2.polylines(mask, [points], False, 1, 3)
    assert separated(mask > 0)[0] == 1


def test_with_a_whole_share_components_are_left_alone():
    mask = _discs((60, 60, 30), (112, 60, 30), (170, 20, 10))
    n, found = separated(mask, Separation(share=1.0))
    expected_n, expected = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    assert n == expected_n - 1
    assert np.array_equal(found, expected)


def test_of_nothing_there_is_nothing():
    n, found = separated(np.zeros((5, 7), bool))
    assert (n, found.shape, int(found.max())) == (0, (5, 7), 0)


def test_numbers_are_those_from_one_on_without_a_gap():
    random = np.random.default_rng(2)
    discs = [(int(x), int(y), int(r)) for x, y, r in random.integers((10, 10, 6), (490, 490, 14), (250, 3))]
    n, found = separated(_discs(*discs, shape=(500, 500)))
    assert np.array_equal(np.unique(found), np.arange(n + 1))
    assert n > cv2.connectedComponents((found > 0).astype(np.uint8), connectivity=8)[0] - 1
    for number in range(1, n + 1):
        assert cv2.connectedComponents((found == number).astype(np.uint8), connectivity=8)[0] == 2

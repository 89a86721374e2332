"""The most likely output of every pixel, found output by output."""

import numpy as np
import pytest

from segstudio.engine.predicting import best_of, totals_of


@pytest.mark.parametrize("outputs", [1, 2, 25, 255, 300])
def test_it_is_what_argmax_finds_also_among_equals(outputs: int):
    values = np.random.default_rng(0).integers(0, 4, (outputs, 37, 51)).astype(np.float32)
    place, best = best_of(values)
    assert np.array_equal(place, values.argmax(0))
    assert np.array_equal(best, values.max(0))


def test_a_pixel_of_which_nothing_is_known_is_one_of_the_outputs():
    place, _ = best_of(np.full((3, 2, 2), np.nan, np.float32))
    assert place.max() < 3


@pytest.mark.parametrize("outputs", [1, 3, 16, 17, 300])
def test_pixels_and_values_of_each_output_are_those_that_counting_finds(outputs: int):
    rng = np.random.default_rng(1)
    best = rng.random((64, 48), np.float32)
    place = rng.integers(0, outputs, best.shape).astype(np.uint8 if outputs < 256 else np.intp)
    pixels, totals = totals_of(place, best, outputs)
    assert pixels == np.bincount(place.ravel(), minlength=outputs).tolist()
    assert totals == pytest.approx(np.bincount(place.ravel(), best.ravel(), minlength=outputs).tolist(), rel=1e-5)

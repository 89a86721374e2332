"""Histograms, and windows in the words of those who set them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.imaging.display import ShownChannel, View, automatic_view, to_rgb
from segstudio.imaging.histogram import BINS, histogram
from segstudio.imaging.levels import EIGHT_BIT, Levels
from segstudio.imaging.window_level import adjusted, adjustment, dragged, windowed


def test_eight_bits_are_counted_value_by_value() -> None:
    samples = np.repeat(np.arange(16, dtype=np.uint8), 4).reshape(8, 8, 1)
    found = histogram(samples)
    assert found is not None
    assert (found.low, found.high) == (-0.5, 255.5)
    assert found.counts.shape == (1, 256)
    assert (found.counts[0, :16] == 4).all()
    assert found.counts.sum() == 64


def test_each_channel_is_counted_for_itself() -> None:
    samples = np.zeros((10, 10, 2), np.uint8)
    samples[..., 1] = 200
    found = histogram(samples)
    assert found is not None
    assert found.counts[0, 0] == 100
    assert found.counts[1, 200] == 100


@pytest.mark.parametrize("most", [100, 255, 256, 1000, 4095, 65535])
def test_even_whole_numbers_make_an_even_histogram(most: int) -> None:
    samples = np.arange(most + 1, dtype=np.uint16).reshape(1, -1, 1)
    found = histogram(samples)
    assert found is not None
    counts = found.counts[0]
    assert len(counts) <= BINS
    assert counts.sum() == most + 1
    assert len(set(counts[:-1].tolist())) <= 1  # the last bin may be cut off


def test_what_is_no_number_is_not_counted() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 1.0, 2.0, 3.0], np.float32).reshape(2, 3, 1)
    found = histogram(samples)
    assert found is not None
    assert found.counts.sum() == 3
    assert (found.low, found.high) == (1.0, 3.0)
    assert histogram(np.full((3, 3, 1), np.nan, np.float32)) is None


def test_a_picture_of_one_value_has_a_histogram_and_levels() -> None:
    for samples in (np.full((4, 4, 1), 7, np.uint16), np.full((4, 4, 1), 0.5, np.float32)):
        found = histogram(samples)
        assert found is not None
        assert found.high > found.low
        assert found.spread.high > found.spread.low
        assert found.counts.sum() == 16


def test_the_spread_of_a_dark_picture_is_narrow() -> None:
    rng = np.random.default_rng(1)
    found = histogram(rng.integers(3, 24, (100, 100, 1)).astype(np.uint8))
    assert found is not None
    assert 3 <= found.spread.low < 5
    assert 20 < found.spread.high <= 23


def test_level_and_width_are_the_middle_and_the_distance() -> None:
    assert windowed(40, 400) == Levels(-160, 240)
    for level, width in ((0, 0), (10, -1), (float("nan"), 1), (0, float("inf")), (1e300, 1e-300)):
        with pytest.raises(ValueError, match="nothing between black and white"):
            windowed(level, width)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(-100, 100), st.floats(-100, 100))
def test_brightness_and_contrast_come_back_from_the_levels_they_made(
    level: float, width: float, brightness: float, contrast: float
) -> None:
    start = windowed(level, max(width, abs(level) * 1e-6))
    found = adjustment(start, adjusted(start, brightness, contrast))
    assert found == pytest.approx((brightness, contrast), abs=0.05)


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_a_drag_of_any_length_leaves_a_window(across: float, down: float) -> None:
    for start in (EIGHT_BIT, Levels(-1e-12, 1e-12), Levels(1e9, 1e9 + 1)):
        found = dragged(start, across, down)
        assert found.low < found.high


def test_a_drag_to_the_right_widens_and_a_drag_down_darkens() -> None:
    assert dragged(EIGHT_BIT, 0, 0) == EIGHT_BIT
    wide, dark = dragged(EIGHT_BIT, 50, 0), dragged(EIGHT_BIT, 0, 50)
    assert wide.high - wide.low > 255
    assert wide.low + wide.high == pytest.approx(255)
    assert dark.high - dark.low == pytest.approx(255)
    assert dark.low > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_inverted_every_value_is_shown_as_what_is_left_to_white(dtype: type, gamma: float) -> None:
    samples = np.arange(0, 120, dtype=dtype).reshape(10, 12, 1)
    for view in (
        View((ShownChannel(0, Levels(10.0, 90.0)),), gamma),
        automatic_view(1, Levels(0.0, 119.0)),
    ):
        plain = to_rgb(samples, view)
        inverted = to_rgb(samples, View(view.channels, view.gamma, invert=True))
        assert (inverted == 255 - plain).all()


def test_eight_bits_that_nobody_touched_are_shown_without_a_copy_and_inverted_ones_are_not_changed() -> None:
    samples = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    before = samples.copy()
    view = automatic_view(3, EIGHT_BIT)
    assert np.shares_memory(to_rgb(samples, view), samples)
    inverted = View(view.channels, invert=True)
    assert not inverted.as_stored
    assert (to_rgb(samples, inverted) == 255 - before).all()
    assert (samples == before).all()

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segstudio.imaging.display import Levels, auto_levels, to_float, to_rgb


def test_eight_bit_colour_is_shown_as_it_is() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    assert np.array_equal(to_rgb(pixels, auto_levels(pixels)), pixels)


def test_grey_becomes_three_equal_channels() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    shown = to_rgb(pixels, Levels(0, 255))
    assert shown.shape == (16, 16, 3)
    assert np.array_equal(shown, pixels.repeat(3, 2))


def test_levels_of_sixteen_bits_leave_outliers_out() -> None:
    pixels = np.random.default_rng(0).integers(1000, 2000, (300, 300, 1), np.uint16)
    pixels[0, 0] = 65535
    levels = auto_levels(pixels)
    assert 990 < levels.low < 1010
    assert 1990 < levels.high < 2010


def test_levels_of_a_flat_picture_and_of_no_number_are_in_order() -> None:
    for pixels in (np.full((4, 4, 1), 7, np.uint16), np.full((4, 4, 1), np.nan, np.float32)):
        levels = auto_levels(pixels)
        assert levels.low < levels.high


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_any_number_of_channels_is_shown(channels: int) -> None:
    pixels = np.random.default_rng(0).random((5, 6, channels)).astype(np.float32)
    shown = to_rgb(pixels, Levels(0, 1))
    assert shown.shape == (5, 6, 3)
    assert shown.dtype == np.uint8


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]), st.just((3, 4, 2))
    )
)
def test_what_the_network_gets_is_finite_and_within_0_and_1(pixels: np.ndarray) -> None:
    levels = auto_levels(pixels)
    values = to_float(pixels, levels)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1


@given(st.integers(0, 60000), st.integers(1, 5000))
def test_the_look_up_table_agrees_with_the_arithmetic(low: int, width: int) -> None:
    levels = Levels(low, low + width)
    pixels = np.arange(0, 65536, 37, dtype=np.uint16).reshape(1, -1, 1)
    exact = np.rint(to_float(pixels, levels).astype(np.float64) * 255)
    assert np.abs(to_rgb(pixels, levels)[..., :1] - exact).max() <= 1

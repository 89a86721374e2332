import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.imaging.display import (
    BLUE,
    GREEN,
    RED,
    ShownChannel,
    View,
    automatic_view,
    colours,
    is_plain,
    picked,
    to_rgb,
)
from segstudio.imaging.levels import EIGHT_BIT, Levels, auto_levels, to_float

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float16", "float32", "float64")


def test_eight_bit_colour_is_shown_as_it_is_and_not_copied() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    assert to_rgb(pixels, automatic_view(3, auto_levels(pixels))) is pixels


def test_grey_becomes_three_equal_channels() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(to_rgb(pixels, automatic_view(1, EIGHT_BIT)), pixels.repeat(3, 2))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("dtype", TYPES)
def test_any_number_of_channels_of_any_type_is_shown(channels: int, dtype: str) -> None:
    pixels = (np.random.default_rng(0).random((5, 6, channels)) * 100).astype(dtype)
    shown = to_rgb(pixels, automatic_view(channels, Levels(20, 80)))
    assert shown.shape == (5, 6, 3)
    assert shown.dtype == np.uint8
    exact = np.rint(to_float(pixels, Levels(20, 80)).astype(float) * 255)
    seen = min(channels, 3)
    assert np.abs(shown[..., :seen] - exact[..., :seen]).max() <= 1
    if channels == 2:
        assert not shown[..., 2].any()


@given(st.integers(0, 60000), st.integers(1, 5000))
def test_the_look_up_table_agrees_with_the_arithmetic(low: int, width: int) -> None:
    levels = Levels(low, low + width)
    pixels = np.arange(0, 65536, 37, dtype=np.uint16).reshape(1, -1, 1)
    exact = np.rint(to_float(pixels, levels).astype(np.float64) * 255)
    assert np.abs(to_rgb(pixels, automatic_view(1, levels))[..., :1] - exact).max() <= 1


def test_negative_values_of_sixteen_bits_have_their_place_between_the_levels() -> None:
    hounsfield = np.array([[-1000, -160, 40, 240, 3000]], np.int16)[..., None]
    assert colours(hounsfield, automatic_view(1, Levels(-160, 240)))[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_no_number_is_black_and_infinity_the_brightest() -> None:
    pixels = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)[..., None]
    assert colours(pixels, automatic_view(1, Levels(0, 1)))[0, :, 0].tolist() == [0, 255, 0, 128]


def test_a_view_shows_any_channels_in_any_colours_and_adds_them_up() -> None:
    pixels = np.zeros((1, 3, 5), np.uint16)
    pixels[0, 0, 4] = pixels[0, 1, 1] = 1000
    pixels[0, 2, [1, 4]] = 1000
    yellow = (255, 255, 0)
    view = View((ShownChannel(4, Levels(0, 1000), yellow), ShownChannel(1, Levels(0, 2000), BLUE)))
    assert to_rgb(pixels, view)[0].tolist() == [[255, 255, 0], [0, 0, 128], [255, 255, 128]]
    both_red = View((ShownChannel(4, Levels(0, 1000), RED), ShownChannel(1, Levels(0, 1000), RED)))
    assert to_rgb(pixels, both_red)[0].tolist() == [[255, 0, 0]] * 3


def test_channels_between_levels_of_their_own_are_scaled_each_by_its_own() -> None:
    pixels = np.full((1, 1, 3), 100, np.uint16)
    shown = [ShownChannel(i, Levels(0, 100 * (i + 1)), colour) for i, colour in enumerate((RED, GREEN, BLUE))]
    assert to_rgb(pixels, View(tuple(shown)))[0, 0].tolist() == [255, 128, 85]


def test_without_channels_all_is_black() -> None:
    assert not to_rgb(np.full((2, 3, 1), 9, np.uint8), View(())).any()


def test_gamma_above_one_lightens_the_middle_and_leaves_the_ends() -> None:
    pixels = np.array([[0, 64, 255]], np.uint8)[..., None]
    view = View((ShownChannel(0, EIGHT_BIT),), gamma=2.0)
    assert not is_plain(pixels.dtype, view)
    assert colours(pixels, view)[0, :, 0].tolist() == [0, 128, 255]
    exact = colours((pixels / 255).astype(np.float32), View((ShownChannel(0, Levels(0, 1)),), gamma=2.0))
    assert exact[0, :, 0].tolist() == [0, 128, 255]


def test_picking_all_channels_in_order_copies_nothing() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    assert picked(pixels, automatic_view(3, EIGHT_BIT)) is pixels
    assert picked(pixels, View((ShownChannel(2, EIGHT_BIT),))).shape == (4, 4, 1)


def test_other_levels_are_those_of_one_channel_or_of_all() -> None:
    view = automatic_view(3, Levels(0, 9))
    assert [c.levels for c in view.between(Levels(1, 2)).channels] == [Levels(1, 2)] * 3
    assert [c.levels.high for c in view.between(Levels(1, 2), channel=1).channels] == [9, 2, 9]


KINDS = st.sampled_from(["uint16", "int16", "float32", "float64"])


@given(KINDS, st.integers(-(2**15), 2**16), st.floats(0.001, 1e5), st.floats(-3, 3), st.integers(0, 99))
def test_shades_computed_at_once_are_those_of_the_exact_arithmetic(
    dtype: str, low: int, width: float, beside: float, seed: int
) -> None:
    levels = Levels(low + beside, low + beside + width)
    around = np.random.default_rng(seed).uniform(levels.low - width, levels.high + width, (3, 5, 2))
    bounds = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    pixels = np.clip(around, bounds.min, bounds.max).astype(dtype)
    exact = np.clip((pixels.astype(np.float64) - levels.low) / width, 0, 1) * 255
    shown = colours(pixels, View((ShownChannel(0, levels, RED), ShownChannel(1, levels, GREEN))))
    # A float near a level is rounded with it: as far as the type itself is from the level.
    blur = np.spacing(np.asarray(abs(low) + width + 3, "float32")) / width * 255 if dtype == "float32" else 0.0
    assert np.abs(shown[..., :2].astype(float) - exact).max() <= 0.5 + 1e-3 + blur


def test_levels_that_floats_of_32_bits_cannot_tell_apart_are_told_apart() -> None:
    pixels = np.array([[1e8, 1e8 + 16, -np.inf, np.inf, np.nan]], np.float32)[..., None]
    levels = Levels(1e8 + 1, 1e8 + 3)
    assert colours(pixels, automatic_view(1, levels))[0, :, 0].tolist() == [0, 255, 0, 255, 0]


def test_levels_beyond_the_type_of_the_samples_show_what_there_is() -> None:
    pixels = np.array([[-1e38, 0, 1e38]], np.float32)[..., None]
    assert colours(pixels, automatic_view(1, Levels(-1e300, 1e300)))[0, :, 0].tolist() == [128, 128, 128]
    assert colours(pixels, automatic_view(1, Levels(-1e38, 1e38)))[0, :, 0].tolist() == [0, 128, 255]


def test_a_very_steep_step_between_two_values_is_exact() -> None:
    pixels = np.array([[999, 1000, 1001]], np.uint16)[..., None]
    assert colours(pixels, automatic_view(1, Levels(1000 - 1e-6, 1000 + 1e-6)))[0, :, 0].tolist() == [0, 128, 255]
    assert colours(np.full((1, 2, 1), 9, np.uint16), automatic_view(1, Levels(-1e8, -1e8 + 1e-3))).min() == 255
    assert colours(pixels[:0], automatic_view(1, Levels(0, 1))).shape == (0, 3, 1)

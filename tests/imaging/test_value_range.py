"""Value ranges against plain comparisons in double precision, for every type of sample."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segstudio.imaging.levels import Levels
from segstudio.imaging.value_range import ValueRange, range_around, range_of_shares

TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


@given(st.sampled_from(TYPES), st.sampled_from([1, 2, 3, 5]), st.integers(0, 1 << 30), st.floats(0, 1))
def test_a_range_around_a_value_is_what_differs_by_no_more_than_the_tolerance(
    dtype: str, channels: int, seed: int, tolerance: float
) -> None:
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    lowest, highest = (-300.0, 300.0) if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
    samples = rng.uniform(lowest, highest, (9, 7, channels)).astype(kind)
    levels = tuple(Levels(-5.0 * n, 100.0 + n) for n in range(channels))
    value = samples[4, 3]
    distance = np.abs(samples.astype(np.float64) - value.astype(np.float64))
    reach = np.array([tolerance * (pair.high - pair.low) for pair in levels])
    found = range_around(value, tolerance, levels).mask(samples)
    assert found[4, 3]
    sure = np.abs(distance - reach) > 1e-6  # a sum may be rounded otherwise than a difference
    agrees = (found == (distance <= reach).all(axis=2)) | ~sure.all(axis=2)
    assert agrees.all()


def test_the_ends_of_a_range_belong_to_it_in_every_type() -> None:
    for dtype in TYPES:
        samples = np.array([[[9], [10], [20], [21]]], dtype)
        assert ValueRange((10.0,), (20.0,)).mask(samples).tolist() == [[False, True, True, False]]
        assert ValueRange((9.5,), (20.5,)).mask(samples).tolist() == [[False, True, True, False]]
        assert not ValueRange((10.2,), (10.8,)).mask(samples).any()
        assert not ValueRange((30.0,), (5.0,)).mask(samples).any()


def test_a_float_is_not_rounded_into_a_range() -> None:
    third = np.float32(1 / 3)
    samples = np.array([[[third]]])
    assert not ValueRange((float(third) + 1e-12,), (1.0,)).mask(samples).any()
    assert ValueRange((float(third),), (1.0,)).mask(samples).all()


def test_nan_lies_in_no_range() -> None:
    samples = np.array([[[np.nan], [1.0]]])
    assert ValueRange((-np.inf,), (np.inf,)).mask(samples).tolist() == [[False, True]]


def test_shares_are_of_the_levels_and_reach_beyond_them_at_their_ends() -> None:
    samples = np.array([[[0], [100], [150], [200], [255]]], np.uint8)
    levels = (Levels(100.0, 200.0),)
    assert range_of_shares(0.0, 0.5, levels).mask(samples).tolist() == [[True, True, True, False, False]]
    assert range_of_shares(0.5, 1.0, levels).mask(samples).tolist() == [[False, False, True, True, True]]
    assert range_of_shares(0.5, 0.9, levels).mask(samples).tolist() == [[False, False, True, False, False]]

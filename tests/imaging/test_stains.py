"""Colour deconvolution: the values that scikit-image publishes for the same matrix, and mixtures taken apart again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segstudio.imaging.stains import mixed, separated

HED_FROM_RGB = np.array(
    [
        [1.87798274, -1.00767869, -0.55611582],
        [-0.06590806, 1.13473037, -0.1355218],
        [-0.60190736, -0.48041419, 1.57358807],
    ]
)
"""skimage.color.hed_from_rgb. Its rows are not of length one, and it divides by the logarithm of 1e-6."""

LENGTHS = np.linalg.norm([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], axis=1)


@given(hnp.arrays(np.uint8, (3, 4, 3), elements=st.integers(1, 255)))
def test_amounts_are_those_of_scikit_image(rgb: np.ndarray) -> None:
    theirs = np.maximum(np.log(rgb / 255.0) / np.log(1e-6) @ HED_FROM_RGB, 0)
    assert np.allclose(separated(rgb), theirs * 6 * LENGTHS, atol=1e-4)


@given(hnp.arrays(np.float64, (3, 4, 3), elements=st.floats(0, 0.7)))
def test_what_was_mixed_is_taken_apart_again(amounts: np.ndarray) -> None:
    assert np.allclose(separated(mixed(amounts)), amounts, atol=1e-3)


def test_bare_glass_holds_no_stain_and_black_is_bounded() -> None:
    assert (separated(np.full((2, 2, 3), 255, np.uint8)) == 0).all()
    assert np.isfinite(separated(np.zeros((2, 2, 3), np.uint8))).all()


def test_sixteen_bits_are_measured_against_their_own_white() -> None:
    rgb = np.random.default_rng(4).integers(1, 256, (5, 5, 3))
    assert np.allclose(separated((rgb * 257).astype(np.uint16), 65535), separated(rgb.astype(np.uint8)), atol=1e-5)

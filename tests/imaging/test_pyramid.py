from pathlib import Path

import numpy as np
import pytest

from segstudio.geometry import Rect
from segstudio.imaging.pyramid import Pyramid, halved, level_for, level_size
from segstudio.imaging.source import open_image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_a_level_holds_the_means_of_two_by_two(dtype: type, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (10, 14, channels)).astype(dtype)
    mean = pixels.astype(float).reshape(5, 2, 7, 2, channels).mean((1, 3))
    small = halved(pixels)
    assert small.dtype == dtype
    assert np.abs(small - mean).max() <= 0.5


def test_odd_sizes_keep_their_last_row_and_column(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((101, 77), 9, np.uint8))
    pyramid = Pyramid(open_image(tmp_path / "a.npy"))
    for level in range(8):
        pixels = pyramid.reduced(0, level)
        assert (pixels.shape[1], pixels.shape[0]) == level_size(77, 101, level)
        assert (pixels == 9).all()


def test_a_part_of_a_level_equals_the_whole(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    pyramid = Pyramid(open_image(tmp_path / "a.npy"), budget_bytes=10)
    whole = pyramid.reduced(0, 2)
    assert np.array_equal(pyramid.read(0, 2, Rect(10, 4, 100, 5)), whole[4:9, 10:])


def test_the_level_drawn_from_is_never_enlarged() -> None:
    assert [level_for(scale) for scale in (3.0, 1.0, 0.6, 0.5, 0.26, 0.25, 0.01)] == [0, 0, 0, 1, 1, 2, 6]

import numpy as np
import pytest

from segstudio.imaging.pyramid import halved, resized


def test_a_level_holds_the_means_of_two_by_two() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 14, 3)).astype(np.uint8)
    mean = pixels.astype(float).reshape(5, 2, 7, 2, 3).mean((1, 3))
    small = halved(pixels)
    assert small.dtype == np.uint8
    assert np.abs(small - mean).max() <= 0.5


@pytest.mark.parametrize(("height", "width"), [(101, 77), (1, 9), (2, 1)])
def test_odd_sizes_keep_their_last_row_and_column(height: int, width: int) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[-1, -1] = 200
    small = halved(pixels)
    assert small.shape == (-(-height // 2), -(-width // 2), 3)
    share = (1 if height % 2 else 0.5) * (1 if width % 2 else 0.5)
    assert small[-1, -1].tolist() == pytest.approx([200 * share] * 3, abs=1)


@pytest.mark.parametrize("size", [(5, 4), (21, 30), (10, 14)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7, 13])
def test_each_of_any_number_of_channels_is_resized_as_it_would_be_alone(channels: int, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random((14, 10, channels)).astype(np.float32)
    found = resized(pixels, *size)
    assert found.shape == (size[1], size[0], channels)
    assert found.dtype == np.float32
    for i in range(channels):
        assert np.allclose(found[..., i : i + 1], resized(pixels[..., i : i + 1], *size), atol=1e-6)

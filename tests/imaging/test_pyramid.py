import numpy as np
import pytest

from segstudio.imaging.pyramid import halved, pyramid, resized


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


TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_a_pyramid_of_any_type_takes_a_third_more_and_holds_the_means(dtype: str, channels: int) -> None:
    samples = (np.random.default_rng(0).random((701, 1100, channels)) * 100).astype(dtype)
    levels = pyramid(samples)
    assert levels[0] is samples
    assert [level.shape for level in levels] == [(701, 1100, channels), (351, 550, channels), (176, 275, channels)]
    assert sum(level.nbytes for level in levels) <= samples.nbytes * 1.34
    padded = np.pad(samples, ((0, 1), (0, 0), (0, 0)), mode="edge").astype(float)
    means = padded.reshape(351, 2, 550, 2, channels).mean((1, 3))
    assert np.abs(levels[1] - means).max() <= 0.5


def test_what_is_no_number_counts_only_where_there_is_nothing_else() -> None:
    samples = np.full((4, 4, 1), 8, np.float32)
    samples[0, 0] = np.nan
    samples[2:, :2] = np.nan
    samples[:2, 2:] = np.inf
    small = halved(samples)[..., 0]
    assert small[0, 0] == 8
    assert np.isnan(small[1, 0])
    assert np.isinf(small[0, 1])

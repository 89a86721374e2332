import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segstudio.geometry import Rect
from segstudio.imaging import levels as finding
from segstudio.imaging.levels import EIGHT_BIT, Levels, auto_levels, levels_by_channel, levels_of, pooled, to_float
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo


def test_levels_of_eight_bits_are_all_of_them() -> None:
    assert auto_levels(np.full((4, 4, 3), 7, np.uint8)) == EIGHT_BIT


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


@pytest.mark.parametrize("width", [2048, 4096, 3000])
def test_small_bright_objects_count_in_whatever_columns_they_lie(width: int) -> None:
    for first in (1, 17, 33, 200):
        pixels = np.full((1024, width, 1), 100, np.uint16)
        for x in range(first, width, 256):
            pixels[100:500, x : x + 8] = 5000
        assert auto_levels(pixels).high == 5000


def test_levels_of_a_few_pixels_are_those_of_all() -> None:
    pixels = np.random.default_rng(1).integers(0, 60000, (200, 320, 1), np.uint16)
    low, high = np.percentile(pixels, (0.1, 99.9))
    assert auto_levels(pixels) == Levels(low, high)


class _Slide:
    """A plane that is made up where it is read, and counts what was."""

    def __init__(self, width: int, height: int) -> None:
        self.info = ImageInfo((PlaneInfo("0", width, height),), 1, "uint16", "slide")
        self.read_px = 0
        self.most_px = 0

    def read(self, rect: Rect, level: int = 0, plane: int = 0) -> Pixels:
        whole = self.info.planes[plane]
        assert rect == rect.intersected(Rect(0, 0, whole.width, whole.height))
        self.read_px += rect.area
        self.most_px = max(self.most_px, rect.area)
        y, x = np.mgrid[rect.y : rect.bottom, rect.x : rect.right]
        return ((x + y) % 1000 + 500).astype(np.uint16)[..., None]

    def alpha(self, plane: int, rect: Rect) -> None: ...

    def drop(self, plane: int) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("size", [(100_000, 100_000), (1_000_000, 100), (70, 2_000_000)])
def test_of_a_huge_plane_little_is_read_for_its_levels(size: tuple[int, int]) -> None:
    slide = _Slide(*size)
    levels = levels_of(slide, 0)
    assert 0 < slide.read_px < 1 << 20
    assert levels.low == pytest.approx(500, abs=10)
    assert levels.high == pytest.approx(1499, abs=10)


@pytest.mark.parametrize("whole_px", [1 << 26, 1 << 10])
def test_levels_of_a_source_are_those_of_its_pixels(monkeypatch: pytest.MonkeyPatch, whole_px: int) -> None:
    monkeypatch.setattr(finding, "_WHOLE_PX", whole_px)
    pixels = _Slide(700, 500).read(Rect(0, 0, 700, 500))
    assert levels_of(_Slide(700, 500), 0) == auto_levels(pixels)


def test_no_plane_is_read_whole_for_its_levels() -> None:
    slide = _Slide(8000, 4000)
    levels = levels_of(slide, 0)
    assert slide.most_px <= 1 << 22
    assert levels.low == pytest.approx(500, abs=10)


@pytest.mark.parametrize("size", [(700, 500), (256, 256), (3, 1000), (1000, 3), (65, 513)])
def test_levels_from_bands_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    whole = levels_of(_Slide(*size), 0)
    monkeypatch.setattr(finding, "_BAND_PX", 1)
    assert levels_of(_Slide(*size), 0) == whole


def test_levels_by_channel_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(0)
    pixels = np.stack([rng.integers(0, 100, (300, 200)), rng.integers(5000, 9000, (300, 200))], 2).astype(np.uint16)

    class Source(_Slide):
        def read(self, rect: Rect, level: int = 0, plane: int = 0) -> Pixels:
            return pixels[rect.y : rect.bottom, rect.x : rect.right]

    source = Source(200, 300)
    source.info = ImageInfo(source.info.planes, 2, "uint16", "slide")
    found = levels_by_channel(source, 0)
    assert [round(each.low, -2) for each in found] == [0, 5000]
    assert [round(each.high, -2) for each in found] == [100, 9000]
    values = to_float(pixels, found)
    for channel, levels in enumerate(found):
        assert np.array_equal(values[..., channel], to_float(pixels[..., channel : channel + 1], levels)[..., 0])


LEVELS = st.builds(
    lambda low, width: Levels(low, low + width), st.floats(-1e6, 1e6), st.floats(0.1, 1e6, exclude_min=True)
)


@given(st.lists(st.tuples(LEVELS, LEVELS), min_size=1, max_size=30), st.randoms())
def test_shared_levels_lie_among_those_of_the_planes_in_whatever_order(
    planes: list[tuple[Levels, Levels]], order: object
) -> None:
    found = pooled(planes)
    order.shuffle(planes)  # type: ignore[attr-defined]
    again = pooled(planes)
    assert len(again) == len(found)
    for channel, (a, b) in enumerate(zip(found, again, strict=True)):
        assert (a.low, a.high) == (pytest.approx(b.low), pytest.approx(b.high))
        assert a.low < a.high
        assert a.low >= min(p[channel].low for p in planes) - 1e-6
        assert a.high <= max(p[channel].high for p in planes) + 1e-6


@given(LEVELS, st.integers(1, 40))
def test_planes_that_agree_share_what_each_has(levels: Levels, n: int) -> None:
    ((found),) = pooled([(levels,)] * n)
    assert (found.low, found.high) == (pytest.approx(levels.low), pytest.approx(levels.high))


def test_one_odd_plane_among_many_does_not_stretch_what_they_share() -> None:
    (found,) = pooled([(Levels(100, 1100),)] * 99 + [(Levels(0, 60_000),)])
    assert found == Levels(100, 1100)


def test_nothing_is_shared_where_exposures_or_channels_differ() -> None:
    one, ten = Levels(0, 100), Levels(0, 1000)
    assert pooled([(one,), (one,), (ten,), (one,)]) == ()
    assert pooled([(one, one), (one, ten), (one, one)]) == ()
    assert pooled([(one,), (one, one)]) == ()
    assert pooled([]) == ()


@pytest.mark.parametrize("shape", [(40, 30, 1), (40, 30, 3), (20, 30, 7)])
def test_many_samples_of_eight_bits_are_brought_to_the_same_values_as_a_few(shape: tuple[int, ...]) -> None:
    samples = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for pixels in (samples, samples[:, ::-1]):
        found = to_float(pixels, Levels(13, 199))
        assert found.shape == shape
        assert found.dtype == np.float32
        one_by_one = [to_float(row[:4], Levels(13, 199)) for row in pixels]
        assert np.array_equal(found[:, :4], np.stack(one_by_one))

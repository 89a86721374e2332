import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segstudio.geometry import Rect
from segstudio.imaging import levels as finding
from segstudio.imaging.levels import EIGHT_BIT, Levels, auto_levels, levels_of, to_float
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

    def read(self, plane: int, rect: Rect) -> Pixels:
        whole = self.info.planes[plane]
        assert rect == rect.intersected(Rect(0, 0, whole.width, whole.height))
        self.read_px += rect.area
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
    pixels = _Slide(700, 500).read(0, Rect(0, 0, 700, 500))
    assert levels_of(_Slide(700, 500), 0) == auto_levels(pixels)

"""Values after slope and intercept, from samples that stay as the file has them."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.geometry import Rect
from segstudio.imaging.histogram import histogram, histogram_of_values
from segstudio.imaging.levels import Levels
from segstudio.imaging.samples import HeldSamples
from segstudio.imaging.source import open_image
from segstudio.imaging.values import PLAIN_VALUES, ValuedSamples, levels_in_values, rescale_of, valued
from tests.imaging.dicom_files import write_dicom

HOUNSFIELD = (1.0, -1024.0)


def test_values_of_whole_samples_are_exact_and_plain_samples_are_not_copied() -> None:
    samples = np.array([[[0], [1024], [4095], [65535]]], np.uint16)
    assert valued(samples, HOUNSFIELD)[0, :, 0].tolist() == [-1024, 0, 3071, 64511]
    assert valued(samples, PLAIN_VALUES) is samples
    wide = np.array([[[2**31 - 1]]], np.int32)
    assert valued(wide, (1.0, 1.0))[0, 0, 0] == 2**31


def test_levels_stay_in_order_where_the_slope_is_below_0() -> None:
    assert levels_in_values(Levels(0, 100), (-2.0, 10.0)) == Levels(-190, 10)


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 5.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_a_slope_that_would_leave_nothing_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slope: float, intercept: float
) -> None:
    write_dicom(tmp_path / "a.dcm", np.zeros((4, 4), np.int16))
    source = open_image(tmp_path / "a.dcm")
    monkeypatch.setattr(source, "rescale", lambda _plane: (slope, intercept))
    assert rescale_of(source, 0) == PLAIN_VALUES


def test_rectangles_of_every_level_are_read_in_values() -> None:
    full = np.arange(64, dtype=np.int16).reshape(8, 8, 1)
    shown = ValuedSamples(HeldSamples((full, full[::2, ::2])), (0.5, -3.0))
    assert shown.dtype == np.float32
    assert shown.read(0, Rect(2, 1, 3, 2))[..., 0].tolist() == [[2.0, 2.5, 3.0], [6.0, 6.5, 7.0]]
    assert np.array_equal(shown.overview, full[::2, ::2] * 0.5 - 3)
    assert (shown.sizes, shown.channels, shown.nbytes) == ([(8, 8), (4, 4)], 1, full.nbytes + 32)


@pytest.mark.parametrize("slope", [2.5, -2.5])
def test_a_histogram_of_values_has_the_bins_of_the_samples_and_no_comb(slope: float) -> None:
    samples = np.random.default_rng(1).normal(2000, 300, (90, 90, 1)).astype(np.int16)
    plain = histogram(samples)
    found = histogram_of_values(ValuedSamples(HeldSamples((samples,)), (slope, 7.0)))
    assert plain is not None
    assert found is not None
    assert np.array_equal(found.counts, plain.counts if slope > 0 else plain.counts[:, ::-1])
    assert (found.low, found.high) == tuple(sorted((plain.low * slope + 7, plain.high * slope + 7)))
    assert found.spread == levels_in_values(plain.spread, (slope, 7.0))

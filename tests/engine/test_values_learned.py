"""The network sees values after slope and intercept: slices whose slopes differ are alike where their values are."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.sources import Sources
from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels, pooled
from segstudio.imaging.source import Stored
from tests.imaging.dicom_files import write_dicom

WHOLE = Rect(0, 0, 32, 32)
SIZE = (32, 32)


def _slices(folder: Path, *slopes: tuple[float, float]) -> list[Stored]:
    """Files of the same values, each stored with a slope and an intercept of its own."""
    values = np.random.default_rng(0).uniform(-900, 900, (32, 32)).round(-1)
    stored = []
    for place, (slope, intercept) in enumerate(slopes):
        file = folder / f"{place}.dcm"
        samples = ((values - intercept) / slope).round().astype(np.int16)
        write_dicom(file, samples, RescaleSlope=slope, RescaleIntercept=intercept)
        stored.append(Stored((file,)))
    return stored


def test_slices_of_the_same_values_are_the_same_to_the_network_whatever_their_slopes(tmp_path: Path) -> None:
    sources = Sources()
    stored = _slices(tmp_path, (1.0, -1024.0), (0.5, 0.0), (-1.0, 10.0))
    own = [sources.own_levels(each, 0, SIZE) for each in stored]
    known = [levels for levels in own if levels is not None]
    assert len(known) == 3
    assert [(each[0].low, each[0].high) for each in known] == [pytest.approx((-900, 900), abs=25)] * 3
    shared = pooled(known)
    seen = [sources.pixels(each, 0, WHOLE, SIZE, shared=shared) for each in stored]
    assert np.allclose(seen[0], seen[1], atol=1e-6)
    assert np.allclose(seen[0], seen[2], atol=1e-6)
    alone = [sources.pixels(each, 0, WHOLE, SIZE) for each in stored]
    assert np.allclose(alone[0], alone[2], atol=1e-6), "a slope below 0 turns nothing round"
    sources.close()


def test_shared_levels_are_values(tmp_path: Path) -> None:
    sources = Sources()
    (stored,) = _slices(tmp_path, (1.0, -1024.0))
    seen = sources.pixels(stored, 0, WHOLE, SIZE, shared=(Levels(-1000.0, 1000.0),))
    values = np.random.default_rng(0).uniform(-900, 900, (32, 32)).round(-1)
    assert seen[..., 0] == pytest.approx((values + 1000) / 2000, abs=1e-6)
    sources.close()

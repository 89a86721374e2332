"""How unsure a model is of pixels: each measure on made-up probabilities, and tile by tile of a plane."""

import numpy as np
import pytest
import torch
from torch import nn

from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.learn.model import Model
from segstudio.learn.uncertainty import uncertain_tiles, uncertainty
from segstudio.runs import Measure
from tests.learn.conftest import MemoryData, blob_data

CPU = torch.device("cpu")
MEASURES: tuple[Measure, ...] = ("confidence", "margin", "entropy")


def _pixels(*probabilities: tuple[float, ...]) -> np.ndarray:
    """Pixels in a row, (outputs, 1, w)."""
    return np.array(probabilities, np.float32).T[:, None]


def test_a_pixel_that_is_sure_is_0_by_every_measure_and_one_of_level_classes_is_most_unsure() -> None:
    values = _pixels((1.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3))
    for measure, most in zip(MEASURES, (2 / 3, 1.0, 1.0), strict=True):
        assert uncertainty(measure, values)[0] == pytest.approx([0.0, most], abs=1e-6)
    assert uncertainty("flips", values, values)[0] == pytest.approx([0.0, 0.0])


def test_margin_looks_at_two_classes_and_entropy_at_all() -> None:
    two, many = (0.5, 0.5, 0.0, 0.0), (0.55, 0.15, 0.15, 0.15)
    margin = uncertainty("margin", _pixels(two, many))[0]
    entropy = uncertainty("entropy", _pixels(two, many))[0]
    assert margin == pytest.approx([1.0, 0.6])
    assert entropy[0] == pytest.approx(0.5)
    assert entropy[1] > entropy[0]


def test_flips_is_the_share_of_probability_that_moves() -> None:
    here, there = _pixels((0.9, 0.1), (0.9, 0.1)), _pixels((0.9, 0.1), (0.2, 0.8))
    assert uncertainty("flips", here, there)[0] == pytest.approx([0.0, 0.7], abs=1e-6)
    with pytest.raises(ValueError, match="mirror image"):
        uncertainty("flips", here)


def test_of_two_classes_every_measure_of_one_answer_has_the_same_order() -> None:
    p = np.linspace(0.5, 1, 20, dtype=np.float32)
    orders = [np.argsort(uncertainty(m, np.stack([p, 1 - p])[:, None])[0]).tolist() for m in MEASURES]
    assert orders[0] == orders[1] == orders[2]


@pytest.mark.parametrize("measure", ["confidence", "margin", "entropy", "flips"])
def test_a_model_that_knows_one_class_alone_is_sure(measure: Measure) -> None:
    values = np.ones((1, 2, 3), np.float32)
    assert uncertainty(measure, values, values).max() == 0.0


class _Leaning(nn.Module):
    """Two classes by brightness, but more of the second towards the right edge of what it is shown, if it leans."""

    def __init__(self, lean: float) -> None:
        super().__init__()
        self.lean = lean

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = x.mean(1, keepdim=True)
        level = level + self.lean * torch.linspace(-1, 1, x.shape[-1])
        return torch.cat([-level, level], 1)


def _of_plane(data: MemoryData, lean: float, measure: Measure) -> np.ndarray:
    model = Model("v1", _Leaning(lean), (1, 2), 3, (0.5,) * 3, (0.5,) * 3, 32, CPU)
    entry = data.planes()[0]
    out = np.full((entry.height, entry.width), -1, np.float32)
    for found in uncertain_tiles(model, data, entry, measure):
        if found is not None:
            rect = tile_rect(*found[0]).intersected(entry.bounds)
            assert found[1].shape == (rect.h, rect.w)
            out[rect.y : rect.bottom, rect.x : rect.right] = found[1]
    assert len(list(tiles_of(Rect(0, 0, entry.width, entry.height)))) == 4
    assert out.min() >= 0
    assert out.max() <= 1
    return out


@pytest.fixture(scope="module")
def data() -> MemoryData:
    return blob_data(1, side=300)


def test_a_model_that_sees_left_and_right_alike_agrees_with_its_mirror_image(data: MemoryData) -> None:
    assert _of_plane(data, 0.0, "flips").max() < 0.01


def test_where_an_answer_depends_on_the_side_flips_are_apart(data: MemoryData) -> None:
    apart = _of_plane(data, 2.0, "flips")
    assert apart[:, :20].mean() > 0.8
    assert apart[:, 140:160].mean() < 0.3


def test_by_confidence_tiles_say_how_far_the_best_class_is_from_certain(data: MemoryData) -> None:
    found = _of_plane(data, 0.0, "confidence")
    dark = data.ids[1] == 1
    level = 2 * (data.pictures[1].mean(2) - 0.5)
    expected = 1 - 1 / (1 + np.exp(-2 * np.abs(level)))
    assert np.abs(found - expected)[dark].max() < 0.01

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from segstudio.errors import ProjectDamaged
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import (
    CONFIDENCE_SIDE,
    Proposal,
    ProposalRow,
    ProposalTile,
    decode_confidence,
    encode_confidence,
    quantised_confidence,
)
from segstudio.labels.tiles.tile import Constant
from tests.labels.label_strategies import few

SHAPE = (CONFIDENCE_SIDE, CONFIDENCE_SIDE)


def levels_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 16, SHAPE, np.uint8)


@few
@given(st.integers(0, 2**16))
def test_confidence_survives_its_codec(seed):
    levels = levels_of(seed)
    found = decode_confidence(encode_confidence(levels))
    np.testing.assert_array_equal(found, levels)
    assert found.dtype == np.uint8


@pytest.mark.parametrize(
    "blob",
    [b"", b"no zstd", zstandard.compress(bytes(10)), zstandard.compress(bytes(2_000_000))],
    ids=["empty", "other", "short", "bomb"],
)
def test_confidence_that_is_none_is_refused(blob):
    with pytest.raises(ProjectDamaged):
        decode_confidence(blob)


def test_confidence_is_the_rounded_mean_of_four_by_four_pixels():
    probability = np.random.default_rng(0).random((256, 256), np.float32)
    probability[:4, :4], probability[4:8, :4] = 1.0, 0.0
    found = quantised_confidence(probability)
    assert (found[0, 0], found[1, 0]) == (15, 0)
    for y, x in ((0, 0), (10, 20), (63, 63)):
        mean = float(probability[4 * y : 4 * y + 4, 4 * x : 4 * x + 4].astype(np.float64).mean())
        assert abs(found[y, x] - 15 * mean) <= 0.5 + 1e-4


def test_at_the_edge_of_an_image_the_model_is_as_sure_as_of_the_pixels_along_it():
    probability = np.full((118, 101), 0.8, np.float32)
    probability[:, 100] = 1.0
    found = quantised_confidence(probability)
    assert found.shape == (64, 64)
    assert (found[:, :25] == 12).all()
    assert (found[:, 25:] == 15).all()


def test_a_proposal_gives_classes_and_confidence_of_any_rectangle_and_zero_where_there_is_none():
    levels = levels_of(3)
    tiles = {
        (0, 0): ProposalTile(Constant(5, 0), levels),
        (0, 1): ProposalTile(Constant(0, 0), np.zeros(SHAPE, np.uint8)),
    }
    proposal = Proposal(ImageId(1), 0, 1, "v1", {5: ProposalRow(ClassId(3), 0.5)}, tiles)
    rect = Rect(-2, 250, 300, 10)
    classes, confidence = proposal.class_ids(rect), proposal.confidence(rect)
    assert classes.shape == confidence.shape == (10, 300)
    for y in range(250, 260):
        for x in (-2, -1, 0, 1, 100, 255, 256, 297):
            there = 0 <= x < 256 and y < 256
            assert classes[y - 250, x + 2] == (3 if there else 0)
            assert confidence[y - 250, x + 2] == (levels[y // 4, x // 4] * 17 if there else 0)

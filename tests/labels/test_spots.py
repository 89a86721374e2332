"""Spots: the places most worth a look come first, and what a person decided is none."""

import numpy as np
import pytest

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ObjectId
from segstudio.labels.proposal import CONFIDENCE_SIDE, Proposal
from segstudio.labels.proposal_views import DifferenceTiles, LabelledClasses, ProposedClasses
from segstudio.labels.spots import MOST_SPOTS, different_cells, doubtful_cells, find_spots
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, frozen
from tests.labels.test_proposal_views import CLASSES, IMAGE, LEAF, STEM, document_of, proposal_of

BOUNDS = Rect(0, 0, 2 * TILE, 2 * TILE)


def unsure(*cells: tuple[int, int, int, int, int]) -> Proposal:
    """One tile, sure but in rectangles (x, y, w, h) of cells with a level."""
    levels = np.full((CONFIDENCE_SIDE, CONFIDENCE_SIDE), 15, np.uint8)
    for x, y, w, h, level in cells:
        levels[y : y + h, x : x + w] = level
    return proposal_of({(0, 0): Constant(LEAF, 0)}, levels)


def test_what_is_larger_and_less_sure_comes_first() -> None:
    proposal = unsure((2, 2, 4, 4, 6), (20, 2, 4, 4, 3), (40, 2, 8, 8, 6), (2, 40, 1, 1, 9))
    spots = find_spots(proposal.tiles, doubtful_cells(proposal, document_of({})), BOUNDS)
    assert [spot.rect for spot in spots] == [Rect(160, 8, 32, 32), Rect(80, 8, 16, 16), Rect(8, 8, 16, 16)]
    assert [round(spot.weight, 3) for spot in spots] == [38.4, 12.8, 9.6]


def test_cells_that_touch_at_a_corner_are_one_spot() -> None:
    proposal = unsure((2, 2, 2, 2, 0), (4, 4, 2, 2, 0))
    (spot,) = find_spots(proposal.tiles, doubtful_cells(proposal, document_of({})), BOUNDS)
    assert spot.rect == Rect(8, 8, 16, 16)


@pytest.mark.parametrize(("origin", "found"), [(1, 0), (3, 0), (2, 1), (4, 1), (5, 1)])
def test_what_a_person_painted_or_imported_is_decided_and_what_was_accepted_is_not(origin: int, found: int) -> None:
    proposal = unsure((2, 2, 4, 4, 3))
    whole = document_of({(0, 0): Constant(LEAF, origin)})
    assert len(find_spots(proposal.tiles, doubtful_cells(proposal, whole), BOUNDS)) == found
    ids, origins = np.zeros((TILE, TILE), np.uint32), np.zeros((TILE, TILE), np.uint8)
    ids[8:24, 8:24], origins[8:24, 8:24] = LEAF, origin
    part = document_of({(0, 0): frozen(ids, origins)})
    assert len(find_spots(proposal.tiles, doubtful_cells(proposal, part), BOUNDS)) == found


def test_a_difference_weighs_as_much_as_the_model_is_sure_of_it() -> None:
    ids = np.full((TILE, TILE), LEAF, np.uint32)
    ids[0:16, 0:16], ids[100:116, 100:116] = STEM, STEM
    levels = np.full((CONFIDENCE_SIDE, CONFIDENCE_SIDE), 15, np.uint8)
    levels[:10, :10] = 5
    proposal = proposal_of({(0, 0): Constant(LEAF, 0)}, levels)
    document = document_of({(0, 0): frozen(ids, np.ones((TILE, TILE), np.uint8))})
    tiles = DifferenceTiles(ProposedClasses(proposal, CLASSES), LabelledClasses(document, 0, CLASSES), CLASSES)
    spots = find_spots(proposal.tiles, different_cells(proposal, tiles), BOUNDS)
    assert [(spot.rect, round(spot.weight, 2)) for spot in spots] == [
        (Rect(100, 100, 16, 16), 16.0),
        (Rect(0, 0, 16, 16), 5.33),
    ]


def test_only_the_heaviest_are_kept_and_nothing_outside_the_image_is_one() -> None:
    rng = np.random.default_rng(5)
    weights = {(0, tx): np.zeros((CONFIDENCE_SIDE, CONFIDENCE_SIDE), np.float32) for tx in range(3)}
    for array in weights.values():
        array[::2, ::2] = rng.uniform(1, 9, array[::2, ::2].shape)
    bounds = Rect(0, 0, 2 * TILE + 9, TILE)
    spots = find_spots(weights, weights.get, bounds)
    every = sorted((float(w) for place in ((0, 0), (0, 1)) for w in weights[place].ravel() if w), reverse=True)
    edge = [float(w) for w in weights[0, 2][:, :3].ravel() if w]
    assert len(spots) == MOST_SPOTS
    assert np.allclose([spot.weight for spot in spots], sorted(every + edge, reverse=True)[:MOST_SPOTS])
    assert all(spot.rect == spot.rect.intersected(bounds) for spot in spots)


def test_two_spots_of_one_weight_whose_boxes_share_a_corner_are_both_found() -> None:
    weights = np.zeros((CONFIDENCE_SIDE, CONFIDENCE_SIDE), np.float32)
    weights[:2, :4] = 1
    weights[:3, 5], weights[3, :5] = 1, 1
    spots = find_spots([(0, 0)], {(0, 0): weights}.get, BOUNDS)
    assert sorted((spot.rect.w, spot.rect.h, spot.weight) for spot in spots) == [(16, 8, 8), (24, 16, 8)]


def test_a_search_keeps_no_tile_of_the_labels_in_memory() -> None:
    ids = np.full((TILE, TILE), int(STEM), np.uint32)
    ids[0, 0] = LEAF
    dense = frozen(ids, np.full((TILE, TILE), 2, np.uint8))
    raster = Raster([(8 * TILE, TILE)], lambda _key: dense)
    document = Document(IMAGE, raster, {ObjectId(n): ClassId(n) for n in range(1, 6)}, 6)
    levels = np.full((CONFIDENCE_SIDE, CONFIDENCE_SIDE), 3, np.uint8)
    proposal = proposal_of({(0, tx): Constant(LEAF, 0) for tx in range(8)}, levels)
    before = LabelledClasses(document, 0, CLASSES, passing=True)
    tiles = DifferenceTiles(ProposedClasses(proposal, CLASSES), before, CLASSES)
    for weigh in (doubtful_cells(proposal, document), different_cells(proposal, tiles)):
        assert find_spots(proposal.tiles, weigh, Rect(0, 0, 8 * TILE, TILE))
        assert not raster.in_memory()


def test_a_search_that_nobody_waits_for_ends() -> None:
    assert find_spots([(0, 0)], lambda _place: pytest.fail("looked"), BOUNDS, lambda: True) == ()


def test_nothing_proposed_is_no_spot() -> None:
    proposal = proposal_of({(0, 0): EMPTY})
    assert find_spots([(1, 1)], doubtful_cells(proposal, document_of({})), BOUNDS) == ()


def test_by_other_doubts_than_the_stored_confidence_other_cells_are_spots() -> None:
    proposal = unsure((2, 2, 4, 4, 0))
    doubts = np.zeros((CONFIDENCE_SIDE, CONFIDENCE_SIDE), np.uint8)
    doubts[10:14, 10:14], doubts[30:34, 30:34] = 9, 12
    weigh = doubtful_cells(proposal, document_of({}), {(0, 0): doubts}, least=0.7)
    assert [spot.rect for spot in find_spots(proposal.tiles, weigh, BOUNDS)] == [Rect(120, 120, 16, 16)]
    assert find_spots(proposal.tiles, doubtful_cells(proposal, document_of({}), {}), BOUNDS) == ()

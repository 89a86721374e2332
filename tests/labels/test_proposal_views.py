"""Views of a proposal: where it differs, and how sure it is, tile by tile as pixel by pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.geometry import TILE
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId
from segstudio.labels.proposal import CONFIDENCE_SIDE, Proposal, ProposalRow, ProposalTile
from segstudio.labels.proposal_views import (
    CONFIDENCE_LEVELS,
    ConfidenceTiles,
    DifferenceTiles,
    LabelledClasses,
    ProposedClasses,
    gained,
    lost,
)
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile, expanded, frozen

BACKGROUND, LEAF, STEM, SOIL, MUD = (ClassId(n) for n in range(1, 6))
IMAGE = ImageId(1)
CLASSES = ClassTable(
    (
        LabelClass(BACKGROUND, "background", "#000000", Kind.BACKGROUND, 0, 0),
        LabelClass(LEAF, "leaf", "#00ff00", Kind.INSTANCE, 1, 1),
        LabelClass(STEM, "stem", "#0000ff", Kind.SEMANTIC, 2, 2),
        LabelClass(SOIL, "unclear", "#ff0000", Kind.IGNORE, 3, 3),
        LabelClass(MUD, "twig", "#ffff00", Kind.SEMANTIC, 4, 4, merged_into=STEM),
    )
)
COUNTED = {0: 0, BACKGROUND: BACKGROUND, LEAF: LEAF, STEM: STEM, SOIL: 0, MUD: STEM}
SURE = np.full((CONFIDENCE_SIDE, CONFIDENCE_SIDE), 12, np.uint8)


def tile_of(rng: np.random.Generator) -> Tile:
    """Object ids 0 to 5, whose class is the same number: nothing, all one, or blocks."""
    kind = rng.integers(4)
    if kind < 2:
        return Constant(int(rng.integers(6)), 0)
    blocks = rng.integers(0, 6, (8, 8)).astype(np.uint32)
    return frozen(np.kron(blocks, np.ones((TILE // 8, TILE // 8), np.uint32)), np.zeros((TILE, TILE), np.uint8))


def proposal_of(tiles: dict[tuple[int, int], Tile], confidence: NDArray[np.uint8] = SURE) -> Proposal:
    rows = {n: ProposalRow(ClassId(n), 0.9) for n in range(1, 6)}
    return Proposal(IMAGE, 0, 1, "v1", rows, {place: ProposalTile(tile, confidence) for place, tile in tiles.items()})


def document_of(tiles: dict[tuple[int, int], Tile], side: int = 2 * TILE) -> Document:
    document = Document(IMAGE, Raster([(side, side)]), {ObjectId(n): ClassId(n) for n in range(1, 6)}, 6)
    for place, tile in tiles.items():
        document.raster.put((0, *place), tile)
    return document


def expected(now: Tile, before: Tile) -> NDArray[np.int64]:
    """Codes pixel by pixel, by the definition."""
    count = np.vectorize(COUNTED.__getitem__)
    a, b = count(expanded(now)[0].astype(int)), count(expanded(before)[0].astype(int))
    differs = (a != b) & (a > 0) & (b > 0)
    return np.where(differs, np.where(a == BACKGROUND, lost(0) + 2 * b, gained(1) * a), 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_tile_differs_where_both_sides_have_another_class_that_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    now, before = tile_of(rng), tile_of(rng)
    proposed = ProposedClasses(proposal_of({(0, 1): now}), CLASSES)
    for other in (
        ProposedClasses(proposal_of({(0, 1): before}), CLASSES),
        LabelledClasses(document_of({(0, 1): before}), 0, CLASSES),
    ):
        tiles = DifferenceTiles(proposed, other, CLASSES)
        assert np.array_equal(expanded(tiles.look((0, 0, 1)))[0], expected(now, before))
        assert tiles.held(0) == [(0, 0, 1)]
        assert expanded(tiles.look((0, 0, 0)))[0].max() == 0


def test_a_tile_known_to_be_constant_is_not_computed_again_until_its_labels_change() -> None:
    document = document_of({(0, 0): Constant(STEM, 1)})
    proposed = ProposedClasses(proposal_of({(0, 0): Constant(LEAF, 0)}), CLASSES)
    tiles = DifferenceTiles(proposed, LabelledClasses(document, 0, CLASSES), CLASSES)
    assert tiles.peek((0, 0, 0)) is None
    assert tiles.look((0, 0, 0)) == tiles.peek((0, 0, 0)) == Constant(gained(LEAF), 0)
    document.raster.put((0, 0, 0), Constant(LEAF, 1))
    assert tiles.peek((0, 0, 0)) is None
    assert tiles.look((0, 0, 0)) == EMPTY
    tiles.forget([(0, 0, 0)])
    assert tiles.peek((0, 0, 0)) is None


def test_an_object_made_since_counts_with_its_class() -> None:
    document = document_of({(0, 0): Constant(STEM, 1)})
    tiles = DifferenceTiles(
        ProposedClasses(proposal_of({(0, 0): Constant(LEAF, 0)}), CLASSES),
        LabelledClasses(document, 0, CLASSES),
        CLASSES,
    )
    document._remember(ObjectId(900), BACKGROUND)
    document.raster.put((0, 0, 0), Constant(900, 1))
    assert tiles.look((0, 0, 0)) == Constant(gained(LEAF), 0)


def test_the_least_sure_pixel_has_the_highest_code_and_nothing_is_said_where_nothing_was_proposed() -> None:
    confidence = SURE.copy()
    confidence[3, 5] = 0
    tiles = ConfidenceTiles(proposal_of({(0, 0): EMPTY}, confidence))
    codes = expanded(tiles.look((0, 0, 0)))[0]
    assert codes[12:16, 20:24].tolist() == [[CONFIDENCE_LEVELS] * 4] * 4
    codes = codes.copy()
    codes[12:16, 20:24] = CONFIDENCE_LEVELS - 12
    assert set(np.unique(codes)) == {CONFIDENCE_LEVELS - 12}
    assert tiles.peek((0, 0, 1)) == EMPTY
    assert tiles.look((0, 0, 1)) == EMPTY

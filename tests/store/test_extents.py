import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile, expanded, frozen, writable_copy
from segstudio.store.project import Project
from segstudio.store.writing.tile_stats import Extent, TileEffect, extents, tile_effect
from tests.store.store_painting import CELL, FIRST, commit, flushed, paint, painted

ids_ = st.sampled_from([0, 1, 2, 3, 70_000, 4_000_000_000])
patches = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(1, 90), ids_, st.integers(1, 5)))
tiles = st.one_of(
    st.builds(lambda id_, origin: Constant(id_, origin if id_ else 0), ids_, st.integers(1, 5)),
    st.builds(lambda base, drawn: _patched(base, drawn), st.builds(Constant, ids_, st.just(1)), patches),
)


def _patched(base: Tile, drawn: list[tuple[int, int, int, int, int]]) -> Tile:
    ids, origins = writable_copy(base)
    for x, y, side, id_, origin in drawn:
        ids[y : y + side, x : x + side] = id_
        origins[y : y + side, x : x + side] = origin if id_ else 0
    origins[ids == 0] = 0
    return frozen(ids, origins)


def _naive(tile: Tile) -> tuple[dict[tuple[int, int], int], dict[int, Extent]]:
    ids, origins = expanded(tile)
    counts: dict[tuple[int, int], int] = {}
    found: dict[int, Extent] = {}
    for id_ in set(np.unique(ids).tolist()) - {0}:
        ys, xs = np.nonzero(ids == id_)
        found[id_] = Extent(len(xs), xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        for origin in range(6):
            if n := int(((ids == id_) & (origins == origin)).sum()):
                counts[id_, origin] = n
    return counts, found


@settings(max_examples=60, deadline=None)
@given(before=tiles, after=tiles)
def test_the_effect_of_a_change_leads_from_the_counts_before_to_those_after(before: Tile, after: Tile) -> None:
    (counts_before, extents_before), (counts_after, extents_after) = _naive(before), _naive(after)
    effect = tile_effect(before, after)
    for key in counts_before.keys() | counts_after.keys() | effect.gained.keys():
        assert counts_before.get(key, 0) + effect.gained.get(key, 0) == counts_after.get(key, 0)
    for id_ in extents_before.keys() | extents_after.keys():
        expected = extents_after.get(id_)
        assert effect.extents.get(id_, extents_before.get(id_)) == expected


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), many=st.integers(9, 120))
def test_extents_of_many_objects_equal_those_found_one_by_one(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.repeat(rng.integers(0, many, (32, 32)).astype(np.uint32), 8, 0), 8, 1)
    tile = frozen(ids, (ids > 0).astype(np.uint8))
    wanted = set(range(1, many, 2)) | {99_999}
    expected = {id_: extent for id_, extent in _naive(tile)[1].items() if id_ in wanted}
    assert extents(tile, wanted) == expected


def test_nothing_changes_between_equal_tiles() -> None:
    assert tile_effect(Constant(3, 1), Constant(3, 1)) == TileEffect({}, {}, 0)


def test_a_change_of_origin_alone_moves_counts_and_no_extent() -> None:
    effect = tile_effect(Constant(3, 1), Constant(3, 2))
    assert effect == TileEffect({(3, 1): -TILE * TILE, (3, 2): TILE * TILE}, {}, TILE * TILE)


def test_the_box_of_an_object_over_several_tiles_shrinks_with_it(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(10, 20, 580, 370), CELL)
    for cut, left in (
        (Rect(0, 0, 300, 400), (300, 20, 590, 390)),
        (Rect(500, 0, 100, 400), (300, 20, 500, 390)),
        (Rect(0, 0, 600, 256), (300, 256, 500, 390)),
        (Rect(0, 380, 600, 20), (300, 256, 500, 380)),
    ):
        commit(project, document, painted(document, cut, 0))
        flushed(project)
        assert project.objects(FIRST)[0].box == left
    commit(project, document, painted(document, Rect(0, 0, 600, 400), 0))
    flushed(project)
    found = project.objects(FIRST)[0]
    assert (found.area, found.box, project.image(FIRST).objects) == (0, None, 0)
    assert project.tile(FIRST, (0, 0, 0)) == EMPTY

"""Overviews: nothing labelled is lost from afar, and what is kept is what would be computed anew."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.edit import TileKey
from segstudio.labels.tiles.overview import FACTOR, LEVELS, Overviews, marks_of, reduced
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, Tile, frozen, writable_copy

SIZE = (3 * TILE, 3 * TILE)
LOOKUP = np.array([0, 1, 2, 3, 1, 2], np.uint8)


def raster_of(seed: int) -> Raster:
    """A raster with constant, dense and empty tiles."""
    rng = np.random.default_rng(seed)
    raster = Raster([SIZE])
    for key in raster.keys(0):
        kind = rng.integers(3)
        if kind == 1:
            raster.put(key, Constant(int(rng.integers(1, 6)), 1))
        elif kind == 2:
            ids = np.where(rng.random((TILE, TILE)) < 0.02, rng.integers(1, 6, (TILE, TILE)), 0).astype(np.uint32)
            raster.put(key, frozen(ids, (ids > 0).astype(np.uint8)))
    return raster


def naive(raster: Raster, rect: Rect, level: int) -> np.ndarray:
    """Marks of a level, pixel by pixel of the definition."""
    step = FACTOR**level
    ids, _ = raster.read(0, Rect(rect.x * step, rect.y * step, rect.w * step, rect.h * step))
    return LOOKUP[ids].reshape(rect.h, step, rect.w, step).max((1, 3))


def dense_tile(value: int = 2) -> Dense:
    ids = np.zeros((TILE, TILE), np.uint32)
    ids[7, 9] = value
    return Dense(ids, (ids > 0).astype(np.uint8))


class Tiles:
    """Tiles by key, each with its identity for a stamp."""

    def __init__(self, tiles: dict[TileKey, Tile], default: Tile = EMPTY) -> None:
        self._tiles, self._default = tiles, default

    def look(self, key: TileKey) -> Tile:
        return self._tiles.get(key, self._default)

    peek = look

    def stamp(self, key: TileKey) -> int:
        return id(self.look(key))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, LEVELS), st.data())
def test_every_level_is_the_highest_mark_of_its_pixels(seed: int, level: int, data: st.DataObject) -> None:
    side = TILE // FACTOR**level
    w, h = side * 3, side * 3
    x, y = data.draw(st.integers(0, w - 1)), data.draw(st.integers(0, h - 1))
    rect = Rect(x, y, data.draw(st.integers(1, w - x)), data.draw(st.integers(1, h - y)))
    raster, overviews = raster_of(seed), Overviews()
    overviews.set_lookup(LOOKUP)
    overviews.region(raster, 0, Rect(0, 0, w, h), max(level - 1, 0))
    for _ in range(2):
        marks, late = overviews.region(raster, 0, rect, level)
        assert late == []
        assert np.array_equal(marks, naive(raster, rect, level))


def test_a_single_labelled_pixel_wins_over_none_at_every_level() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP)
    tile = dense_tile()
    for level in range(LEVELS + 1):
        side = TILE // FACTOR**level
        marks, _ = overviews.region(Tiles({}, tile), 0, Rect(0, 0, side, side), level)
        assert marks.max() == 2


def test_a_level_from_the_level_below_is_the_level_from_pixels() -> None:
    marks = marks_of(np.random.default_rng(1).integers(0, 6, (TILE, TILE)).astype(np.uint32), LOOKUP)
    assert np.array_equal(reduced(reduced(marks, 4), 4), reduced(marks, 16))


def test_a_replaced_tile_is_seen_and_one_painted_in_place_after_forget() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP)
    first = dense_tile(2)
    tiles: dict[TileKey, Tile] = {(0, 0, 0): first}
    one = Rect(0, 0, 1, 1)
    assert overviews.region(Tiles(tiles), 0, one, LEVELS)[0][0, 0] == 2
    second = tiles[0, 0, 0] = dense_tile(3)
    assert overviews.region(Tiles(tiles), 0, one, LEVELS)[0][0, 0] == 3
    second.ids[7, 9] = 1
    overviews.forget([(0, 0, 0)])
    assert overviews.region(Tiles(tiles), 0, one, LEVELS)[0][0, 0] == 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, LEVELS), st.data())
def test_a_part_that_was_touched_is_computed_again_and_equals_all_of_it(
    seed: int, level: int, data: st.DataObject
) -> None:
    raster, overviews = raster_of(seed), Overviews()
    overviews.set_lookup(LOOKUP)
    side = TILE // FACTOR**level
    everything = Rect(0, 0, 3 * side, 3 * side)
    overviews.region(raster, 0, everything, level)
    overviews.region(raster, 0, Rect(0, 0, 3 * TILE // 2, 3 * TILE // 2), 1)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        x, y = data.draw(st.integers(0, TILE - 1)), data.draw(st.integers(0, TILE - 1))
        rect = Rect(x, y, data.draw(st.integers(1, TILE - x)), data.draw(st.integers(1, TILE - y)))
        key = (0, int(rng.integers(3)), int(rng.integers(3)))
        ids, origins = writable_copy(raster.tile(key))
        ids[rect.y : rect.bottom, rect.x : rect.right] = rng.integers(0, 6)
        raster.put(key, frozen(ids, origins))
        overviews.touch(key, rect)
        marks, _ = overviews.region(raster, 0, everything, level)
        assert np.array_equal(marks, naive(raster, everything, level))


def test_of_a_very_large_plane_only_tiles_with_labels_are_asked() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP)
    raster = Raster([(100_000, 100_000)])
    for place in ((0, 0), (200, 31), (390, 390)):
        raster.put((0, *place), Constant(2, 1))
    asked: list[TileKey] = []
    peek = raster.peek
    raster.peek = lambda key: asked.append(key) or peek(key)  # type: ignore[method-assign]
    marks, late = overviews.region(raster, 0, Rect(0, 0, 391, 391), LEVELS)
    assert late == []
    assert np.argwhere(marks == 2).tolist() == [[0, 0], [200, 31], [390, 390]]
    assert len(asked) == 3


def test_a_new_object_leaves_the_rest_and_a_changed_class_drops_it() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP[:3])
    tile = dense_tile(2)
    overviews.region(Tiles({}, tile), 0, Rect(0, 0, 64, 64), 2)
    assert overviews.bytes_held > 0
    assert not overviews.set_lookup(LOOKUP[:4])
    assert overviews.bytes_held > 0
    assert overviews.set_lookup(np.array([0, 1, 3, 3], np.uint8))
    assert overviews.bytes_held == 0
    assert overviews.region(Tiles({}, tile), 0, Rect(0, 0, 64, 64), 2)[0].max() == 3


def test_an_id_without_a_row_shows_nothing() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP[:2])
    tiles = {(0, 0, 0): dense_tile(5), (0, 0, 1): Constant(9, 1)}
    marks, _ = overviews.region(Tiles(tiles), 0, Rect(0, 0, 2, 1), LEVELS)
    assert not marks.any()


def test_without_time_at_least_one_tile_is_computed_and_the_others_are_named() -> None:
    overviews = Overviews()
    overviews.set_lookup(LOOKUP)
    tiles = {(0, ty, tx): dense_tile() for ty, tx in product(range(2), range(2))}
    marks, late = overviews.region(Tiles(tiles), 0, Rect(0, 0, 2, 2), LEVELS, deadline=0.0)
    assert len(late) == 3
    assert np.count_nonzero(marks) == 1
    for _ in range(3):
        marks, late = overviews.region(Tiles(tiles), 0, Rect(0, 0, 2, 2), LEVELS, deadline=0.0)
    assert late == []
    assert np.count_nonzero(marks) == 4


def test_memory_stays_within_the_budget() -> None:
    overviews = Overviews(budget_bytes=3 * TILE * TILE)
    overviews.set_lookup(LOOKUP)
    tiles = {(0, 0, tx): dense_tile() for tx in range(9)}
    overviews.region(Tiles(tiles), 0, Rect(0, 0, 9 * TILE, TILE), 0)
    assert 0 < overviews.bytes_held <= 3 * TILE * TILE


@pytest.mark.parametrize("factor", [1, 2, 4, 16])
def test_reduced_keeps_wide_marks(factor: int) -> None:
    marks = np.arange(256, dtype=np.uint16).reshape(16, 16) + 300
    assert reduced(marks, factor).shape == (16 // factor, 16 // factor)
    assert reduced(marks, factor).max() == 555


@pytest.mark.parametrize("most", [0, 1, 3, 4, 200, 255, 256, 70_000])
@pytest.mark.parametrize("known", [2, 4, 90, 300])
@pytest.mark.parametrize("first", [0, 7])
def test_marks_are_those_of_the_look_up_whichever_way_is_fastest(most: int, known: int, first: int) -> None:
    random = np.random.default_rng(most + known)
    lookup = random.integers(0, 9, known).astype(np.uint8)
    lookup[0] = first
    for side in (8, TILE):
        ids = random.integers(0, most + 1, (side, side)).astype(np.uint32)
        ids[-1, -1] = most
        assert np.array_equal(marks_of(ids, lookup), lookup[np.minimum(ids, known - 1)])

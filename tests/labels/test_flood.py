"""Areas of matching pixels against a plain flood of the whole plane, one pixel at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.errors import UserError
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.paint.flood import Mask, Matches, everywhere, flooded, of_label
from segstudio.labels.paint.region import Place, Region
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, frozen

SIZES = [(1, 1), (40, 30), (256, 256), (257, 300), (520, 270)]


def plain_flood(plane: np.ndarray, x: int, y: int) -> np.ndarray:
    """The 4-connected pixels that are True, from (x, y) on."""
    found = np.zeros(plane.shape, np.bool_)
    front = [(y, x)] if plane[y, x] else []
    while front:
        at = front.pop()
        if found[at]:
            continue
        found[at] = True
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            to = (at[0] + dy, at[1] + dx)
            if 0 <= to[0] < plane.shape[0] and 0 <= to[1] < plane.shape[1] and plane[to] and not found[to]:
                front.append(to)
    return found


def of_plane(plane: np.ndarray, told: list[Place] | None = None) -> Matches:
    """The tiles of a plane; whole and empty ones are told as such, and what lies beyond it pretends to match."""
    padded = np.ones(tuple(-(-side // TILE) * TILE for side in plane.shape), np.bool_)
    padded[: plane.shape[0], : plane.shape[1]] = plane

    def matches(place: Place) -> Mask | bool:
        if told is not None:
            told.append(place)
        rect = tile_rect(*place)
        tile = np.ascontiguousarray(padded[rect.y : rect.bottom, rect.x : rect.right])
        return bool(tile[0, 0]) if tile.all() or not tile.any() else tile

    return matches


def mask_of(region: Region | None, plane: np.ndarray) -> np.ndarray:
    assert region is not None
    assert all(mask is None or mask.any() for mask in region.tiles.values())
    return region.mask(Rect(0, 0, plane.shape[1], plane.shape[0]))


@st.composite
def planes(draw: st.DrawFn) -> np.ndarray:
    """Noise, blobs, or a maze of walls that leads through many tiles again and again."""
    w, h = draw(st.sampled_from(SIZES))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    kind = draw(st.sampled_from(["noise", "blobs", "maze"]))
    if kind == "noise":
        return rng.random((h, w)) < draw(st.sampled_from([0.4, 0.59, 0.7, 1.0]))
    if kind == "blobs":
        side = draw(st.sampled_from([7, 64, 256]))
        coarse = rng.random((-(-h // side), -(-w // side))) < 0.6
        return np.kron(coarse, np.ones((side, side), np.bool_))[:h, :w]
    plane = np.ones((h, w), np.bool_)
    step = draw(st.sampled_from([2, 5, 31]))
    for n, row in enumerate(range(step - 1, h, step)):
        plane[row] = False
        plane[row, 0 if n % 2 else w - 1] = True
    return plane


@given(planes(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_flood_is_the_plain_flood_across_the_borders_of_tiles(plane: np.ndarray, data: st.DataObject) -> None:
    y, x = (data.draw(st.integers(0, side - 1)) for side in plane.shape)
    bounds = Rect(0, 0, plane.shape[1], plane.shape[0])
    assert np.array_equal(mask_of(flooded((x, y), bounds, of_plane(plane)), plane), plain_flood(plane, x, y))
    assert np.array_equal(mask_of(everywhere(bounds, of_plane(plane)), plane), plane)


@given(st.sampled_from(SIZES), st.integers(0, 1 << 30), st.data())
@settings(max_examples=15, deadline=None)
def test_the_area_of_a_label_is_that_of_equal_ids(size: tuple[int, int], seed: int, data: st.DataObject) -> None:
    w, h = size
    rng = np.random.default_rng(seed)
    ids = np.kron(rng.integers(0, 3, (-(-h // 64), -(-w // 64))), np.ones((64, 64))).astype(np.uint32)[:h, :w]
    raster = Raster((size,))
    for key in raster.keys(0):
        rect = tile_rect(*key[1:])
        part = ids[rect.y : rect.bottom, rect.x : rect.right]
        tile = np.zeros((TILE, TILE), np.uint32)
        tile[: part.shape[0], : part.shape[1]] = part
        raster.put(key, frozen(tile, (tile > 0).astype(np.uint8)))
    x, y = data.draw(st.integers(0, w - 1)), data.draw(st.integers(0, h - 1))
    label = int(ids[y, x])
    region = flooded((x, y), raster.bounds(0), of_label(raster.look, 0, label))
    assert np.array_equal(mask_of(region, ids), plain_flood(ids == label, x, y))


def test_tiles_of_one_label_are_taken_whole_and_asked_for_once() -> None:
    raster = Raster(((100_000, 100_000),))
    raster.put((0, 3, 5), Constant(7, 1))
    asked: list[Place] = []
    inner = of_label(raster.look, 0, 0)

    def matches(place: Place) -> Mask | bool:
        asked.append(place)
        return inner(place)

    region = flooded((10, 10), Rect(0, 0, 5120, 5120), matches)
    assert region is not None
    assert len(region.tiles) == 20 * 20 - 1
    assert all(mask is None for mask in region.tiles.values())
    assert len(asked) == 20 * 20


def test_a_flood_stops_when_it_is_cancelled() -> None:
    calls: list[int] = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 3

    plane = np.ones((2000, 2000), np.bool_)
    assert flooded((0, 0), Rect(0, 0, 2000, 2000), of_plane(plane), cancelled) is None
    assert everywhere(Rect(0, 0, 2000, 2000), of_plane(plane), cancelled) is None


@pytest.mark.parametrize("find", [lambda b, m: flooded((0, 0), b, m, largest_tiles=3),
                                  lambda b, m: everywhere(b, m, largest_tiles=3)])  # fmt: skip
def test_an_area_that_is_too_scattered_is_refused_in_a_sentence(find) -> None:
    comb = np.ones((1024, 1024), np.bool_)
    comb[1:, ::2] = False
    with pytest.raises(UserError, match="too large and too scattered"):
        find(Rect(0, 0, 1024, 1024), of_plane(comb))


def test_a_seed_that_does_not_match_or_lies_outside_gives_nothing() -> None:
    plane = np.zeros((300, 300), np.bool_)
    bounds = Rect(0, 0, 300, 300)
    for seed in ((5, 5), (-1, 5), (300, 0)):
        region = flooded(seed, bounds, of_plane(plane))
        assert region is not None
        assert region.empty

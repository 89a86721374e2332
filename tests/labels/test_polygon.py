"""Outlines as regions, against the rule itself: for every pixel's centre, in exact numbers, how often it is crossed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.paint.polygon import MAX_COORDINATE, ellipse_region, polygon_region, rectangle_region
from segstudio.labels.paint.region import Region

CLIP = Rect(0, 0, 23, 17)
Point = tuple[float, float]

halves = st.integers(-12, 60).map(lambda n: n / 2)
eighths = st.integers(-40, 220).map(lambda n: n / 8)
fine = st.integers(-9 * 2**16, 32 * 2**16).map(lambda n: n / 2**16)
"""Finer than any pointer. A corner 1e-62 beside another lies beyond what a float can tell of a crossing."""


def rings_of(number: st.SearchStrategy[float]) -> st.SearchStrategy[list[list[Point]]]:
    return st.lists(st.lists(st.tuples(number, number), max_size=9), min_size=1, max_size=3)


def crossed(ring: list[Point], x: Fraction, y: Fraction) -> int:
    """How many edges lie at or to the left of a point in its row; of an edge's ends the upper one counts."""
    times = 0
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        (ax, ay), (bx, by) = (tuple(map(Fraction, end)) for end in (a, b))
        if (ay <= y) != (by <= y) and ax + (y - ay) * (bx - ax) / (by - ay) <= x:
            times += 1
    return times


def by_the_rule(rings: list[list[Point]], clip: Rect) -> np.ndarray:
    out = np.zeros((clip.h, clip.w), np.bool_)
    half = Fraction(1, 2)
    for y, x in np.ndindex(clip.h, clip.w):
        at = Fraction(clip.x + x) + half, Fraction(clip.y + y) + half
        out[y, x] = sum(crossed(ring, *at) for ring in rings if len(ring) > 2) % 2
    return out


def is_well_formed(region: Region) -> bool:
    """No empty mask, and none that is full."""
    return all(mask is None or (mask.any() and not mask.all()) for mask in region.tiles.values())


@pytest.mark.parametrize("number", [halves, eighths, fine], ids=["halves", "eighths", "fine"])
def test_the_centres_inside_by_the_even_odd_rule_are_painted_ties_included(
    number: st.SearchStrategy[float],
) -> None:
    @settings(max_examples=120, deadline=None)
    @given(rings_of(number))
    def holds(rings: list[list[Point]]) -> None:
        region = polygon_region(rings, CLIP)
        assert np.array_equal(region.mask(CLIP), by_the_rule(rings, CLIP))
        assert region.area == by_the_rule(rings, CLIP).sum()

    holds()


def test_a_centre_on_an_edge_belongs_to_the_shape_right_of_it_or_below() -> None:
    region = polygon_region([[(2.5, 2.5), (5.5, 2.5), (5.5, 4.5), (2.5, 4.5)]], CLIP)
    assert region.bounds == Rect(2, 2, 3, 2)
    assert region.area == 6
    # Below the diagonal the inside is to its left, above it to its right.
    lower = polygon_region([[(0.5, 0.5), (0.5, 8.5), (8.5, 8.5)]], CLIP).mask(CLIP)
    upper = polygon_region([[(0.5, 0.5), (8.5, 0.5), (8.5, 8.5)]], CLIP).mask(CLIP)
    assert not (lower & upper).any()
    assert np.array_equal(lower | upper, rectangle_region(0.5, 0.5, 8.5, 8.5, CLIP).mask(CLIP))
    assert upper.diagonal()[:8].all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(eighths, eighths), min_size=3, max_size=8), st.integers(0, 7))
def test_where_a_ring_begins_and_which_way_it_goes_round_does_not_matter(ring: list[Point], turn: int) -> None:
    other = (ring[turn % len(ring) :] + ring[: turn % len(ring)])[::-1]
    assert np.array_equal(polygon_region([ring], CLIP).mask(CLIP), polygon_region([other], CLIP).mask(CLIP))


def test_a_hole_is_left_out_and_an_island_in_it_painted() -> None:
    rings = [
        [(1, 1), (20, 1), (20, 16), (1, 16)],
        [(4, 4), (16, 4), (16, 13), (4, 13)],
        [(7, 7), (9, 7), (9, 9), (7, 9)],
    ]
    mask = polygon_region(rings, CLIP).mask(CLIP)
    assert (mask[2, 2], mask[5, 5], mask[8, 8]) == (True, False, True)


EMPTY: dict[str, list[Point]] = {
    "nothing": [],
    "a point": [(3, 3)],
    "a line": [(3, 3), (9, 9)],
    "there and back": [(3, 3), (9, 9), (3, 3)],
    "between centres": [(2.6, 2.6), (3.4, 2.6), (3.4, 3.4)],
    "outside": [(-9, -9), (-2, -9), (-9, -2)],
}


@pytest.mark.parametrize("ring", EMPTY.values(), ids=EMPTY)
def test_what_encloses_no_centre_is_empty(ring: list[Point]) -> None:
    assert polygon_region([ring], CLIP).empty


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 2 * MAX_COORDINATE])
def test_a_vertex_that_is_no_place_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="vertex"):
        polygon_region([[(1.0, 1.0), (number, 4.0), (4.0, 4.0)]], CLIP)


def test_a_shape_far_beyond_the_image_covers_all_of_it() -> None:
    far = 0.9 * MAX_COORDINATE
    region = polygon_region([[(-far, -far), (far, -far), (far, far), (-far, far)]], CLIP)
    assert region.area == CLIP.area


def test_inner_tiles_have_no_mask() -> None:
    clip = Rect(0, 0, 6 * TILE + 10, 5 * TILE + 7)
    region = polygon_region([[(30, 20), (clip.right + 40, 20), (clip.right + 40, 4 * TILE), (30, 4 * TILE)]], clip)
    assert {place for place, mask in region.tiles.items() if mask is None} == {
        (ty, tx) for ty in (1, 2, 3) for tx in range(1, 6)
    }
    assert is_well_formed(region)
    assert region.area == (clip.right - 30) * (4 * TILE - 20)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40))
def test_tiles_agree_with_one_another_on_a_shape_over_many(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    clip = Rect(0, 0, 700, 600)
    ring = np.round(rng.uniform(-100, 800, (count, 2)) * 4) / 4
    region = polygon_region([ring], clip)
    mask = np.zeros((clip.h, clip.w), np.bool_)
    a, b = ring, np.roll(ring, -1, axis=0)
    for y in range(clip.h):
        crosses = (a[:, 1] <= y + 0.5) != (b[:, 1] <= y + 0.5)
        (ax, ay), (bx, by) = a[crosses].T, b[crosses].T
        for x in ax + (y + 0.5 - ay) * (bx - ax) / (by - ay):
            mask[y] ^= np.arange(clip.w) + 0.5 >= x
    assert np.array_equal(region.mask(clip), mask)
    assert is_well_formed(region)


def test_more_crossings_than_fit_into_memory_at_once_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = np.random.default_rng(3).uniform(-50, 800, (300, 2))
    clip = Rect(0, 0, 700, 600)
    whole = polygon_region([ring], clip).mask(clip)
    monkeypatch.setattr("segstudio.labels.paint.polygon._CROSSINGS", 1000)
    assert np.array_equal(polygon_region([ring], clip).mask(clip), whole)


def test_a_hundred_thousand_points_that_cross_each_other_are_no_trouble() -> None:
    turn = np.linspace(0, 200 * np.pi, 100_000)
    radius = 900 + 80 * np.sin(turn * 7.3)
    ring = np.stack([1000 + radius * np.cos(turn), 1000 + radius * np.sin(turn)], axis=1)
    region = polygon_region([ring], Rect(0, 0, 2000, 2000))
    assert not region.empty
    assert is_well_formed(region)


def test_nobody_waits_for_a_shape_that_is_cancelled() -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 2

    region = polygon_region([[(0, 0), (9, 0), (9, 9000), (0, 9000)]], Rect(0, 0, 10, 9000), cancelled)
    assert {ty for ty, _ in region.tiles} == {0, 1}


# --- boxes -----------------------------------------------------------------------------------------------------------

boxes = st.tuples(eighths, eighths, eighths, eighths).map(
    lambda n: (min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
)


@settings(max_examples=150, deadline=None)
@given(boxes)
def test_a_rectangle_is_the_polygon_of_its_corners(box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    expected = polygon_region([corners], CLIP)
    assert np.array_equal(rectangle_region(*box, CLIP).mask(CLIP), expected.mask(CLIP))


@settings(max_examples=200, deadline=None)
@given(boxes)
def test_an_ellipse_has_the_centres_inside_it_ties_to_the_right_and_below(
    box: tuple[float, float, float, float],
) -> None:
    left, top, right, bottom = (Fraction(number) for number in box)
    expected = np.zeros((CLIP.h, CLIP.w), np.bool_)
    a, b, half = (right - left) / 2, (bottom - top) / 2, Fraction(1, 2)
    for py, px in np.ndindex(CLIP.h, CLIP.w):
        x, y = px + half - left - a, py + half - top - b
        inside, on = (x * b) ** 2 + (y * a) ** 2 - (a * b) ** 2, a > 0 and b > 0
        expected[py, px] = on and (inside < 0 or (inside == 0 and (x < 0 or (x == 0 and y < 0))))
    assert np.array_equal(ellipse_region(*box, CLIP).mask(CLIP), expected)


@pytest.mark.parametrize("size", [3.0, 40.0, 700.0])
def test_a_circle_of_a_box_on_pixel_corners_is_symmetric(size: float) -> None:
    clip = Rect(0, 0, int(size), int(size))
    mask = ellipse_region(0, 0, size, size, clip).mask(clip)
    assert np.array_equal(mask, mask[::-1])
    assert np.array_equal(mask, mask[:, ::-1])
    assert np.array_equal(mask, mask.T)
    assert mask.sum() == pytest.approx(np.pi * size**2 / 4, rel=0.3 if size == 3 else 0.01)

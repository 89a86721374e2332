from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect, ViewTransform, tile_rect, tiles_of

small = st.integers(-12, 12)
rects = st.builds(Rect, small, small, st.integers(-1, 9), st.integers(-1, 9))
floats = st.floats(-1e4, 1e4)
transforms = st.builds(ViewTransform, st.floats(1e-3, 200), floats, floats)
quick = settings(max_examples=150, deadline=None)


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


@quick
@given(rects, rects)
def test_rectangles_meet_and_join_as_sets_of_pixels(a, b):
    assert pixels(a.intersected(b)) == pixels(a) & pixels(b)
    assert a.intersected(b).empty == (not pixels(a) & pixels(b))
    assert a.area == len(pixels(a))
    joined = a.united(b)
    assert pixels(joined) >= pixels(a) | pixels(b)
    if pixels(a) and pixels(b):
        assert (joined.x, joined.y) == (min(a.x, b.x), min(a.y, b.y))
        assert (joined.right, joined.bottom) == (max(a.right, b.right), max(a.bottom, b.bottom))
    elif pixels(a) or pixels(b):
        assert pixels(joined) == pixels(a) | pixels(b)
    else:
        assert joined.empty


@quick
@given(rects, small, small, st.integers(0, 3))
def test_moving_and_growing_do_what_they_say(rect, dx, dy, margin):
    assert pixels(rect.moved(dx, dy)) == {(x + dx, y + dy) for x, y in pixels(rect)}
    grown = rect.grown(margin)
    assert (grown.x, grown.right) == (rect.x - margin, rect.right + margin)
    assert (grown.y, grown.bottom) == (rect.y - margin, rect.bottom + margin)


@quick
@given(floats, floats, st.floats(0, 100), st.floats(0, 100))
def test_the_rectangle_of_edges_is_the_smallest_that_covers_them(left, top, w, h):
    found = Rect.of_edges(left, top, left + w, top + h)
    assert (found.x, found.y) == (floor(left), floor(top))
    assert (found.right, found.bottom) == (ceil(left + w), ceil(top + h))


@quick
@given(st.builds(Rect, st.integers(-600, 600), st.integers(-600, 600), st.integers(0, 700), st.integers(0, 700)))
def test_the_tiles_of_a_rectangle_are_those_it_shares_a_pixel_with_row_by_row(rect):
    near = [(ty, tx) for ty in range(-4, 7) for tx in range(-4, 7)]
    assert list(tiles_of(rect)) == [key for key in near if not tile_rect(*key).intersected(rect).empty]


def test_a_tile_has_its_place_and_side():
    assert tile_rect(2, -1) == Rect(-TILE, 2 * TILE, TILE, TILE)


@quick
@given(transforms, floats, floats)
def test_a_position_comes_back_from_the_view(transform, x, y):
    tolerance = 1e-9 * (1 + abs(x) + abs(y) + (abs(transform.dx) + abs(transform.dy)) / transform.scale)
    assert transform.to_image(*transform.to_view(x, y)) == pytest.approx((x, y), abs=tolerance)


@quick
@given(transforms, st.floats(0.2, 5), floats, floats)
def test_zooming_keeps_the_image_under_the_cursor(transform, factor, x, y):
    zoomed = transform.zoomed(factor, x, y)
    assert zoomed.scale == pytest.approx(transform.scale * factor)
    tolerance = 1e-9 * (1 + (abs(x) + abs(y) + abs(transform.dx) + abs(transform.dy)) / min(1, transform.scale))
    assert zoomed.to_image(x, y) == pytest.approx(transform.to_image(x, y), abs=tolerance)


@quick
@given(transforms, floats, floats, floats, floats)
def test_panning_moves_what_is_seen_by_view_pixels(transform, dx, dy, x, y):
    before, after = transform.to_view(x, y), transform.panned(dx, dy).to_view(x, y)
    assert after == pytest.approx((before[0] + dx, before[1] + dy), abs=1e-6)


@quick
@given(transforms, floats, floats, st.floats(1, 500), st.floats(1, 500), st.floats(0, 1), st.floats(0, 1))
def test_the_image_rectangle_holds_every_pixel_that_is_seen(transform, x, y, w, h, u, v):
    rect = transform.image_rect(x, y, w, h)
    ix, iy = transform.to_image(x + u * w, y + v * h)
    slack = 1e-6
    assert rect.x - slack <= ix <= rect.right + slack
    assert rect.y - slack <= iy <= rect.bottom + slack
    left, top = transform.to_image(x, y)
    assert left < rect.x + 1
    assert top < rect.y + 1


@quick
@given(st.integers(1, 100_000), st.integers(1, 100_000), st.floats(50, 4000), st.floats(50, 4000), st.floats(0, 20))
def test_a_fitted_image_lies_centred_in_the_view_and_touches_two_margins(w, h, vw, vh, margin):
    fitted = ViewTransform.fitting((w, h), (vw, vh), margin)
    (left, top), (right, bottom) = fitted.to_view(0, 0), fitted.to_view(w, h)
    assert left + right == pytest.approx(vw)
    assert top + bottom == pytest.approx(vh)
    assert min(left, top) == pytest.approx(margin, abs=1e-6 * max(vw, vh))


def test_a_view_smaller_than_its_margins_still_has_a_scale():
    assert ViewTransform.fitting((100, 100), (4, 4), 10).scale > 0

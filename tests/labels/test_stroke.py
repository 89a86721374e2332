from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.paint.coverage import coverage
from segstudio.labels.paint.stroke import Spans, capsule_spans, square_spans, without
from tests.labels.label_strategies import brush_mask, many, some, spans_mask

UNIT = 8
places = st.tuples(st.integers(-30, 230), st.integers(-30, 230))
clips = st.builds(Rect, st.integers(-5, 12), st.integers(-5, 12), st.integers(0, 25), st.integers(0, 25))


def painted(a, b, radius, clip):
    return spans_mask(capsule_spans(a, b, radius, clip), clip)


@many
@given(places, places, st.integers(1, 90), clips)
@example((4, 4), (4, 4), 3, Rect(0, 0, 5, 5))  # radius below half a pixel, on a centre
@example((8, 8), (8, 8), 3, Rect(0, 0, 5, 5))  # and on a corner: nothing
@example((72, 72), (96, 40), 4, Rect(0, 3, 14, 6))
@example((0, 0), (64, 0), 20, Rect(0, 0, 12, 12))  # ties all along a level side
@example((20, 20), (20, 84), 16, Rect(0, 0, 12, 12))
def test_a_stroke_covers_exactly_the_pixels_whose_centre_is_within_the_radius(a, b, radius, clip):
    found = painted((a[0] / UNIT, a[1] / UNIT), (b[0] / UNIT, b[1] / UNIT), radius / UNIT, clip)
    np.testing.assert_array_equal(found, brush_mask(a, b, radius, clip, UNIT))


def test_centres_exactly_on_the_rim_of_a_slanted_stroke_are_covered():
    # Found with a = (9, 9), b = (12, 5), radius 0.5: a division by 25 put a tie outside.
    clip = Rect(0, 3, 14, 6)
    np.testing.assert_array_equal(painted((9, 9), (12, 5), 0.5, clip), brush_mask((18, 18), (24, 10), 1, clip, 2))


@pytest.mark.parametrize("rise", [2e-13, 5e-12, -1e-12, 7e-15])
def test_a_nearly_level_stroke_reaches_to_both_its_ends(rise):
    a, b, radius = (20.0, 10.0), (290.0, 10.0 + rise), 2.5
    found = painted(a, b, radius, Rect(0, 0, 310, 20))
    level = painted(a, (290.0, 10.0), radius, Rect(0, 0, 310, 20))
    differing = np.flatnonzero((found != level).any(1))
    assert set(differing.tolist()) <= {7, 12}, "only rows exactly on the rim may differ"
    assert found[8:12].sum() == level[8:12].sum()
    for y in (7, 12):
        for x in range(25, 285):
            over = (x + 0.5 - a[0]) * (b[1] - a[1]) - (y + 0.5 - a[1]) * (b[0] - a[0])
            square = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
            assert found[y, x] == (over * over <= radius * radius * square)


@some
@given(
    st.tuples(st.floats(-9, 25), st.floats(-9, 25)),
    st.tuples(st.floats(-9, 25), st.floats(-9, 25)),
    st.floats(0.01, 12),
)
def test_a_stroke_of_any_coordinates_is_right_but_for_the_rounding_of_a_float(a, b, radius):
    clip = Rect(0, 0, 16, 16)
    found = painted(a, b, radius, clip)
    (ax, ay), (bx, by) = (tuple(map(Fraction, p)) for p in (a, b))
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    for y in range(16):
        for x in range(16):
            px, py = Fraction(2 * x + 1, 2) - ax, Fraction(2 * y + 1, 2) - ay
            t = min(max((px * dx + py * dy) / length, Fraction(0)), Fraction(1)) if length else Fraction(0)
            square = float((px - t * dx) ** 2 + (py - t * dy) ** 2)
            if abs(square - radius * radius) > 1e-9:
                assert found[y, x] == (square < radius * radius)


@pytest.mark.parametrize("radius", [300.0, 1000.0])
def test_a_disc_of_a_large_radius_has_the_area_of_a_disc(radius):
    spans = capsule_spans((1200.0, 1200.0), (1200.0, 1200.0), radius, Rect(0, 0, 3000, 3000))
    assert int((spans.right - spans.left).sum()) == pytest.approx(np.pi * radius**2, rel=1e-3)


def test_a_stroke_outside_the_clip_covers_nothing_and_has_an_empty_box():
    for centre in ((-50.0, 5.0), (5.0, -50.0), (50.0, 5.0), (5.0, 50.0)):
        spans = capsule_spans(centre, centre, 3.0, Rect(0, 0, 10, 10))
        assert spans.bounds.empty
        assert not spans_mask(spans, Rect(0, 0, 10, 10)).any()


@some
@given(places, places, st.integers(1, 60))
def test_the_box_of_spans_is_the_smallest(a, b, radius):
    clip = Rect(-10, -10, 60, 60)
    spans = capsule_spans((a[0] / UNIT, a[1] / UNIT), (b[0] / UNIT, b[1] / UNIT), radius / UNIT, clip)
    mask, bounds = spans_mask(spans, clip), spans.bounds
    if not mask.any():
        assert bounds.empty
        return
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert (bounds.y, bounds.bottom) == (rows[0] + clip.y, rows[-1] + 1 + clip.y)
    assert (bounds.x, bounds.right) == (columns[0] + clip.x, columns[-1] + 1 + clip.x)


@st.composite
def any_spans(draw):
    height = draw(st.integers(0, 12))
    left = np.array(draw(st.lists(st.integers(-3, 15), min_size=height, max_size=height)), np.int64)
    width = np.array(draw(st.lists(st.integers(0, 10), min_size=height, max_size=height)), np.int64)
    return Spans(draw(st.integers(-5, 10)), left, left + width)


@many
@given(any_spans(), any_spans())
def test_without_leaves_exactly_the_pixels_that_are_not_done(spans, done):
    clip = Rect(-10, -10, 50, 50)
    before, after = (spans_mask(piece, clip) for piece in without(spans, done))
    np.testing.assert_array_equal(before | after, spans_mask(spans, clip) & ~spans_mask(done, clip))
    assert not (before & after).any()


@some
@given(
    st.tuples(st.integers(-50, 700), st.integers(-50, 700)),
    st.tuples(st.integers(-50, 700), st.integers(-50, 700)),
    st.integers(1, 400),
)
def test_coverage_cuts_spans_into_tiles_without_losing_or_adding_a_pixel(a, b, radius):
    clip = Rect(0, 0, 530, 600)
    spans = capsule_spans(a, b, radius, Rect(-100, -100, 900, 900))
    found = np.zeros((3 * TILE, 3 * TILE), np.bool_)
    for (ty, tx), cover in coverage(spans, clip):
        tile = found[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
        assert not tile.any(), "each tile comes once"
        flat = cover.flat
        assert len(flat) > 0
        assert (np.diff(flat) > 0).all()
        tile[np.unravel_index(flat, (TILE, TILE))] = True
        assert cover.whole == tile.all()
        rows, columns = np.flatnonzero(tile.any(1)), np.flatnonzero(tile.any(0))
        assert cover.rect == Rect(columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
    np.testing.assert_array_equal(found[: clip.h, : clip.w], spans_mask(spans, clip))
    assert not found[clip.h :].any()
    assert not found[:, clip.w :].any()


def _near_in_both(a, b, radius, x, y) -> bool:
    """Whether some point of the segment is within the radius of (x, y) in x and in y, in whole numbers."""
    begin, end = Fraction(0), Fraction(1)
    for start, stop, at in ((a[0], b[0], x), (a[1], b[1], y)):
        by = stop - start
        if by == 0:
            if abs(at - start) > radius:
                return False
            continue
        one, other = Fraction(at - radius - start, by), Fraction(at + radius - start, by)
        begin, end = max(begin, min(one, other)), min(end, max(one, other))
    return begin <= end


@many
@given(places, places, st.integers(1, 90), clips)
@example((8, 8), (8, 8), 4, Rect(0, 0, 5, 5))  # ties on all four sides
@example((20, 20), (52, 84), 16, Rect(0, 0, 12, 12))
@example((20, 84), (84, 84), 12, Rect(0, 0, 14, 14))
def test_a_square_stroke_covers_exactly_the_pixels_near_one_of_its_points_in_x_and_in_y(a, b, radius, clip):
    unit = UNIT
    spans = square_spans((a[0] / unit, a[1] / unit), (b[0] / unit, b[1] / unit), radius / unit, clip)
    found = spans_mask(spans, clip)
    for row in range(clip.h):
        for column in range(clip.w):
            x, y = (clip.x + column) * unit + unit // 2, (clip.y + row) * unit + unit // 2
            assert found[row, column] == _near_in_both(a, b, radius, x, y), (column, row)

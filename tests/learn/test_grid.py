import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segstudio.geometry import Rect, tiles_of
from segstudio.learn.grid import UNIT, Axis, Grid


@given(st.integers(1, 400), st.integers(4, 30), st.integers(1, 3))
def test_windows_cover_an_axis_with_the_overlap_asked_for(units: int, most: int, overlap: int):
    axis = Axis.covering(units, most, overlap)
    assert axis.side <= most
    assert axis.starts[0] == 0
    assert axis.starts[-1] + axis.side == units
    pairs = zip(axis.starts, axis.starts[1:], strict=False)
    assert all(b + overlap <= a + axis.side for a, b in pairs)


@given(st.integers(1, 400), st.integers(4, 30), st.integers(1, 3), st.integers(0, 8))
def test_a_window_sees_its_context_on_every_side_or_as_far_as_the_plane_reaches(
    units: int, most: int, overlap: int, context: int
):
    axis = Axis.covering(units, most, overlap, context)
    assert axis.starts[-1] + axis.side == units
    lengths = set()
    for i, start in enumerate(axis.starts):
        seen, length = axis.seen(i)
        lengths.add(length)
        assert 0 <= seen <= max(start - context, 0)
        assert min(start + axis.side + context, units) <= seen + length <= units
    assert len(lengths) == 1


@given(st.integers(1, 60), st.integers(4, 12), st.integers(1, 3))
def test_weights_are_positive_everywhere_and_one_where_a_window_is_alone(units: int, most: int, overlap: int):
    axis = Axis.covering(units, most, overlap)
    total, windows = np.zeros(units * UNIT), np.zeros(units * UNIT, int)
    for i, start in enumerate(axis.starts):
        own = np.s_[start * UNIT : (start + axis.side) * UNIT]
        total[own] += axis.weights(i)
        windows[own] += 1
    assert total.min() > 0
    assert np.array_equal(total[windows == 1], np.ones((windows == 1).sum()))


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([16, 21, 32, 50, 256]))
def test_a_tile_needs_the_windows_that_touch_it(width: int, height: int, pitch: int):
    grid = Grid.covering(width, height, pitch, 320, 64)
    for ty, tx in list(tiles_of(Rect(0, 0, width, height)))[:4]:
        rect = grid.tile(ty, tx)
        places = set(grid.touching(rect))
        every = [(r, c) for r in range(len(grid.y.starts)) for c in range(len(grid.x.starts))]
        assert {p for p in every if not grid.window(*p).image.intersected(rect).empty} <= places


def test_few_pixels_go_through_the_network():
    def cost(side: int) -> float:
        grid = Grid.covering(side, side, 32, 704, 64)
        windows = len(grid.x.starts) * len(grid.y.starts)
        return windows * grid.x.side * grid.y.side * UNIT * UNIT / side**2

    assert cost(512) == 1.0
    assert cost(704) == 1.0
    assert cost(4000) < 1.3


def test_image_and_network_pixels_of_a_window_are_the_same_place():
    grid = Grid.covering(1000, 500, 50, 320, 64)
    window = grid.window(0, 1)
    assert window.image.x * UNIT == window.net.x * 50
    assert window.net.w % UNIT == 0
    assert grid.tile(1, 3) == Rect(768, 256, 232, 244)

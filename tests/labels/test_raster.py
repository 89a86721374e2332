import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.tiles.raster import Raster, read_tiles
from segstudio.labels.tiles.tile import EMPTY, Constant, expanded
from tests.labels.label_strategies import some, tiles

rects = st.builds(Rect, st.integers(-300, 600), st.integers(-300, 600), st.integers(0, 400), st.integers(0, 400))


@some
@given(st.dictionaries(st.tuples(st.integers(0, 1), st.integers(0, 1)), tiles()), rects)
def test_any_rectangle_reads_as_the_tiles_put_side_by_side(held, rect):
    whole = np.zeros((2, 1600, 1600), np.uint32)
    for (ty, tx), tile in held.items():
        for plane, array in zip(whole, expanded(tile), strict=True):
            plane[400 + ty * TILE : 400 + (ty + 1) * TILE, 400 + tx * TILE : 400 + (tx + 1) * TILE] = array
    ids, origins = read_tiles(held, rect)
    part = np.s_[rect.y + 400 : rect.bottom + 400, rect.x + 400 : rect.right + 400]
    np.testing.assert_array_equal(ids, whole[0][part])
    np.testing.assert_array_equal(origins, whole[1][part])
    assert (ids.dtype, origins.dtype) == (np.uint32, np.uint8)
    assert ids.flags.writeable
    raster = Raster([(512, 512)])
    raster.prime({(0, *key): tile for key, tile in held.items()})
    np.testing.assert_array_equal(raster.read(0, rect)[0], ids)


def test_a_tile_is_loaded_once_at_its_first_use_and_never_outside_the_image():
    asked = []

    def load(key):
        asked.append(key)
        return Constant(1, 1)

    raster = Raster([(300, 256), (10, 10)], load)
    assert asked == []
    for _ in range(2):
        raster.read(0, Rect(-100, -100, 2000, 2000))
    raster.read(1, Rect(20, 20, 5, 5))
    assert asked == [(0, 0, 0), (0, 0, 1)]
    sparse = Raster([(300, 256)], load, stored=[(0, 0, 1)])
    assert sparse.tile((0, 0, 0)) is EMPTY
    assert sparse.tile((0, 0, 1)) == Constant(1, 1)
    assert len(asked) == 3
    assert list(raster.keys(0)) == [(0, 0, 0), (0, 0, 1)]


def test_priming_leaves_what_is_in_memory_alone():
    raster = Raster([(300, 256)])
    raster.put((0, 0, 0), Constant(2, 1))
    raster.prime({(0, 0, 0): Constant(1, 1), (0, 0, 1): Constant(3, 1)})
    assert raster.in_memory() == {(0, 0, 0): Constant(2, 1), (0, 0, 1): Constant(3, 1)}

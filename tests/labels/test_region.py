"""Regions: any set of pixels, by tile, and how a gesture paints them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture, Paintable
from segstudio.labels.model import Cause, ClassId, ImageId, Origin
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.raster import Raster
from tests.labels.regions import region_of

SIZE = (600, 300)
BOUNDS = Rect(0, 0, *SIZE)


def _mask(seed: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random((SIZE[1], SIZE[0])) < share


@given(st.integers(-90, 500), st.integers(-90, 250), st.integers(1, 400), st.integers(1, 400))
def test_a_region_of_a_rectangle_is_that_of_its_mask(x: int, y: int, w: int, h: int) -> None:
    rect = Rect(x, y, w, h)
    one, other = Region.of_rect(rect), region_of(rect, np.ones((h, w), np.bool_))
    assert one.bounds == other.bounds == rect
    assert one.area == other.area == w * h
    around = rect.grown(7)
    assert np.array_equal(one.mask(around), other.mask(around))
    assert {place for place, mask in one.tiles.items() if mask is None} == {
        place for place, mask in other.tiles.items() if mask is None
    }


def test_a_mask_comes_back_as_it_was() -> None:
    mask = _mask(1, 0.3)
    mask[:256, 256:512] = True
    mask[:256, :256] = False
    region = region_of(BOUNDS, mask)
    assert np.array_equal(region.mask(BOUNDS), mask)
    assert region.area == int(mask.sum())
    assert region.tiles[0, 1] is None
    assert (0, 0) not in region.tiles


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_gesture_paints_exactly_the_pixels_that_may_be_painted(share: float) -> None:
    document = Document(ImageId(1), Raster([SIZE]))
    first = Gesture(document, Cause.PAINT)
    other = first.new_object(ClassId(2))
    kept = _mask(2, 0.2)
    first.paint_region(0, region_of(BOUNDS, kept), other, Origin.PAINTED)
    first.commit()
    within = _mask(3, 0.5)
    wanted = _mask(4, share) if share < 1 else np.ones((SIZE[1], SIZE[0]), np.bool_)
    gesture = Gesture(document, Cause.PAINT)
    mine = gesture.new_object(ClassId(3))
    objects = np.array([True, False])
    allowed = region_of(BOUNDS, within)
    paintable = Paintable(objects, lambda key: allowed.mask(Rect(key[2] * TILE, key[1] * TILE, TILE, TILE)))
    changed = gesture.paint_region(0, region_of(BOUNDS, wanted), mine, Origin.PAINTED, paintable=paintable)
    edit = gesture.commit()
    ids, origins = document.raster.read(0, BOUNDS)
    painted = wanted & within & ~kept
    assert np.array_equal(ids, np.where(painted, mine, np.where(kept, other, 0)))
    assert np.array_equal(origins != 0, painted | kept)
    assert changed.intersected(BOUNDS) == changed
    assert (edit is None) == (not painted.any())


def test_what_lies_beyond_the_image_is_passed_over() -> None:
    document = Document(ImageId(1), Raster([SIZE]))
    gesture = Gesture(document, Cause.PAINT)
    mine = gesture.new_object(ClassId(3))
    gesture.paint_region(0, Region.of_rect(Rect(-100, -100, 2000, 2000)), mine, Origin.PAINTED)
    gesture.commit()
    ids, _ = document.raster.read(0, Rect(-5, -5, SIZE[0] + 10, SIZE[1] + 10))
    assert int((ids == mine).sum()) == SIZE[0] * SIZE[1]

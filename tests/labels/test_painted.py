"""Tiles painted away from the document are those that a gesture paints on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.gesture import Gesture, Paintable
from segstudio.labels.model import Cause, ImageId, Origin, Status
from segstudio.labels.paint.painted import painted_tiles
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, frozen, same
from tests.labels.regions import region_of

SIZE = (2 * TILE + 40, TILE + 30)
WHOLE = Rect(0, 0, *SIZE)


def document_of(rng: np.random.Generator) -> Document:
    """Objects 0 ... 4: some tiles of one object, the others mixed in blocks."""
    raster = Raster([SIZE])
    for ty, tx in tiles_of(WHOLE):
        part = tile_rect(ty, tx).intersected(WHOLE)
        if part.area == TILE * TILE and rng.random() < 0.5:
            raster.put((0, ty, tx), Constant(int(rng.integers(0, 5)), 1))
            continue
        ids = np.kron(rng.integers(0, 5, (8, 8)), np.ones((32, 32), int)).astype(np.uint32)
        ids[part.h :], ids[:, part.w :] = 0, 0
        raster.put((0, ty, tx), frozen(ids, (ids > 0).astype(np.uint8)))
    return Document(ImageId(1), raster, {}, 10, Status.IN_PROGRESS)


def within(key: TileKey) -> np.ndarray | None:
    return None if key[2] == 1 else np.arange(TILE * TILE).reshape(TILE, TILE) % 3 > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.sampled_from([0, 3, 9]))
def test_they_are_those_that_a_gesture_paints(seed: int, choosy: bool, bounded: bool, object_id: int) -> None:
    rng = np.random.default_rng(seed)
    document = document_of(rng)
    objects = rng.random(7) < 0.6 if choosy else None
    paintable = Paintable(objects, within if bounded else None)
    rect = Rect(int(rng.integers(0, 300)), int(rng.integers(0, 200)), 400, 300)
    region = region_of(rect, rng.random((rect.h, rect.w)) < 0.9) if rng.random() < 0.5 else Region.of_rect(rect)
    target = Constant(object_id, int(Origin.PAINTED) if object_id else 0)
    changes = painted_tiles(document.raster.copy(), 0, region, target, paintable)
    gesture = Gesture(document, Cause.PAINT)
    gesture.paint_region(0, region, object_id, Origin.PAINTED, paintable=paintable)
    edit = gesture.commit()
    painted = {} if edit is None else edit.tiles
    really = {key: change for key, change in changes.items() if not same(change.before, change.after)}
    assert set(really) == set(painted)
    for key, change in really.items():
        assert same(change.before, painted[key].before)
        assert same(change.after, painted[key].after)


def test_nobody_waits_for_tiles_that_are_cancelled() -> None:
    raster = Raster([(10, 20 * TILE)])
    region = Region.of_rect(Rect(0, 0, 10, 20 * TILE))
    assert painted_tiles(raster, 0, region, Constant(1, 1), Paintable(), lambda: True) == {}


@pytest.mark.parametrize("place", [(0, 0), (255, 255), (100, 30), (0, 255)])
def test_tiles_that_differ_in_one_pixel_are_not_the_same(place: tuple[int, int]) -> None:
    ids = np.ones((TILE, TILE), np.uint32)
    other = ids.copy()
    other[place] = 2
    origins = np.ones((TILE, TILE), np.uint8)
    mixed = origins.copy()
    mixed[place] = 3
    assert not same(frozen(ids.copy(), origins.copy()), frozen(other, origins.copy()))
    assert not same(frozen(ids.copy(), origins.copy()), frozen(ids.copy(), mixed))

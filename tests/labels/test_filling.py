"""Filling tile by tile makes what filling the whole plane at once makes, but for the numbers of its instances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_strategies import a_class, few, with_columns

from segstudio.geometry import TILE, Rect
from segstudio.labels.compose import paint_class_ids
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange
from segstudio.labels.filling import filling
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, Origin
from segstudio.labels.raster import Raster

SIZE = (2 * TILE + 40, 2 * TILE - 30)
CLASSES = ClassTable(
    [a_class(1, Kind.BACKGROUND), a_class(2, Kind.SEMANTIC), a_class(3, Kind.INSTANCE), a_class(4, Kind.INSTANCE)]
)


def blobs(seed: int, coarse: int) -> np.ndarray:
    """Class ids 0..4 in blocks, so that components cross the borders of tiles, also at a corner."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 5, (SIZE[1] // coarse + 1, SIZE[0] // coarse + 1))
    return np.repeat(np.repeat(small, coarse, 0), coarse, 1)[: SIZE[1], : SIZE[0]].astype(np.int32)


def painted_before(seed: int) -> Document:
    document = Document(ImageId(1), Raster([SIZE]))
    gesture = Gesture(document, Cause.PAINT)
    paint_class_ids(gesture, document, 0, blobs(seed, 90) * (blobs(seed + 1, 70) > 2), CLASSES, Origin.PAINTED)
    gesture.commit()
    return document


def whole(document: Document) -> tuple[np.ndarray, np.ndarray]:
    return document.raster.read(0, document.raster.bounds(0))


def partition(ids: np.ndarray) -> np.ndarray:
    """Ids renumbered by first occurrence: equal where two rasters differ in numbers alone."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].reshape(ids.shape)


@few
@given(st.integers(0, 999), st.sampled_from([7, 40, 128, 600]), st.booleans(), st.booleans(), st.booleans())
def test_tile_by_tile_is_the_whole_plane_at_once(
    seed: int, coarse: int, only_unknown: bool, merged: bool, labelled: bool
) -> None:
    classes = with_columns(CLASSES, 4, {"merged_into": 2}) if merged else CLASSES
    class_ids = blobs(seed, coarse)
    at_once, streamed = (painted_before(seed) if labelled else Document(ImageId(1), Raster([SIZE])) for _ in range(2))
    gesture = Gesture(at_once, Cause.ACCEPT)
    paint_class_ids(gesture, at_once, 0, class_ids, classes, Origin.ACCEPTED, only_unknown=only_unknown)
    expected = gesture.commit()

    def of(rect: Rect) -> np.ndarray:
        return class_ids[rect.y : rect.bottom, rect.x : rect.right]

    copy = Document(ImageId(1), streamed.raster.copy(), streamed.objects, streamed.next_object, streamed.status)
    parts = list(filling(copy, 0, of, classes, Origin.ACCEPTED, only_unknown=only_unknown))
    tiles = dict(part for part in parts if isinstance(part, tuple))
    rows = [part for part in parts if isinstance(part, RowChange)]
    assert set(tiles) == (set(expected.tiles) if expected else set())
    streamed.apply(Edit(ImageId(1), Cause.ACCEPT, tiles, tuple(rows)))
    (ids, origins), (expected_ids, expected_origins) = whole(streamed), whole(at_once)
    np.testing.assert_array_equal(origins, expected_origins)
    np.testing.assert_array_equal(partition(ids), partition(expected_ids))
    bounds = at_once.raster.bounds(0)
    np.testing.assert_array_equal(streamed.class_ids(0, bounds), at_once.class_ids(0, bounds))
    assert sorted(streamed.objects.values()) == sorted(at_once.objects.values())
    assert streamed.next_object == at_once.next_object


def test_a_class_that_was_never_made_is_refused() -> None:
    document = Document(ImageId(1), Raster([SIZE]))
    for wrong in (9, -1):
        with pytest.raises(KeyError):
            list(filling(document, 0, lambda r, n=wrong: np.full((r.h, r.w), n, np.int32), CLASSES, Origin.FILLED))


def test_each_tile_is_one_step_or_two_where_instances_may_occur() -> None:
    document = Document(ImageId(1), Raster([SIZE]))
    for classes, passes in ((CLASSES, 2), (ClassTable([CLASSES[ClassId(1)], CLASSES[ClassId(2)]]), 1)):
        steps: list[int] = []
        ones = filling(
            document,
            0,
            lambda r: np.ones((r.h, r.w), np.int32),
            classes,
            Origin.FILLED,
            step=lambda: steps.append(1),  # noqa: B023
        )
        assert len([part for part in ones if isinstance(part, tuple)]) == 6
        assert len(steps) == 6 * passes

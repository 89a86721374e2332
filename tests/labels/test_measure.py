"""Sums over objects by tile, and the table made of them, against whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.measure.sums import ORIGINS, Sums, added, tile_sums
from segstudio.labels.measure.table import object_table
from segstudio.labels.model import ClassTable, Kind
from segstudio.labels.tiles.tile import Constant, frozen
from tests.labels.label_strategies import a_class, with_columns

SIZE = W, H = 600, 300


def painted(seed: int, ids: tuple[int, ...], block: int):
    """Ids, origins and values (h, w), (h, w), (h, w, 2) of an image in blocks; its third tile is constant."""
    rng = np.random.default_rng(seed)
    blocks = rng.choice(np.array([0, *ids]), (-(-H // block), -(-W // block)))
    pixels = np.kron(blocks, np.ones((block, block), np.int64))[:H, :W].astype(np.uint32)
    pixels[:TILE, 2 * TILE :] = ids[0]
    origins = np.where(pixels > 0, rng.integers(1, ORIGINS, (H, W)), 0).astype(np.uint8)
    origins[:TILE, 2 * TILE :] = 2
    values = rng.normal(100, 50, (H, W, 2)).astype(np.float32)
    values[rng.random((H, W, 2)) < 0.01] = np.nan
    return pixels, origins, values


def by_tile(pixels, origins, values) -> list[Sums]:
    parts = []
    for ty, tx in tiles_of(Rect(0, 0, W, H)):
        part = tile_rect(ty, tx).intersected(Rect(0, 0, W, H))
        rows, columns = slice(part.y, part.bottom), slice(part.x, part.right)
        whole = [np.zeros((TILE, TILE), a.dtype) for a in (pixels, origins)]
        for array, source in zip(whole, (pixels, origins), strict=True):
            array[: part.h, : part.w] = source[rows, columns]
        parts.append(tile_sums(frozen(*whole), part, values[rows, columns]))
    return parts


def check(found: Sums, pixels, origins, values) -> None:
    """Compare with what masks of whole arrays say."""
    assert found.ids.tolist() == [i for i in np.unique(pixels).tolist() if i]
    for n, id_ in enumerate(found.ids.tolist()):
        mask = pixels == id_
        ys, xs = np.nonzero(mask)
        assert found.areas[n] == mask.sum()
        assert found.boxes[n].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert found.origins[n].tolist() == np.bincount(origins[mask], minlength=ORIGINS).tolist()
        for c in range(values.shape[2]):
            known = values[..., c][mask & np.isfinite(values[..., c])].astype(np.float64)
            assert found.counts[n, c] == len(known)
            assert found.sums[n, c] == pytest.approx(known.sum())


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.one_of(st.integers(1, 300), st.integers(1, 2**32 - 1)), min_size=1, max_size=12, unique=True),
    st.sampled_from([3, 17, 90]),
)
def test_sums_of_all_tiles_are_those_of_the_whole_image(seed, ids, block) -> None:
    pixels, origins, values = painted(seed, tuple(ids), block)
    check(added(by_tile(pixels, origins, values), 2), pixels, origins, values)


def test_a_constant_tile_counts_the_pixels_within_the_image_alone() -> None:
    found = tile_sums(Constant(7, 3), Rect(256, 512, 10, 4), np.full((4, 10, 1), 3, np.uint16))
    assert (found.ids.tolist(), found.areas.tolist(), found.boxes.tolist()) == ([7], [40], [[256, 512, 266, 516]])
    assert found.origins[0, 3] == 40
    assert found.sums[0, 0] == 120


def test_nothing_labelled_sums_to_no_object() -> None:
    nothing = tile_sums(Constant(0, 0), Rect(0, 0, 256, 256), np.zeros((256, 256, 3), np.uint8))
    assert len(added([nothing, nothing], 3).ids) == 0
    assert added([], 3).sums.shape == (0, 3)


CLASSES = ClassTable(
    [a_class(1, Kind.BACKGROUND), a_class(2, Kind.SEMANTIC), a_class(3, Kind.INSTANCE), a_class(4, Kind.IGNORE)]
)


def test_background_and_ignore_and_removed_classes_have_no_row() -> None:
    pixels, origins, values = painted(1, (1, 2, 3, 4, 5), 20)
    sums = added(by_tile(pixels, origins, values), 2)
    class_of = np.array([0, 1, 2, 3, 4, 3], np.int32)
    table = object_table(sums, class_of, CLASSES)
    assert (table.ids.tolist(), table.class_ids.tolist(), dict(table.joined)) == ([2, 3, 5], [2, 3, 3], {})
    assert len(object_table(sums, class_of, with_columns(CLASSES, 3, {"removed": True}))) == 1
    assert table.means[0, 1] == pytest.approx(np.nanmean(values[..., 1][pixels == 2]), rel=1e-5)


def test_a_semantic_class_of_several_ids_is_one_row_that_knows_them_all() -> None:
    pixels, origins, values = painted(2, (1, 2, 3, 4, 5), 20)
    merged = ClassTable([*CLASSES.all, a_class(5, Kind.SEMANTIC, merged_into=2)])
    table = object_table(added(by_tile(pixels, origins, values), 2), np.array([0, 5, 3, 2, 3, 5], np.int32), merged)
    assert (table.ids.tolist(), table.class_ids.tolist()) == ([1, 2, 4], [2, 3, 3])
    assert table.parts(0) == (1, 3, 5)
    assert table.parts(1) == (2,)
    mask = np.isin(pixels, [1, 3, 5])
    ys, xs = np.nonzero(mask)
    assert table.sums.areas[0] == mask.sum()
    assert table.rect(0) == Rect.of_edges(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


def test_without_values_of_the_image_the_mean_is_not_a_number() -> None:
    sums = tile_sums(Constant(2, 1), Rect(0, 0, 8, 8), np.full((8, 8, 1), np.nan, np.float32))
    assert np.isnan(object_table(sums, np.array([0, 0, 3], np.int32), CLASSES).means).all()

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.errors import NothingLabelled
from segstudio.geometry import TILE
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, Origin, Seq, Status
from segstudio.labels.paint import fill
from segstudio.labels.paint.fill import Filling, Outcome, most_bytes, parts_of, steps_of
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.streamed import collected, edit_bytes
from segstudio.labels.tiles.tile import Constant
from tests.labels.filled_planes import filled, reader
from tests.labels.label_strategies import a_class, a_document, few, pixels, state, with_columns

CLASSES = ClassTable(
    [
        a_class(1, Kind.BACKGROUND),
        a_class(2, Kind.SEMANTIC),
        a_class(3, Kind.INSTANCE),
        a_class(4, Kind.IGNORE),
        a_class(7, Kind.INSTANCE),
    ]
)
SIZES = [(290, 40), (40, 290)]
LARGE = (2 * TILE + 40, 2 * TILE - 30)


def components(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """8-connected components by a flood from every pixel not yet seen."""
    left, found = set(map(tuple, np.argwhere(mask).tolist())), []
    while left:
        queue, members = deque([left.pop()]), []
        while queue:
            y, x = queue.popleft()
            members.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            queue.extend(near)
        found.append(members)
    return found


def all_unknown(h: int, w: int, class_id: int = 0) -> np.ndarray:
    return np.full((h, w), class_id, np.int32)


@st.composite
def class_maps(draw, size: tuple[int, int]) -> np.ndarray:
    """Blocks, noise and diagonals of the classes, with unknown between; over tile borders."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = np.array(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 7]), min_size=1, max_size=5)), np.int32)
    block = draw(st.sampled_from([3, 20, 290]))
    w, h = size
    coarse = values[rng.integers(0, len(values), (h // block + 1, w // block + 1))]
    found = np.kron(coarse, np.ones((block, block), np.int32))[:h, :w].astype(np.int32)
    if draw(st.booleans()):
        found[rng.random(found.shape) < 0.3] = 0
    return found


@few
@given(st.sampled_from(SIZES).flatmap(lambda s: st.tuples(class_maps(s), class_maps(s))), st.booleans(), st.booleans())
def test_a_filled_plane_equals_the_naive_one_pixel_by_pixel(maps, only_unknown, tile_by_tile):
    first, second = maps
    h, w = first.shape
    document = a_document((10, 10), (w, h))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "_BLOCK", TILE if tile_by_tile else fill._BLOCK)
        _checked_fill(document, first, False)
        _checked_fill(document, second, only_unknown)


def _checked_fill(document, class_ids, only_unknown):
    before, before_origins = pixels(document, 1)
    objects, next_object, start = dict(document.objects), document.next_object, state(document)
    edit = filled(document, 1, class_ids, CLASSES, Origin.IMPORTED, only_unknown=only_unknown)

    wanted = np.where(before == 0, class_ids, 0) if only_unknown else class_ids
    ids, origins = pixels(document, 1)
    np.testing.assert_array_equal(ids[wanted == 0], before[wanted == 0])
    np.testing.assert_array_equal(origins, np.where(wanted == 0, before_origins, Origin.IMPORTED))
    made = set(document.objects) - set(objects)
    for class_id in (1, 2, 4):
        if (wanted == class_id).any():
            single = next((o for o, c in objects.items() if c == class_id), None)
            (painted,) = np.unique(ids[wanted == class_id]).tolist()
            assert document.objects[painted] == class_id
            assert painted in made if single is None else painted == single
            made.discard(painted)
    for class_id in (3, 7):
        for members in components(wanted == class_id):
            places = tuple(np.array(members).T)
            (painted,) = np.unique(ids[places]).tolist()
            made.remove(painted)  # raises where two components share an object, or none was made
            assert document.objects[painted] == class_id
            assert (ids == painted).sum() == len(members)
    assert not made, "an object without a pixel was made"
    assert document.next_object == next_object + len(set(document.objects) - set(objects))
    if edit is not None:
        after = state(document)
        undo = edit.inverted(Seq(1), Cause.UNDO)
        document.apply(undo)
        assert state(document)[0] == start[0]
        document.apply(undo.inverted(Seq(2), Cause.REDO))
        assert state(document) == after


def blobs(seed: int, coarse: int) -> np.ndarray:
    """Class ids 0..4 in blocks, so that components cross the borders of tiles, also at a corner."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 5, (LARGE[1] // coarse + 1, LARGE[0] // coarse + 1))
    return np.repeat(np.repeat(small, coarse, 0), coarse, 1)[: LARGE[1], : LARGE[0]].astype(np.int32)


def partition(ids: np.ndarray) -> np.ndarray:
    """Ids renumbered by first occurrence: equal where two rasters differ in numbers alone."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].reshape(ids.shape)


@few
@given(st.integers(0, 999), st.sampled_from([7, 40, 128, 600]), st.booleans(), st.booleans(), st.booleans())
def test_block_by_block_is_the_whole_plane_at_once_but_for_the_numbers_of_instances(
    seed: int, coarse: int, only_unknown: bool, merged: bool, labelled: bool
) -> None:
    classes = with_columns(CLASSES, 4, {"merged_into": 2}) if merged else CLASSES
    results = []
    for block in (TILE, 8 * TILE):
        document = Document(ImageId(1), Raster([LARGE]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fill, "_BLOCK", block)
            if labelled:
                before = blobs(seed + 2, 90) * (blobs(seed + 1, 70) > 2)
                filled(document, 0, before, CLASSES, Origin.PAINTED)
            filled(document, 0, blobs(seed, coarse), classes, Origin.ACCEPTED, only_unknown=only_unknown)
        results.append(document)
    by_tile, at_once = results
    (ids, origins), (expected_ids, expected_origins) = pixels(by_tile), pixels(at_once)
    np.testing.assert_array_equal(origins, expected_origins)
    np.testing.assert_array_equal(partition(ids), partition(expected_ids))
    bounds = at_once.raster.bounds(0)
    np.testing.assert_array_equal(by_tile.class_ids(0, bounds), at_once.class_ids(0, bounds))
    assert sorted(by_tile.objects.values()) == sorted(at_once.objects.values())
    assert by_tile.next_object == at_once.next_object


@pytest.mark.parametrize("block", [TILE, 8 * TILE])
def test_components_that_touch_at_a_corner_across_a_border_are_one_object(block, monkeypatch):
    monkeypatch.setattr(fill, "_BLOCK", block)
    document = a_document((300, 300))
    class_ids = all_unknown(300, 300)
    class_ids[250:256, 250:256] = 3
    class_ids[256:260, 256:260] = 3
    class_ids[0, 299] = 3
    filled(document, 0, class_ids, CLASSES, Origin.IMPORTED)
    ids, _ = pixels(document)
    assert len(document.objects) == 2
    assert ids[250, 250] == ids[259, 259] != ids[0, 299]


def test_tiles_of_one_class_are_never_expanded():
    edit = filled(a_document((1024, 1024)), 0, all_unknown(1024, 1024, 2), CLASSES, Origin.IMPORTED)
    assert edit is not None
    assert {change.after for change in edit.tiles.values()} == {Constant(1, Origin.IMPORTED)}


def test_a_map_that_paints_nothing_makes_no_edit():
    document = a_document((300, 20))
    assert filled(document, 0, all_unknown(20, 300), CLASSES, Origin.ACCEPTED) is None
    assert document.next_object == 1


def test_a_map_of_another_size_or_of_a_class_never_made_is_refused_and_the_document_stays_as_it_was():
    document = a_document((300, 20))
    before = state(document)
    with pytest.raises(ValueError, match="300 x 20"):
        filled(document, 0, all_unknown(20, 200), CLASSES, Origin.ACCEPTED)
    for never in (5, -1, 1000):
        with pytest.raises(KeyError):
            filled(document, 0, all_unknown(20, 300, never), CLASSES, Origin.ACCEPTED)
    assert state(document) == before


def test_planes_of_one_image_share_the_object_of_a_semantic_class():
    document = a_document((20, 20), (20, 20))
    work = Filling({0: reader(all_unknown(20, 20, 2)), 1: reader(all_unknown(20, 20, 2))}, CLASSES, Origin.ACCEPTED)
    edit = collected(Edit(document.image, Cause.ACCEPT), parts_of(document, work))
    assert edit is not None
    assert [row.key for row in edit.rows if row.table is Table.OBJECTS] == [1]
    assert {change.after.ids[0, 0] for change in edit.tiles.values()} == {1}


def test_a_proposal_of_a_merged_class_is_painted_as_what_it_counts_as_and_one_of_a_removed_class_not_at_all():
    # Found: an accept labelled pixels with a class that had been removed: labelled, and shown as nothing.
    classes = with_columns(with_columns(CLASSES, ClassId(2), {"merged_into": 1}), ClassId(3), {"removed": True})
    document = a_document((6, 1))
    filled(document, 0, np.array([[0, 1, 2, 3, 4, 7]], np.int32), classes, Origin.ACCEPTED)
    assert document.class_ids(0, document.raster.bounds(0)).tolist() == [[0, 1, 1, 0, 4, 7]]
    assert len(document.objects) == 3


def painted_1_2_3() -> Document:
    """Four pixels: unknown, and one of each of the classes 1, 2 and 3."""
    document = a_document((4, 1))
    filled(document, 0, np.array([[0, 1, 2, 3]], np.int32), CLASSES, Origin.PAINTED)
    return document


def test_pixels_of_a_removed_class_are_filled_as_unlabelled_as_they_look():
    document = painted_1_2_3()
    classes = with_columns(with_columns(CLASSES, ClassId(2), {"removed": True}), ClassId(3), {"merged_into": 1})
    filled(document, 0, all_unknown(1, 4, 4), classes, Origin.ACCEPTED, only_unknown=True)
    assert document.class_ids(0, document.raster.bounds(0)).tolist() == [[4, 1, 4, 3]]


def test_a_locked_class_loses_no_pixel_to_a_fill_and_gets_none():
    document = painted_1_2_3()
    classes = with_columns(with_columns(CLASSES, ClassId(4), {"locked": True}), ClassId(2), {"removed": True})
    proposed = np.array([[4, 4, 7, 7]], np.int32)
    outcome = Outcome()
    work = Filling({0: reader(proposed)}, classes, Origin.ACCEPTED, only_unknown=True)
    edit = collected(Edit(document.image, Cause.ACCEPT), parts_of(document, work, outcome=outcome))
    assert edit is not None
    document.apply(edit)
    assert document.class_ids(0, document.raster.bounds(0)).tolist() == [[0, 1, 7, 3]]
    assert outcome == Outcome(changed=True, short=True)


def test_what_a_merge_made_of_a_locked_class_is_locked_too():
    classes = with_columns(with_columns(CLASSES, ClassId(4), {"locked": True}), ClassId(2), {"merged_into": 4})
    assert filled(a_document((4, 1)), 0, all_unknown(1, 4, 2), classes, Origin.ACCEPTED, only_unknown=True) is None


def test_each_tile_is_one_step_or_two_where_instances_may_occur() -> None:
    document = Document(ImageId(1), Raster([LARGE]))
    for classes, passes in ((CLASSES, 2), (ClassTable([CLASSES[ClassId(1)], CLASSES[ClassId(2)]]), 1)):
        steps: list[int] = []
        work = Filling({0: reader(all_unknown(LARGE[1], LARGE[0], 1))}, classes, Origin.FILLED)
        ones = list(parts_of(document, work, step=steps.append))
        assert len([part for part in ones if isinstance(part, tuple)]) == 6
        assert sum(steps) == steps_of(document, work) == 6 * passes


@pytest.mark.parametrize(
    ("first", "status", "expected"),
    [
        (2, None, Status.IN_PROGRESS),
        (0, None, Status.NEW),
        (2, Status.DONE, Status.DONE),
        (0, Status.DONE, Status.DONE),
    ],
)
def test_the_status_comes_with_the_pixels_in_one_edit(first: int, status: Status | None, expected: Status) -> None:
    document = a_document((20, 20))
    work = Filling({0: reader(all_unknown(20, 20, first))}, CLASSES, Origin.FILLED, status=status)
    edit = collected(Edit(document.image, Cause.DONE), parts_of(document, work))
    if edit is not None:
        document.apply(edit)
    assert document.status is expected


def test_an_image_left_without_a_known_pixel_is_refused_where_that_is_asked_for() -> None:
    classes = with_columns(CLASSES, ClassId(2), {"removed": True})
    document = a_document((20, 20), (300, 20))
    work = Filling({0: reader(all_unknown(20, 20))}, classes, Origin.FILLED, True, Status.DONE, never_empty=True)
    with pytest.raises(NothingLabelled):
        list(parts_of(document, work))
    spot = all_unknown(20, 300)
    spot[3, 270] = 2
    filled(document, 1, spot, CLASSES, Origin.PAINTED)
    with pytest.raises(NothingLabelled):  # the only labels are of a removed class
        list(parts_of(document, work))
    spot[3, 270] = 7
    filled(document, 1, spot, CLASSES, Origin.PAINTED)
    assert [type(part) for part in parts_of(document, work)] == [RowChange]


@few
@given(class_maps((600, 520)), class_maps((600, 520)), st.booleans())
def test_no_edit_holds_more_than_was_said_before_it_was_computed(first, second, told):
    document = a_document((600, 520))
    filled(document, 0, first, CLASSES, Origin.PAINTED)
    dense = None
    if told:
        many = [(ty, tx) for ty in range(3) for tx in range(3)]
        cut = {(ty, tx): second[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE] for ty, tx in many}
        dense = {0: [key for key, part in cut.items() if (part != part[0, 0]).any()]}
    most = most_bytes(document, [0], dense)
    edit = filled(document, 0, second, CLASSES, Origin.ACCEPTED, only_unknown=True)
    assert edit is None or edit_bytes(edit) <= most

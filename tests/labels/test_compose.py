from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_strategies import a_class, a_document, few, pixels, state, with_columns

from segstudio.labels.compose import paint_class_ids, unlabelled
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, Kind, Origin, Seq
from segstudio.labels.tile import Constant

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
@given(st.sampled_from(SIZES).flatmap(lambda s: st.tuples(class_maps(s), class_maps(s))), st.booleans())
def test_a_painted_map_equals_the_naive_one_pixel_by_pixel(maps, only_unknown):
    first, second = maps
    h, w = first.shape
    document = a_document((10, 10), (w, h))
    _checked_paint(document, first, False)
    _checked_paint(document, second, only_unknown)


def _checked_paint(document, class_ids, only_unknown):
    before, before_origins = pixels(document, 1)
    objects, next_object, start = dict(document.objects), document.next_object, state(document)
    gesture = Gesture(document, Cause.IMPORT)
    paint_class_ids(gesture, document, 1, class_ids, CLASSES, Origin.IMPORTED, only_unknown=only_unknown)
    edit = gesture.commit()

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


def test_components_that_touch_at_a_corner_across_a_tile_border_are_one_object():
    document = a_document((300, 300))
    class_ids = np.zeros((300, 300), np.int32)
    class_ids[250:256, 250:256] = 3
    class_ids[256:260, 256:260] = 3
    class_ids[0, 299] = 3
    gesture = Gesture(document, Cause.IMPORT)
    paint_class_ids(gesture, document, 0, class_ids, CLASSES, Origin.IMPORTED)
    gesture.commit()
    ids, _ = pixels(document)
    assert len(document.objects) == 2
    assert ids[250, 250] == ids[259, 259] != ids[0, 299]


def test_tiles_of_one_class_are_never_expanded():
    document = a_document((1024, 1024))
    gesture = Gesture(document, Cause.IMPORT)
    paint_class_ids(gesture, document, 0, np.full((1024, 1024), 2, np.int32), CLASSES, Origin.IMPORTED)
    edit = gesture.commit()
    assert edit is not None
    assert {change.after for change in edit.tiles.values()} == {Constant(1, Origin.IMPORTED)}


def test_a_map_that_paints_nothing_makes_no_edit():
    document = a_document((300, 20))
    gesture = Gesture(document, Cause.ACCEPT)
    paint_class_ids(gesture, document, 0, np.zeros((20, 300), np.int32), CLASSES, Origin.ACCEPTED)
    assert gesture.commit() is None
    assert document.next_object == 1


def test_a_map_of_another_size_or_of_a_class_never_made_is_refused():
    document = a_document((300, 20))
    before = state(document)
    gesture = Gesture(document, Cause.ACCEPT)
    with pytest.raises(ValueError, match="300 x 20"):
        paint_class_ids(gesture, document, 0, np.zeros((300, 20), np.int32), CLASSES, Origin.ACCEPTED)
    for unknown in (5, -1, 1000):
        with pytest.raises(KeyError):
            paint_class_ids(gesture, document, 0, np.full((20, 300), unknown, np.int32), CLASSES, Origin.ACCEPTED)
    gesture.abort()
    assert state(document) == before


def test_a_proposal_of_a_merged_class_is_painted_as_what_it_counts_as_and_one_of_a_removed_class_not_at_all():
    # Found: an accept labelled pixels with a class that had been removed: labelled, and shown as nothing.
    classes = with_columns(with_columns(CLASSES, ClassId(2), {"merged_into": 1}), ClassId(3), {"removed": True})
    document = a_document((6, 1))
    gesture = Gesture(document, Cause.ACCEPT)
    paint_class_ids(gesture, document, 0, np.array([[0, 1, 2, 3, 4, 7]], np.int32), classes, Origin.ACCEPTED)
    gesture.commit()
    assert document.class_ids(0, document.raster.bounds(0)).tolist() == [[0, 1, 1, 0, 4, 7]]
    assert len(document.objects) == 3


def test_pixels_of_a_removed_class_are_unlabelled_as_they_look():
    document = a_document((4, 1))
    for object_id, class_id in ((1, 1), (2, 2), (3, 3)):
        document.apply_row(RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id}))
    gesture = Gesture(document, Cause.PAINT)
    gesture.writable((0, 0, 0)).ids[0, :4] = [0, 1, 2, 3]
    gesture.writable((0, 0, 0)).origins[0, 1:4] = 1
    gesture.commit()
    classes = with_columns(with_columns(CLASSES, ClassId(2), {"removed": True}), ClassId(3), {"merged_into": 1})
    bounds = document.raster.bounds(0)
    assert unlabelled(document, 0, bounds).tolist() == [[True, False, False, False]]
    assert unlabelled(document, 0, bounds, classes).tolist() == [[True, False, True, False]]
    gesture = Gesture(document, Cause.ACCEPT)
    paint_class_ids(gesture, document, 0, np.full((1, 4), 4, np.int32), classes, Origin.ACCEPTED, only_unknown=True)
    gesture.commit()
    assert document.class_ids(0, bounds).tolist() == [[4, 1, 4, 3]]

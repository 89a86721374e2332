import numpy as np

from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, Kind
from segstudio.labels.paint.policy import Touch, effective_lookup, paintable_objects, target_object
from tests.labels.label_strategies import a_class, a_document, with_columns

CLASSES = ClassTable(
    [
        a_class(1, Kind.BACKGROUND),
        a_class(2, Kind.SEMANTIC),
        a_class(3, Kind.INSTANCE),
        a_class(4, Kind.INSTANCE),
    ]
)


def with_objects(*classes: int) -> Document:
    """Objects 1, 2, 3 ... of these classes, each with one pixel, from left to right after one unknown pixel."""
    document = a_document((40, 40))
    gesture = Gesture(document, Cause.PAINT)
    held = gesture.writable((0, 0, 0))
    for class_id in classes:
        object_id = gesture.new_object(ClassId(class_id))
        held.ids[0, object_id], held.origins[0, object_id] = object_id, 1
    gesture.commit()
    return document


def allowed_of(document, classes, touch, class_id=None):
    found = paintable_objects(document, classes, touch, class_id)
    return None if found is None else found[: document.next_object].tolist()


def test_without_locks_and_limits_everything_may_be_painted_without_looking():
    assert paintable_objects(with_objects(1, 2), CLASSES, Touch.ALL, ClassId(2)) is None


def test_touch_says_which_pixels_may_change():
    document = with_objects(1, 2, 3)
    assert allowed_of(document, CLASSES, Touch.UNLABELLED) == [True, False, False, False]
    assert allowed_of(document, CLASSES, Touch.LABELLED) == [False, True, True, True]


def test_pixels_of_a_locked_class_never_change_and_nothing_is_painted_with_one():
    document, classes = with_objects(1, 2, 3), with_columns(CLASSES, ClassId(2), {"locked": True})
    assert allowed_of(document, classes, Touch.ALL) == [True, True, False, True]
    assert allowed_of(document, classes, Touch.LABELLED, ClassId(3)) == [False, True, False, True]
    assert allowed_of(document, classes, Touch.ALL, ClassId(2)) == [False] * 4


def test_what_was_merged_into_a_locked_class_is_locked_too():
    # Found: only the object's first class was looked at.
    document, classes = with_objects(1, 2, 3), with_columns(CLASSES, ClassId(1), {"locked": True})
    classes = with_columns(classes, ClassId(2), {"merged_into": 1})
    assert allowed_of(document, classes, Touch.ALL) == [True, False, False, True]
    assert allowed_of(document, classes, Touch.ALL, ClassId(2)) == [False] * 4


def test_a_lock_ends_with_its_class():
    document = with_objects(1, 2)
    classes = with_columns(CLASSES, ClassId(2), {"locked": True, "removed": True})
    assert paintable_objects(document, classes, Touch.ALL) is None
    assert allowed_of(document, classes, Touch.UNLABELLED) == [True, False, True]
    assert allowed_of(document, classes, Touch.LABELLED) == [False, True, False]


def test_the_effective_lookup_follows_merges_and_drops_removed_classes():
    document = with_objects(1, 2, 3, 4)
    classes = with_columns(with_columns(CLASSES, ClassId(4), {"merged_into": 3}), ClassId(3), {"merged_into": 2})
    assert effective_lookup(document, classes)[:5].tolist() == [0, 1, 2, 2, 2]
    classes = with_columns(classes, ClassId(2), {"removed": True})
    assert effective_lookup(document, classes)[:5].tolist() == [0, 1, 0, 0, 0]


def test_a_class_with_one_object_goes_on_with_it_wherever_the_stroke_begins():
    document = with_objects(1, 2)
    assert target_object(document, CLASSES[ClassId(2)], 30, 30, 0) == 2
    assert target_object(document, CLASSES[ClassId(2)], -5, 1e6, 0) == 2


def test_an_instance_class_mends_the_object_under_the_first_point_and_makes_one_elsewhere():
    document = with_objects(3, 4, 3)
    for x, target in ((0.5, None), (1.0, 1), (1.999, 1), (2.5, None), (3.0, 3), (-0.5, None), (1e6, None)):
        assert target_object(document, CLASSES[ClassId(3)], x, 0.5, 0) == target
    merged = with_columns(CLASSES, ClassId(4), {"merged_into": 3})
    assert target_object(document, CLASSES[ClassId(3)], 2.5, 0.5, 0, merged) == 2


def test_the_answer_is_by_object_id_up_to_the_newest():
    document = with_objects(1)
    for object_id in range(2, 200):
        document.apply_row(RowChange(Table.OBJECTS, object_id, None, {"class_id": 3}))
    found = paintable_objects(document, CLASSES, Touch.UNLABELLED)
    assert found is not None
    assert found.dtype == np.bool_
    assert len(found) >= document.next_object

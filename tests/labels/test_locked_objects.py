"""Locked objects and classes against plain arrays: whatever is done, their pixels stay, and they get no others."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.errors import EditConflict, UserError
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, ObjectId, Origin, Seq, Status, Touch
from segstudio.labels.paint.limits import Limits
from segstudio.labels.paint.objects import shape
from segstudio.labels.paint.objects.copying import copied, pasted
from segstudio.labels.paint.objects.locking import locks_changed
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.objects.recolor import deleted, merged, reclassed
from segstudio.labels.paint.objects.rights import changeable, separable, takeable
from segstudio.labels.paint.objects.specks import without_specks
from segstudio.labels.paint.objects.split import separated, split
from segstudio.labels.paint.policy import MayTouch, may_touch, object_at, paintable, target_object
from segstudio.labels.paint.region import Region
from tests.labels.filled_planes import filled
from tests.labels.label_strategies import a_document, few, pixels, state, with_columns
from tests.labels.object_plates import CLASSES, SIZE, applied, painted_document, plates

FREE = with_columns(CLASSES, 4, {"locked": False})
BACKGROUND, SEMANTIC, INSTANCE = 1, 2, 3
BOUNDS = Rect(0, 0, *SIZE)

rects = st.builds(Rect, st.integers(-10, 290), st.integers(-5, 35), st.integers(1, 200), st.integers(1, 40))
of_any = st.integers(1, 4)
some_ids = st.sets(st.integers(1, 6).map(ObjectId), min_size=1, max_size=4)


def lock(document: Document, *ids: int, locked: bool = True) -> None:
    """Lock these objects, or unlock them, as one edit."""
    applied(document, locks_changed(document, [ObjectId(i) for i in ids], locked=locked))


def is_free(document: Document, classes: ClassTable, ids: set[ObjectId]) -> bool:
    """Whether a person may do something to these objects, as the window asks it."""
    return bool(changeable(document, classes)[list(ids)].all())


def brush(document: Document, classes: ClassTable, rect: Rect, class_id: int | None, touch: Touch) -> None:
    """Paint a rectangle as a tool does: from its corner on, with a class or (None) the eraser."""
    at = float(rect.x), float(rect.y)
    gesture = Gesture(document, Cause.ERASE if class_id is None else Cause.PAINT)
    found, object_id = None, 0
    if class_id is not None:
        found = target_object(document, classes[ClassId(class_id)], *at, 0, classes)
        object_id = gesture.new_object(ClassId(class_id)) if found is None else found
    may = may_touch(document, classes, touch, Limits(), (*at, 0))
    allowed = paintable(document, classes, may, None if class_id is None else ClassId(class_id), target=found)
    region = Region.of_rect(rect.intersected(BOUNDS))
    gesture.paint_region(0, region, object_id, Origin.PAINTED if object_id else Origin.NONE, paintable=allowed)
    gesture.commit()


@st.composite
def deeds(draw: st.DrawFn):
    """Something that a tool, an operation on objects, accept or Done does, as a function of document and classes."""
    what = draw(st.sampled_from(["brush", "accept", "recolor", "reshape", "cut", "paste", "specks", "locks"]))
    rect, class_id, ids = draw(rects), draw(of_any), draw(some_ids)
    touch, pick = draw(st.sampled_from([t for t in Touch if t is not Touch.RANGE])), draw(st.integers(0, 5))
    erases, n = draw(st.booleans()), draw(st.integers(1, 4))

    def brush_it(document: Document, classes: ClassTable) -> None:
        brush(document, classes, rect, None if erases else class_id, touch)

    def accept(document: Document, classes: ClassTable) -> None:
        proposal = np.full(SIZE[::-1], class_id if pick % 2 else 0, np.int32)
        part = rect.intersected(BOUNDS)
        proposal[part.y : part.bottom, part.x : part.right] = class_id
        filled(document, 0, proposal, classes, Origin.FILLED, cause=Cause.DONE, only_unknown=True)

    def recolor(document: Document, classes: ClassTable) -> None:
        if pick > 2:
            with suppress(UserError):  # which says what is locked
                applied(document, reclassed(document, classes, ids, ClassId(class_id), Report()))
        elif is_free(document, classes, ids):
            applied(document, (merged if pick else deleted)(document, ids, Report()))

    def reshape(document: Document, classes: ClassTable) -> None:
        allowed = takeable(document, classes, MayTouch(Touch.ALL), over=erases)
        if not is_free(document, classes, ids):
            return
        parts = (
            lambda: shape.filled_holes(document, 0, ids, allowed, Report()),
            lambda: shape.grown(document, 0, ids, n, allowed, Report()),
            lambda: shape.shrunk(document, 0, ids, n, Report()),
            lambda: shape.smoothed(document, 0, ids, n, allowed, Report()),
            lambda: shape.kept_largest(document, 0, ids, Report()),
            lambda: shape.without_small(document, 0, ids, 5 * n, Report()),
        )
        applied(document, parts[pick]())

    def cut(document: Document, classes: ClassTable) -> None:
        every = {ObjectId(int(i)) for i in np.flatnonzero(separable(document, classes))}
        line = [(float(rect.x), -5.0), (float(rect.x + n), 45.0)]
        applied(
            document, separated(document, 0, every, Report()) if erases else split(document, 0, every, line, Report())
        )

    def paste(document: Document, classes: ClassTable) -> None:
        copies = copied(document, 0, ids)
        applied(document, pasted(document, 0, copies, classes, MayTouch(touch), Report()))

    def erase_specks(document: Document, classes: ClassTable) -> None:
        applied(document, without_specks(document, changeable(document, classes), 5 * n, Report()))

    def change_locks(document: Document, _classes: ClassTable) -> None:
        lock(document, *ids, locked=erases)

    all_ = (brush_it, accept, recolor, reshape, cut, paste, erase_specks, change_locks)
    names = ("brush", "accept", "recolor", "reshape", "cut", "paste", "specks", "locks")
    return dict(zip(names, all_, strict=True))[what]


def closed_pixels(document: Document, classes: ClassTable) -> NDArray[np.uint32]:
    """The object of each pixel (h, w) that is locked, by itself or by its class; 0 elsewhere."""
    ids = pixels(document)[0]
    by_class = [o for o, c in document.objects.items() if (today := classes.effective(c)) is not None and today.locked]
    return np.where(np.isin(ids, [*document.locked, *by_class]), ids, np.uint32(0))


@few
@given(plates(), some_ids, st.sets(of_any, max_size=2), st.lists(deeds(), min_size=1, max_size=8))
def test_no_pixel_of_what_is_locked_changes_and_it_gets_none(plate, ids, classes_locked, todo) -> None:
    document, classes = painted_document(plate), FREE
    for class_id in classes_locked:
        classes = with_columns(classes, class_id, {"locked": True})
    lock(document, *ids)
    for deed in todo:
        before, locked = closed_pixels(document, classes), set(document.locked)
        origins = pixels(document)[1]
        given = {o: document.objects[o] for o in locked}
        deed(document, classes)
        held = before != 0
        np.testing.assert_array_equal(pixels(document)[0][held], before[held])
        np.testing.assert_array_equal(pixels(document)[1][held], origins[held])
        if document.locked == locked:
            np.testing.assert_array_equal(closed_pixels(document, classes), before)
        assert {o: document.objects[o] for o in locked} == given


@few
@given(plates(), some_ids, rects, st.sampled_from([None, BACKGROUND, SEMANTIC, INSTANCE]))
def test_a_brush_paints_all_that_is_not_locked_and_nothing_where_it_would_extend_what_is(
    plate, ids, rect, class_id
) -> None:
    document = painted_document(plate)
    lock(document, *ids)
    before, part = pixels(document)[0], rect.intersected(BOUNDS)
    under = object_at(document, rect.x, rect.y, 0)
    target = {None: 0, BACKGROUND: 1, SEMANTIC: 2, INSTANCE: under if under in (3, 4, 5) else 7}[class_id]
    brush(document, FREE, rect, class_id, Touch.ALL)
    expected = before.copy()
    if target not in ids:
        inside = expected[part.y : part.bottom, part.x : part.right]
        inside[~np.isin(inside, list(ids))] = target
    np.testing.assert_array_equal(pixels(document)[0], expected)


def test_a_class_whose_only_object_is_locked_gets_no_pixel_of_a_proposal_and_instances_do() -> None:
    document = painted_document(np.pad(np.full((10, 10), 2), ((0, 30), (0, 290))))
    lock(document, 2)
    proposal = np.zeros(SIZE[::-1], np.int32)
    proposal[5:20, 5:20], proposal[5:20, 100:120] = SEMANTIC, INSTANCE
    filled(document, 0, proposal, FREE, Origin.ACCEPTED, only_unknown=True)
    ids = pixels(document)[0]
    assert np.count_nonzero(ids == 2) == 100
    assert np.count_nonzero(ids > 2) == 15 * 20
    lock(document, 2, locked=False)
    filled(document, 0, proposal, FREE, Origin.ACCEPTED, only_unknown=True)
    assert np.count_nonzero(pixels(document)[0] == 2) == 100 + 15 * 15 - 25


def test_a_proposed_part_that_meets_a_locked_object_becomes_one_of_its_own() -> None:
    for locked in (False, True):
        document = painted_document(np.pad(np.full((10, 10), 3), ((0, 30), (0, 290))))
        lock(document, 3, locked=locked)
        proposal = np.zeros(SIZE[::-1], np.int32)
        proposal[:20, :20] = INSTANCE
        filled(document, 0, proposal, FREE, Origin.ACCEPTED, only_unknown=True)
        ids = pixels(document)[0]
        assert np.count_nonzero(ids == 3) == (100 if locked else 400)
        assert np.count_nonzero(ids > 3) == (300 if locked else 0)


def test_an_object_of_a_removed_class_is_unlabelled_as_it_looks_though_it_was_locked() -> None:
    document = painted_document(np.full(SIZE[::-1], 3))
    lock(document, 3)
    removed = with_columns(FREE, INSTANCE, {"removed": True})
    brush(document, removed, Rect(10, 10, 20, 20), SEMANTIC, Touch.ALL)
    assert np.count_nonzero(pixels(document)[0] != 3) == 400


def test_locking_is_one_edit_of_rows_that_touches_no_pixel_and_marks_no_image_begun() -> None:
    document = painted_document(np.repeat([[3], [4]], (20, 20), axis=0) + np.zeros(SIZE[::-1], np.int_))
    document.marks = Marks(Status.NEW)
    edit = applied(document, locks_changed(document, [ObjectId(i) for i in (3, 4, 99)], locked=True))
    assert edit is not None
    assert (len(edit.rows), edit.tiles) == (2, {})
    assert (document.locked, document.status) == ({3, 4}, Status.NEW)
    assert locks_changed(document, [ObjectId(3)], locked=True) == ()


def test_what_was_painted_before_a_lock_can_be_taken_back_after_it_was() -> None:
    """In the order of the history: the lock first."""
    document = a_document(SIZE)
    gesture = Gesture(document, Cause.PAINT)
    made = gesture.new_object(ClassId(INSTANCE))
    gesture.paint_region(0, Region.of_rect(Rect(0, 0, 9, 9)), made, Origin.PAINTED)
    before = state(document)
    stroke = gesture.commit()
    assert stroke is not None
    locking = Edit(
        document.image, Cause.OBJECTS, rows=(RowChange(Table.OBJECTS, made, {"locked": False}, {"locked": True}),)
    )
    document.apply(locking)
    with pytest.raises(EditConflict, match="is locked"):
        document.apply(stroke.inverted(Seq(1), Cause.UNDO))
    document.apply(locking.inverted(Seq(2), Cause.UNDO))
    document.apply(stroke.inverted(Seq(1), Cause.UNDO))
    assert state(document)[1] == {}
    assert document.locked == set()
    assert not pixels(document)[0].any()
    assert before[1] == {made: INSTANCE}

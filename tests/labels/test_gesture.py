import numpy as np
import pytest

from segstudio.errors import ProjectDamaged
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.gesture import Gesture, Paintable
from segstudio.labels.model import Cause, ClassId, ImageId, Origin, Seq, Status
from segstudio.labels.paint.stroke import capsule_spans
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, writable_copy
from tests.labels.label_strategies import TOP_ID, a_document, pixels, state

EVERYWHERE = Rect(-1000, -1000, 4000, 4000)


def disc(x: float, y: float, radius: float):
    return capsule_spans((x, y), (x, y), radius, EVERYWHERE)


def begun(document: Document, cause: Cause = Cause.PAINT) -> Gesture:
    return Gesture(document, cause, tool="brush", author="ann")


def test_a_stroke_becomes_one_edit_with_its_object_status_tool_and_author():
    document = a_document()
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(2))
    gesture.paint_spans(0, disc(20, 20, 5), object_id, Origin.PAINTED)
    edit = gesture.commit()
    assert edit is not None
    assert list(edit.tiles) == [(0, 0, 0)]
    assert edit.rows == (
        RowChange(Table.OBJECTS, 1, None, {"class_id": 2}),
        RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "in-progress"}),
    )
    assert (edit.image, edit.cause, edit.tool, edit.author) == (1, Cause.PAINT, "brush", "ann")
    assert edit.undoes is None
    assert gesture.ended


def test_a_gesture_ends_once_and_is_of_no_use_after():
    for end in (Gesture.commit, Gesture.abort):
        gesture = begun(a_document())
        end(gesture)
        for use in (
            gesture.commit,
            gesture.abort,
            lambda g=gesture: g.new_object(ClassId(1)),
            lambda g=gesture: g.set_status(Status.DONE),
            lambda g=gesture: g.writable((0, 0, 0)),
            lambda g=gesture: g.replace((0, 0, 0), EMPTY),
            lambda g=gesture: g.paint_spans(0, disc(5, 5, 2), 1, Origin.PAINTED),
        ):
            with pytest.raises(RuntimeError):
                use()


def test_a_gesture_that_changes_nothing_is_no_edit_and_leaves_no_trace():
    document = a_document()
    gesture = begun(document)
    for _ in range(3):
        gesture.new_object(ClassId(2))
    gesture.writable((0, 1, 1))
    gesture.replace((0, 0, 0), EMPTY)
    gesture.set_status(Status.DONE)
    gesture.set_status(Status.NEW)
    gesture.paint_spans(0, disc(-50, -50, 5), 1, Origin.PAINTED)
    assert gesture.commit() is None
    # Found: two of the three ids were lost, and the two changes of the status made an edit.
    assert (document.next_object, document.objects, document.status) == (1, {}, Status.NEW)
    assert document.raster.tile((0, 1, 1)) is EMPTY


def test_painting_the_same_again_is_no_edit():
    document = a_document()
    first = begun(document)
    object_id = first.new_object(ClassId(2))
    first.paint_spans(0, disc(20, 20, 5), object_id, Origin.PAINTED)
    first.commit()
    second = begun(document)
    second.paint_spans(0, disc(20, 20, 4), object_id, Origin.PAINTED)
    assert second.commit() is None


def test_ids_of_an_aborted_gesture_are_given_again_but_those_of_an_undone_edit_never():
    document = a_document()
    gesture = begun(document)
    assert [gesture.new_object(ClassId(1)) for _ in range(3)] == [1, 2, 3]
    gesture.abort()
    assert document.next_object == 1
    gesture = begun(document)
    gesture.paint_spans(0, disc(20, 20, 5), gesture.new_object(ClassId(1)), Origin.PAINTED)
    edit = gesture.commit()
    assert edit is not None
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert begun(document).new_object(ClassId(1)) == 2


def test_an_object_painted_over_within_the_gesture_was_never_made():
    document = a_document()
    gesture = begun(document)
    hidden, shown = gesture.new_object(ClassId(1)), gesture.new_object(ClassId(2))
    gesture.paint_spans(0, disc(20, 20, 4), hidden, Origin.PAINTED)
    gesture.paint_spans(0, disc(20, 20, 5), shown, Origin.PAINTED)
    edit = gesture.commit()
    assert edit is not None
    assert [row.key for row in edit.rows if row.table is Table.OBJECTS] == [shown]
    assert document.objects == {shown: 2}


def test_many_objects_in_one_gesture_are_kept_if_and_only_if_they_have_a_pixel():
    document = a_document((600, 30))
    gesture = begun(document)
    made = [gesture.new_object(ClassId(1)) for _ in range(20)]
    for i, object_id in enumerate(made):
        if i % 3:
            gesture.paint_spans(0, disc(15 + 29 * i, 15, 4), object_id, Origin.PAINTED)
    gesture.commit()
    assert set(document.objects) == {o for i, o in enumerate(made) if i % 3}


def test_a_tile_replaced_and_then_written_goes_back_to_what_it_was_before_both():
    # Found: writing after replacing kept the replacement as the content before the gesture.
    for end in ("abort", "commit"):
        document = a_document((512, 512))
        gesture = begun(document)
        object_id = gesture.new_object(ClassId(1))
        gesture.replace((0, 0, 0), Constant(object_id, 1))
        gesture.writable((0, 0, 0)).ids[5, 5] = 0
        if end == "abort":
            gesture.abort()
            assert document.raster.tile((0, 0, 0)) is EMPTY
        else:
            edit = gesture.commit()
            assert edit is not None
            assert edit.tiles[0, 0, 0].before is EMPTY


def test_the_rectangle_to_draw_again_covers_every_way_of_changing():
    # Found: only strokes were counted, so that an aborted accept stayed on the screen.
    document = a_document((600, 300), (300, 300))
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    gesture.paint_spans(0, disc(20, 20, 2), object_id, Origin.PAINTED)
    assert gesture.rect == {0: Rect(18, 18, 4, 4)}
    gesture.replace((0, 0, 1), Constant(object_id, 1))
    gesture.writable((1, 1, 1)).ids[0, 0] = object_id
    assert gesture.abort() == {0: Rect(18, 0, 494, 256), 1: Rect(256, 256, 44, 44)}


def test_nothing_is_ever_stored_beyond_the_image():
    # Found: a constant put in place of an edge tile labelled pixels that do not exist.
    document = a_document((300, 270))
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    gesture.replace((0, 0, 1), Constant(object_id, 1))
    gesture.replace((0, 1, 1), Dense(*writable_copy(Constant(object_id, 1))))
    held = gesture.writable((0, 1, 0))
    held.ids[:], held.origins[:] = object_id, 1
    gesture.paint_spans(0, disc(280, 260, 100), object_id, Origin.PAINTED)
    edit = gesture.commit()
    assert edit is not None
    for (_, ty, tx), change in edit.tiles.items():
        assert isinstance(change.after, Dense)
        for array in (change.after.ids, change.after.origins):
            assert array[: 270 - 256 * ty, : 300 - 256 * tx].any()
            assert not array[270 - 256 * ty :].any()
            assert not array[:, 300 - 256 * tx :].any()


def test_a_tile_covered_whole_costs_no_arrays_and_is_stored_as_a_constant():
    document = a_document((1024, 1024))
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    gesture.paint_spans(0, disc(640, 640, 250), object_id, Origin.PAINTED)
    assert document.raster.tile((0, 2, 2)) == Constant(object_id, 1)
    edit = gesture.commit()
    assert edit is not None
    assert edit.tiles[0, 2, 2].after == Constant(object_id, 1)


def test_a_stroke_into_the_pixels_it_has_painted_touches_only_the_crescent():
    document = a_document((1024, 1024))
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    first = disc(500, 500, 200)
    gesture.paint_spans(0, first, object_id, Origin.PAINTED)
    second = capsule_spans((500, 500), (503, 500), 200, EVERYWHERE)
    changed = gesture.paint_spans(0, second, object_id, Origin.PAINTED, done=first)
    assert changed.x >= 500
    assert changed.right == 703
    assert gesture.paint_spans(0, second, object_id, Origin.PAINTED, done=second).empty


def test_a_tile_where_no_pixel_may_change_is_not_copied():
    document = a_document((256, 256))
    gesture = begun(document)
    before = document.raster.tile((0, 0, 0))
    allowed = np.zeros(16, np.bool_)
    gesture.paint_spans(
        0, disc(50, 50, 20), gesture.new_object(ClassId(1)), Origin.PAINTED, paintable=Paintable(allowed)
    )
    assert document.raster.tile((0, 0, 0)) is before
    assert gesture.commit() is None


def test_an_object_newer_than_the_policy_may_be_painted_over():
    # Found: with 16 or more objects the lookup ended before the new one, and the second dab raised IndexError.
    document = a_document((64, 64))
    for i in range(1, 16):
        document.apply_row(RowChange(Table.OBJECTS, i, None, {"class_id": 1}))
    allowed = np.ones(document.next_object, np.bool_)
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    assert object_id == 16
    for x in (20, 22):
        gesture.paint_spans(0, disc(x, 20, 5), object_id, Origin.PAINTED, paintable=Paintable(allowed))
    assert gesture.commit() is not None


def test_erased_pixels_have_no_origin_whatever_the_tool_says():
    document = a_document((64, 64))
    gesture = begun(document)
    gesture.paint_spans(0, disc(20, 20, 9), gesture.new_object(ClassId(1)), Origin.PAINTED)
    gesture.paint_spans(0, disc(20, 20, 4), 0, Origin.PAINTED)
    gesture.commit()
    ids, origins = pixels(document)
    np.testing.assert_array_equal(ids == 0, origins == 0)


def test_one_gesture_on_two_planes_is_one_edit_and_is_taken_back_whole():
    document = a_document((300, 40), (40, 300))
    before = state(document)
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    gesture.paint_spans(0, disc(256, 20, 9), object_id, Origin.PAINTED)
    gesture.paint_spans(1, disc(20, 256, 9), object_id, Origin.PAINTED)
    edit = gesture.commit()
    assert edit is not None
    assert set(edit.tiles) == {(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0)}
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert state(document)[0] == before[0]
    assert document.status is Status.NEW


def test_the_status_of_a_gesture_is_one_row_however_often_it_changed():
    # Found: in-progress and then done were two rows, and such an edit could not be done again.
    document = a_document((64, 64))
    gesture = begun(document)
    gesture.set_status(Status.IN_PROGRESS)
    gesture.set_status(Status.DONE)
    edit = gesture.commit()
    assert edit is not None
    assert edit.rows == (RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "done"}),)
    undo = edit.inverted(Seq(1), Cause.UNDO)
    document.apply(undo)
    document.apply(undo.inverted(Seq(2), Cause.REDO))
    assert document.status is Status.DONE


def test_a_tile_that_cannot_be_loaded_in_mid_stroke_leaves_a_gesture_that_can_be_aborted():
    def load(key):
        if key == (0, 0, 1):
            raise ProjectDamaged("A tile is damaged.")
        return EMPTY

    document = Document(ImageId(1), Raster([(512, 256)], load))
    gesture = begun(document)
    with pytest.raises(ProjectDamaged):
        gesture.paint_spans(0, disc(256, 100, 30), gesture.new_object(ClassId(1)), Origin.PAINTED)
    changed = gesture.abort()
    assert changed[0].intersected(Rect(226, 70, 30, 60)) == Rect(226, 70, 30, 60)
    assert document.raster.tile((0, 0, 0)) is EMPTY
    assert not document.objects


def test_tiles_are_read_only_again_when_the_gesture_has_ended():
    for end in (Gesture.commit, Gesture.abort):
        document = a_document((256, 256))
        gesture = begun(document)
        gesture.paint_spans(0, disc(20, 20, 5), gesture.new_object(ClassId(1)), Origin.PAINTED)
        end(gesture)
        tile = document.raster.tile((0, 0, 0))
        assert tile is EMPTY or (isinstance(tile, Dense) and not tile.ids.flags.writeable)


def test_object_ids_up_to_the_largest_are_painted():
    document = a_document((64, 64))
    gesture = begun(document)
    gesture.paint_spans(0, disc(20, 20, 5), TOP_ID, Origin.IMPORTED)
    gesture.commit()
    assert pixels(document)[0][20, 20] == TOP_ID


def test_a_tile_covered_whole_keeps_the_pixels_that_may_not_change():
    document = a_document((256, 256))
    gesture = begun(document)
    locked, below, above = (gesture.new_object(ClassId(i)) for i in (1, 2, 3))
    gesture.paint_spans(0, disc(100, 100, 40), below, Origin.PAINTED)
    gesture.paint_spans(0, disc(200, 200, 20), locked, Origin.PAINTED)
    gesture.commit()
    ids, origins = pixels(document)
    allowed = np.arange(document.next_object) != locked
    gesture = begun(document)
    gesture.paint_spans(0, disc(128, 128, 200), above, Origin.ACCEPTED, paintable=Paintable(allowed))
    gesture.commit()
    found, found_origins = pixels(document)
    np.testing.assert_array_equal(found, np.where(ids == locked, locked, above))
    np.testing.assert_array_equal(found_origins, np.where(ids == locked, origins, Origin.ACCEPTED))


@pytest.mark.parametrize("end", [Gesture.abort, Gesture.commit])
def test_a_tile_painted_in_part_and_then_whole_goes_back_to_what_it_was_before_both(end):
    document = a_document((256, 256))
    gesture = begun(document)
    object_id = gesture.new_object(ClassId(1))
    for radius in (30, 200):
        gesture.paint_spans(0, disc(128, 128, radius), object_id, Origin.PAINTED)
    edit = end(gesture)
    if end is Gesture.commit:
        assert edit.tiles[0, 0, 0].before is EMPTY
        assert document.raster.tile((0, 0, 0)) is edit.tiles[0, 0, 0].after
    else:
        assert document.raster.tile((0, 0, 0)) is EMPTY

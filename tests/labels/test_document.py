import numpy as np
import pytest

from segstudio.errors import EditConflict, ProjectDamaged
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ClassId, ImageId, ObjectId, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant
from tests.labels.label_strategies import a_document, state

ONE = TileChange(EMPTY, Constant(1, 1))
MADE = RowChange(Table.OBJECTS, 1, None, {"class_id": 2})


def edit(tiles=None, rows=(), image: int | None = 1) -> Edit:
    return Edit(None if image is None else ImageId(image), Cause.PAINT, tiles or {}, tuple(rows))


@pytest.mark.parametrize(
    "bad",
    [
        edit({(0, 0, 0): ONE, (0, 0, 1): TileChange(Constant(2, 1), EMPTY)}, [MADE]),
        edit({(0, 0, 0): ONE, (2, 0, 0): ONE}, [MADE]),
        edit({(0, 0, 0): ONE, (-1, 0, 0): ONE}, [MADE]),
        edit({(0, 0, 0): ONE, (0, 0, 2): ONE}, [MADE]),
        edit({(0, 0, 0): ONE, (1, -1, 0): ONE}, [MADE]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 7, {"class_id": 1}, None)]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 3, None, {"class_id": 1})]),
        edit({(0, 0, 0): ONE}, [MADE, MADE]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 3, {"class_id": 9}, {"class_id": 1})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 9, None, {"score": 1})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 0, None, {"class_id": 1})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.OBJECTS, 2**32, None, {"class_id": 1})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.IMAGES, 2, {"status": "new"}, {"status": "done"})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.IMAGES, 1, {"status": "done"}, {"status": "new"})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "perfect"})]),
        edit({(0, 0, 0): ONE}, [MADE, RowChange(Table.IMAGES, 1, {"status": "new"}, None)]),
        edit({(0, 0, 0): ONE}, [MADE], 2),
    ],
    ids=lambda e: repr([list(e.tiles), e.rows[1:], e.image]),
)
def test_an_edit_that_does_not_fit_changes_nothing_at_all(bad):
    # Found: a plane or a status that does not exist was noticed when half of the edit was applied.
    document = a_document((300, 200), (40, 40))
    document.apply_row(RowChange(Table.OBJECTS, 3, None, {"class_id": 1}))
    before = state(document), document.next_object
    with pytest.raises(EditConflict):
        document.apply(bad)
    assert (state(document), document.next_object) == before


def test_a_tile_that_cannot_be_loaded_leaves_the_document_as_it_was():
    def load(key):
        if key == (0, 0, 1):
            raise ProjectDamaged("A tile is damaged.")
        return EMPTY

    document = Document(ImageId(1), Raster([(512, 256)], load))
    with pytest.raises(ProjectDamaged):
        document.apply(edit({(0, 0, 0): ONE, (0, 0, 1): ONE}, [MADE]))
    assert document.raster.tile((0, 0, 0)) == EMPTY
    assert not document.objects


def test_an_edit_that_changes_one_row_twice_can_be_done_again():
    # Found: new -> in-progress -> done in one edit was refused, each row being compared with the state before.
    document = a_document()
    twice = edit(
        rows=[
            RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "in-progress"}),
            RowChange(Table.IMAGES, 1, {"status": "in-progress"}, {"status": "done"}),
        ]
    )
    document.apply(twice)
    assert document.status is Status.DONE


def test_undoing_the_making_of_an_object_does_not_free_its_id():
    document = a_document()
    made = edit({(0, 0, 0): ONE}, [MADE])
    document.apply(made)
    assert document.next_object == 2
    document.apply(made.inverted(1, Cause.UNDO))  # pyright: ignore[reportArgumentType]
    assert document.objects == {}
    assert document.next_object == 2


def test_what_changed_is_the_tiles_within_the_image_by_plane():
    document = a_document((300, 200), (40, 40))
    changed = document.apply(edit({(0, 0, 0): ONE, (0, 0, 1): ONE, (1, 0, 0): ONE}, [MADE]))
    assert changed == {0: Rect(0, 0, 300, 200), 1: Rect(0, 0, 40, 40)}


def test_the_class_lookup_is_read_only_and_grows_with_the_ids():
    document = a_document()
    for object_id in (1, 15, 16, 17, 5000):
        document.apply_row(RowChange(Table.OBJECTS, object_id, None, {"class_id": object_id % 7 + 1}))
        assert document.class_lookup()[object_id] == object_id % 7 + 1
        assert len(document.class_lookup()) >= document.next_object
    with pytest.raises(ValueError, match="read-only"):
        document.class_lookup()[1] = 3


def test_the_single_object_is_the_one_with_the_lowest_id_however_rows_came_and_went():
    # Found: after an undo and a redo the newest of two objects of a class came first.
    document = a_document()
    rows = [RowChange(Table.OBJECTS, i, None, {"class_id": 4}) for i in (2, 5)]
    for row in (rows[1], rows[0]):
        document.apply_row(row)
    assert document.single_object(ClassId(4)) == ObjectId(2)
    document.apply_row(rows[0].inverted())
    assert document.single_object(ClassId(4)) == ObjectId(5)
    assert document.single_object(ClassId(3)) is None


def test_class_ids_are_the_classes_of_the_objects_and_zero_outside():
    document = a_document((300, 200))
    document.apply(edit({(0, 0, 1): ONE}, [MADE]))
    found = document.class_ids(0, Rect(254, 198, 60, 4))
    assert found.shape == (4, 60)
    assert np.unique(found[:, :2]).tolist() == [0]
    assert np.unique(found[:2, 2:46]).tolist() == [2]


def test_project_wide_edits_of_classes_pass_by_a_document():
    document = a_document()
    before = state(document)
    row = RowChange(Table.CLASSES, 1, {"name": "a"}, {"name": "b"})
    assert document.apply(edit(rows=[row], image=None)) == {}
    assert state(document) == before

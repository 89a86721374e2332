"""How many objects an image has: what a person would count, whatever becomes of the classes."""

from pathlib import Path

import pytest

from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from tests.store.store_painting import BACKGROUND, CELL, FIRST, VESSEL, commit, flushed, paint, painted, redo, undo

SECOND = ImageId(2)
LANE, SPOT, BLUR = ClassId(4), ClassId(5), ClassId(6)
KINDS = {"lane": Kind.SEMANTIC, "spot": Kind.INSTANCE, "blur": Kind.IGNORE}


@pytest.fixture
def painted_project(project: Project) -> Project:
    """The first image: background, two cells, vessel, lane, two spots, and a blur that does not count."""
    assert project.writer is not None
    for n, (name, kind) in enumerate(KINDS.items()):
        c = LabelClass(ClassId(4 + n), name, f"#00000{n}", kind, 3 + n, 3 + n)
        _classes(project, new_class_row(c))
    document = project.document(FIRST)
    for n, class_id in enumerate((BACKGROUND, CELL, CELL, VESSEL, LANE, SPOT, SPOT, BLUR)):
        paint(project, document, Rect(70 * n, 0, 70, 70), class_id)
    paint(project, project.document(SECOND), Rect(0, 0, 10, 10), LANE)
    flushed(project)
    return project


def _classes(project: Project, *rows: RowChange) -> Seq:
    assert project.writer is not None
    return project.writer.submit(Edit(None, Cause.CLASSES, rows=rows, author="a"))


def _change(project: Project, class_id: ClassId, **columns: object) -> Seq:
    return _classes(project, changed_class_row(project.classes()[class_id], **columns))  # type: ignore[arg-type]


def _counted(project: Project) -> list[int]:
    flushed(project)
    listed = [row.objects for row in project.images()]
    assert [project.image(row.id).objects for row in project.images()] == listed
    assert [image["objects"] for image in info(project)["images"]] == listed
    return listed


def test_background_and_ignore_are_no_objects_and_a_semantic_class_is_one(painted_project: Project) -> None:
    assert _counted(painted_project) == [6, 1, 0]
    assert painted_project.object_counts(FIRST) == {CELL: 2, VESSEL: 1, LANE: 1, SPOT: 2}


def test_an_object_without_a_pixel_does_not_count_until_it_has_one_again(painted_project: Project) -> None:
    document = painted_project.document(FIRST)
    erased = commit(painted_project, document, painted(document, Rect(70, 0, 70, 70), 0))
    assert _counted(painted_project) == [5, 1, 0]
    undo(painted_project, document, erased)
    assert _counted(painted_project) == [6, 1, 0]


def test_an_object_of_another_class_counts_there(painted_project: Project) -> None:
    document = painted_project.document(FIRST)
    row = RowChange(Table.OBJECTS, 2, {"class_id": CELL}, {"class_id": VESSEL})
    moved = commit(painted_project, document, Edit(FIRST, Cause.CLASSES, rows=(row,)))
    assert _counted(painted_project) == [5, 1, 0]
    assert painted_project.object_counts(FIRST)[VESSEL] == 2
    undo(painted_project, document, moved)
    assert _counted(painted_project) == [6, 1, 0]


def test_merged_classes_are_one_where_they_are_semantic_and_undo_parts_them(painted_project: Project) -> None:
    merged = _change(painted_project, LANE, merged_into=VESSEL)
    assert _counted(painted_project) == [5, 1, 0]
    _change(painted_project, SPOT, merged_into=CELL)
    assert _counted(painted_project) == [5, 1, 0]
    assert painted_project.object_counts(FIRST) == {CELL: 4, VESSEL: 2}
    _change(painted_project, VESSEL, merged_into=CELL)  # and through it, what was merged before
    assert _counted(painted_project) == [6, 1, 0]
    document = painted_project.document(FIRST)
    undone = undo(painted_project, document, merged)
    assert _counted(painted_project) == [6, 1, 0]
    assert painted_project.object_counts(FIRST) == {CELL: 5, LANE: 1}
    redo(painted_project, document, undone)
    assert _counted(painted_project) == [6, 1, 0]
    assert painted_project.object_counts(FIRST) == {CELL: 6}


def test_removed_classes_do_not_count_and_what_is_merged_into_one_neither(painted_project: Project) -> None:
    _change(painted_project, LANE, merged_into=VESSEL)
    removed = _change(painted_project, VESSEL, removed=True)
    assert _counted(painted_project) == [4, 0, 0]
    document = painted_project.document(SECOND)
    paint(painted_project, document, Rect(0, 50, 10, 10), CELL)
    assert _counted(painted_project) == [4, 1, 0]
    undo(painted_project, document, removed)
    assert _counted(painted_project) == [5, 2, 0]


def test_several_classes_changed_by_one_edit_are_counted_after_all_of_them(painted_project: Project) -> None:
    classes = painted_project.classes()
    _classes(
        painted_project,
        changed_class_row(classes[SPOT], removed=True),
        changed_class_row(classes[LANE], merged_into=VESSEL),
    )
    assert _counted(painted_project) == [3, 1, 0]


def test_a_kind_decides_what_counts(painted_project: Project) -> None:
    _change(painted_project, SPOT, merged_into=LANE)
    assert _counted(painted_project) == [4, 1, 0]
    _change(painted_project, LANE, kind=Kind.INSTANCE)
    assert _counted(painted_project) == [6, 1, 0]
    _change(painted_project, LANE, kind=Kind.IGNORE)
    assert _counted(painted_project) == [3, 0, 0]


def test_it_is_so_after_opening_again(painted_project: Project) -> None:
    _change(painted_project, LANE, merged_into=VESSEL)
    expected, path = _counted(painted_project), Path(painted_project.path)
    painted_project.close()
    with Project.open(path, write=False) as again:
        assert [row.objects for row in again.images()] == expected

"""A status a plane on disk: through the journal, undo, snapshots, merging, compacting, copies and repair."""

from collections.abc import Collection
from pathlib import Path

import pytest

from segstudio.errors import EditConflict
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ImageId, Seq, Status
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.keeping.snapshots import restore
from segstudio.tasks.progress import finished
from tests.store.merge_model import copied
from tests.store.store_painting import CELL, CLASSES, FIRST, VESSEL, commit, flushed, new_images, paint, undo

PLANES = 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Project.create(tmp_path / "a.segstudio", new_images(tmp_path, 2, planes=PLANES), CLASSES).close()
    return tmp_path / "a.segstudio"


def mark(project: Project, *planes: int, reopen: bool = False) -> Seq:
    document = project.document(FIRST)
    now = document.marks
    row = now.change(FIRST, now.without(planes, PLANES) if reopen else now.with_done(planes, PLANES))
    assert row is not None
    seq = commit(project, document, Edit(FIRST, Cause.DONE, rows=(row,)))
    flushed(project)
    return seq


def marked(path: Path, *planes: int, reopen: bool = False) -> None:
    with Project.open(path) as project:
        mark(project, *planes, reopen=reopen)


def done(path: Path) -> Collection[int]:
    with Project.open(path, write=False) as project:
        row = project.image(FIRST)
        assert row.marks == project.document(FIRST).marks == project.frozen(FIRST).marks
        return sorted(row.marks.done(PLANES))


def test_planes_are_done_one_by_one_and_the_image_with_the_last_of_them(path: Path) -> None:
    for plane in (2, 0, 3):
        marked(path, plane)
    assert done(path) == [0, 2, 3]
    with Project.open(path) as project:
        assert project.image(FIRST).status is Status.IN_PROGRESS
        mark(project, 1)
        assert (project.image(FIRST).status, project.image(FIRST).done_planes) == (Status.DONE, "")
        assert [image["planes_done"] for image in info(project)["images"]] == [4, 0]
    assert done(path) == [0, 1, 2, 3]


def test_undo_takes_one_plane_back_also_after_a_restart(path: Path) -> None:
    marked(path, 0, 1, 2)
    marked(path, 3)
    with Project.open(path) as project:
        undo(project, project.document(FIRST), project.history(FIRST).undoable[-1])
        flushed(project)
    assert done(path) == [0, 1, 2]


def test_an_edit_that_was_made_on_other_planes_does_not_fit(path: Path) -> None:
    marked(path, 0)
    with Project.open(path) as project:
        elsewhere = RowChange(Table.IMAGES, FIRST, {"done_planes": "2"}, {"done_planes": "2-3"})
        with pytest.raises(EditConflict):
            project.document(FIRST).apply(Edit(FIRST, Cause.DONE, rows=(elsewhere,)))
        unsound = RowChange(Table.IMAGES, FIRST, {"done_planes": "0"}, {"done_planes": "all"})
        with pytest.raises(EditConflict):
            project.document(FIRST).apply(Edit(FIRST, Cause.DONE, rows=(unsound,)))


def test_a_snapshot_brings_the_planes_back_that_were_done(path: Path) -> None:
    with Project.open(path) as project:
        then = mark(project, 1, 2)
        mark(project, 0, 3)
        mark(project, 1, 2, 3, reopen=True)
        finished(restore(project, then))
    assert done(path) == [1, 2]


def test_copies_merge_plane_by_plane(path: Path, tmp_path: Path) -> None:
    marked(path, 0, 1)
    with Project.open(path) as project:
        other = copied(project, tmp_path / "b.segstudio")
    marked(path, 1, reopen=True)
    marked(other, 3)
    finished(merge(path, other, tmp_path / "c.segstudio"))
    assert done(tmp_path / "c.segstudio") == [0, 3]


def test_projects_of_the_same_images_are_done_where_one_of_them_is(path: Path, tmp_path: Path) -> None:
    Project.create(tmp_path / "b.segstudio", new_images(tmp_path, 2, planes=PLANES), CLASSES).close()
    marked(path, 0, 1)
    marked(tmp_path / "b.segstudio", 2)
    finished(merge(path, tmp_path / "b.segstudio", tmp_path / "c.segstudio"))
    assert done(tmp_path / "c.segstudio") == [0, 1, 2]


def test_a_plane_on_which_both_sides_differ_is_not_done(path: Path, tmp_path: Path) -> None:
    Project.create(tmp_path / "b.segstudio", new_images(tmp_path, 2, planes=PLANES), CLASSES).close()
    for side, class_id in ((path, CELL), (tmp_path / "b.segstudio", VESSEL)):
        with Project.open(side) as project:
            paint(project, project.document(FIRST), Rect(0, 0, 30, 30), class_id)
            mark(project, 0, 1)
    finished(merge(path, tmp_path / "b.segstudio", tmp_path / "c.segstudio"))
    assert done(tmp_path / "c.segstudio") == [1]


def test_an_image_that_the_other_project_brings_has_its_planes(path: Path, tmp_path: Path) -> None:
    Project.create(tmp_path / "b.segstudio", new_images(tmp_path, 2, planes=PLANES)[1:], CLASSES).close()
    marked(path, 0, 2)
    finished(merge(tmp_path / "b.segstudio", path, tmp_path / "c.segstudio"))
    with Project.open(tmp_path / "c.segstudio", write=False) as project:
        row = next(row for row in project.images() if row.path == "field/0.png")
        assert row.marks.done(PLANES) == {0, 2}


def test_a_copy_a_compacted_project_and_a_repaired_one_have_the_planes(path: Path, tmp_path: Path) -> None:
    with Project.open(path) as project:
        mark(project, 0, 2)
        before = mark(project, 3)
        finished(backup(project, tmp_path / "copy.segstudio"))
        finished(compact(project, planned(project, before=before)))
    assert done(path) == [0, 2, 3]
    assert done(tmp_path / "copy.segstudio") == [0, 2, 3]
    finished(repair(path, tmp_path / "new.segstudio"))
    assert done(tmp_path / "new.segstudio") == [0, 2, 3]


def test_another_image_has_its_own(path: Path) -> None:
    marked(path, 0)
    with Project.open(path, write=False) as project:
        assert list(project.image(ImageId(2)).marks.done(PLANES)) == []

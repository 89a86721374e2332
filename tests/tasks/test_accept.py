"""Accept and Done of a selection, without a window."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import DiskRefused, ReadOnly
from segstudio.geometry import TILE, Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Origin, Seq, Status
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import frozen
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.store.writing import journal
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.accept import AcceptReport, accept, acceptance
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.labels.reopen import write_reopened
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import SIZE

WHOLE = Rect(0, 0, *SIZE)
BACKGROUND, LEAF, CELL = ClassId(1), ClassId(2), ClassId(3)
Mask = Callable[..., Path]


def propose(project: Project, image: int, *parts: tuple[int, int, int, int, int], plane: int = 0, ground: int = 0):
    """Rectangles (class id, x, y, w, h) on a ground; one proposed object a class."""
    ids = np.zeros((TILE, TILE), np.uint32)
    ids[: SIZE[1], : SIZE[0]] = ground
    for class_id, x, y, w, h in parts:
        ids[y : y + h, x : x + w] = class_id
    rows = {int(c): ProposalRow(ClassId(int(c)), 0.9) for c in np.unique(ids) if c}
    tile = ProposalTile(frozen(ids, np.zeros((TILE, TILE), np.uint8)), np.full((TILE // 4, TILE // 4), 9, np.uint8))
    project.proposals.write(ImageId(image), plane, "v1", rows, {(0, 0): encoded(tile)})


def accepted(project: Project, *, done: bool = False) -> AcceptReport:
    return finished(accept(project, project.images(), done=done))


def class_ids(project: Project, path: str, plane: int = 0) -> np.ndarray:
    return project.document(project.find_image(path).id).class_ids(plane, WHOLE)


def origins(project: Project, path: str) -> np.ndarray:
    return project.document(project.find_image(path).id).raster.read(0, WHOLE)[1]


def set_rest(project: Project, rest: str) -> None:
    project.set_setting("done_rest", rest).result(30)


def change_class(project: Project, name: str, **columns: object) -> None:
    found = project.classes().named(name)
    assert found is not None
    assert project.writer is not None
    project.writer.submit(Edit(None, Cause.CLASSES, rows=(changed_class_row(found, **columns),)))  # type: ignore[arg-type]
    assert project.writer.flush(30)


def test_each_image_with_a_proposal_is_one_edit_and_the_others_are_passed_over(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 10, 10))))
    propose(project, 1, (CELL, 5, 5, 10, 10), (CELL, 30, 20, 5, 5), ground=BACKGROUND)
    propose(project, 3, (LEAF, 0, 0, 20, 20))
    before = project.last_seq()
    report = accepted(project)
    assert report == AcceptReport(2, 2, ("b.jpg",))
    assert report.passed_over == 1
    assert project.last_seq() == before + 2
    expected = np.full((SIZE[1], SIZE[0]), BACKGROUND)
    expected[5:15, 5:15] = expected[20:25, 30:35] = CELL
    expected[:10, :10] = LEAF
    assert np.array_equal(class_ids(project, "a.png"), expected)
    assert np.array_equal(origins(project, "a.png") == Origin.ACCEPTED, expected != LEAF)
    # Instances are objects by their parts, semantic classes one an image: leaf, background and two cells.
    assert sum(1 for found in project.objects(ImageId(1)) if found.area) == 4
    assert [row.status for row in project.images()] == [Status.IN_PROGRESS, Status.NEW, Status.IN_PROGRESS]
    assert not class_ids(project, "sub/c.tif")[25:].any()


def test_they_are_taken_back_together(project: Project) -> None:
    for image in (1, 2, 3):
        propose(project, image, ground=LEAF)
    accepted(project, done=True)
    assert project.take_back(Seq(1), "ann").result(30) == 3
    assert [(row.labelled_pixels, row.status) for row in project.images()] == [(0, Status.NEW)] * 3


def test_a_second_accept_changes_nothing(project: Project) -> None:
    propose(project, 1, ground=LEAF)
    accepted(project)
    assert accepted(project) == AcceptReport(1, 0, ("b.jpg", "sub/c.tif"))
    assert project.last_seq() == 1


@pytest.mark.parametrize("rest", ["proposal", "background", "unknown", None])
def test_done_fills_the_rest_by_the_setting_of_the_project(project: Project, mask: Mask, rest: str | None) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 10, 10))))
    if rest is not None:
        set_rest(project, rest)
    propose(project, 1, ground=CELL)
    assert accepted(project, done=True).images == 1
    filled = {"background": BACKGROUND, "unknown": 0}.get(str(rest), CELL)
    assert set(np.unique(class_ids(project, "a.png"))) == {LEAF, filled}
    assert set(np.unique(origins(project, "a.png"))) == {Origin.IMPORTED, Origin.FILLED if filled else 0}
    assert project.find_image("a.png").status is Status.DONE


def test_an_image_in_which_nothing_would_be_labelled_is_not_marked_done(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("b.png", (1, 0, 0, 1, 1))))
    set_rest(project, "unknown")
    propose(project, 1, ground=LEAF)
    propose(project, 2, ground=LEAF)
    report = accepted(project, done=True)
    assert (report.images, report.edits, report.empty, report.passed_over) == (1, 1, ("a.png",), 2)
    assert [row.status for row in project.images()] == [Status.NEW, Status.DONE, Status.NEW]


def test_nothing_with_a_proposal_is_no_edit_and_no_batch(project: Project) -> None:
    assert accepted(project) == AcceptReport(0, 0, ("a.png", "b.jpg", "sub/c.tif"))
    set_rest(project, "unknown")
    propose(project, 1)
    assert accepted(project, done=True).empty == ("a.png",)
    assert project.last_seq() == 0
    with project.reading() as db:
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_a_locked_class_neither_loses_nor_gets_a_pixel(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 10, 10))))
    change_class(project, "leaf", locked=True)
    propose(project, 1, (LEAF, 20, 0, 20, 30), ground=CELL)
    accepted(project, done=True)
    found = class_ids(project, "a.png")
    assert (found[:10, :10] == LEAF).all()
    assert not found[:, 20:].any()
    assert project.find_image("a.png").status is Status.DONE


def test_a_removed_and_a_merged_class_count_as_they_do_today(project: Project) -> None:
    propose(project, 1, (LEAF, 0, 0, 20, 30), (CELL, 20, 0, 20, 30))
    change_class(project, "leaf", merged_into=BACKGROUND)
    change_class(project, "cell", removed=True)
    accepted(project)
    found = class_ids(project, "a.png")
    assert (found[:, :20] == BACKGROUND).all()
    assert not found[:, 20:].any()


def test_the_proposals_of_people_are_accepted_like_others(project: Project, mask: Mask) -> None:
    from segstudio.tasks.labels.import_masks import Target

    finished(import_masks(project, "png", mask("a.png", (2, 0, 0, 9, 9)), target=Target.PROPOSALS))
    assert accepted(project).images == 1
    assert (class_ids(project, "a.png")[:9, :9] == CELL).all()
    assert project.find_image("a.png").labelled_pixels == 81


def test_an_image_whose_file_is_another_than_was_labelled_is_passed_over(
    project: Project, mask: Mask, pictures: Path
) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 10, 10))))
    propose(project, 1, ground=CELL)
    propose(project, 2, ground=CELL)
    Image.fromarray(np.zeros((SIZE[1], SIZE[0], 3), np.uint8)).save(pictures / "a.png")
    os.utime(pictures / "a.png", (1, 1))
    report = accepted(project)
    assert (report.images, report.changed, report.passed_over) == (1, ("a.png",), 2)
    assert project.find_image("a.png").labelled_pixels == 100
    assert project.find_image("a.png").changed


def test_all_planes_are_done_and_their_semantic_class_is_one_object(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((SIZE[1], SIZE[0]), 60 * n, np.uint8)) for n in range(2)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    path = finished(new_project(tmp_path / "p.segstudio", [str(tmp_path / "stack.tif")], ["leaf", "cell"])).path
    with Project.open(path) as project:
        propose(project, 1, ground=LEAF, plane=1)
        assert accepted(project, done=True).images == 1
        assert not class_ids(project, "stack.tif", 0).any()  # nothing is proposed there: it stays unknown
        propose(project, 1, ground=LEAF, plane=0)
        assert accepted(project).edits == 1
        assert (class_ids(project, "stack.tif", 0) == LEAF).all()
        assert (class_ids(project, "stack.tif", 1) == LEAF).all()
        assert len(project.objects(ImageId(1))) == 1


def test_a_plane_of_several_blocks_is_accepted_whole(tmp_path: Path) -> None:
    side = 8 * TILE + 20
    Image.fromarray(np.zeros((40, side), np.uint8)).save(tmp_path / "long.png")
    path = finished(new_project(tmp_path / "p.segstudio", [str(tmp_path / "long.png")], ["cell::instance"])).path
    with Project.open(path) as project:
        ids = np.zeros((TILE, TILE), np.uint32)
        ids[10:20] = 1
        tile = encoded(
            ProposalTile(frozen(ids, np.zeros((TILE, TILE), np.uint8)), np.full((TILE // 4, TILE // 4), 9, np.uint8))
        )
        rows = {1: ProposalRow(ClassId(2), 0.9)}
        project.proposals.write(ImageId(1), 0, "v1", rows, {(0, tx): tile for tx in range(9)})
        accepted(project)
        found = [row for row in project.objects(ImageId(1)) if row.area]
        assert [(row.area, row.box) for row in found] == [(10 * side, (0, 10, side, 20))]


def test_done_keeps_the_effort_of_what_was_shown_first(project: Project, mask: Mask) -> None:
    propose(project, 1, ground=CELL)
    shown = project.proposals.read(ImageId(1), 0)
    assert shown is not None
    project.proposals.mark_shown(ImageId(1), 0, shown.number)
    accepted(project, done=True)
    assert project.effort(ImageId(1)) == (0, SIZE[0] * SIZE[1])
    assert project.proposals.first(ImageId(1), 0) is None


def test_one_image_that_cannot_be_written_leaves_all_as_they_were(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in (1, 2, 3):
        propose(project, image, ground=LEAF)
    written = iter(range(100))
    plain = journal.write_edit

    def refusing(*args: object) -> bool:
        if next(written) == 2:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return plain(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "write_edit", refusing)
    with pytest.raises(DiskRefused, match="full") as refused:
        accepted(project)
    assert refused.value.safe == "Nothing was accepted."
    assert [row.labelled_pixels for row in project.images()] == [0, 0, 0]


def test_an_accept_that_is_closed_before_its_end_changes_nothing(project: Project) -> None:
    for image in (1, 2, 3):
        propose(project, image, ground=LEAF)
    task = accept(project, project.images())
    next(task)
    task.close()
    assert project.writer is not None
    assert project.writer.flush(30)
    assert len({row.labelled_pixels for row in project.images()}) == 1  # all or none: it may have been quick


def test_a_project_that_is_open_for_reading_refuses(project: Project) -> None:
    with Project.open(project.path, write=False) as reading, pytest.raises(ReadOnly):
        finished(accept(reading, reading.images()))


def test_images_that_a_person_named_need_no_proposal_where_done_needs_none(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, *SIZE))))
    finished(import_masks(project, "png", mask("b.jpg", (1, 0, 0, 10, 10))))

    def ready() -> list[str]:
        return [row.path for row in finished(acceptance(project, project.images(), done=True, unproposed=True)).ready]

    assert ready() == ["a.png"], "every pixel of it is labelled"
    set_rest(project, "unknown")
    assert ready() == [row.path for row in project.images()]
    assert finished(acceptance(project, project.images(), done=True)).ready == ()


def test_images_that_are_reopened_keep_their_labels_and_are_undone_together(project: Project, mask: Mask) -> None:
    propose(project, 1, ground=LEAF)
    propose(project, 2, ground=LEAF)
    accepted(project, done=True)
    before, labels = project.last_seq(), class_ids(project, "a.png")
    assert write_reopened(project, [ImageId(1), ImageId(2)], Ticker()).result(30) == 2
    assert [row.status for row in project.images()[:2]] == [Status.IN_PROGRESS] * 2
    assert np.array_equal(class_ids(project, "a.png"), labels)
    assert project.last_seq() == before + 2
    with project.reading() as db:
        assert db.execute("SELECT count(DISTINCT batch) FROM edits WHERE cause = 'status'").fetchone() == (1,)

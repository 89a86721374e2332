"""What is done plane by plane without a window: accept, import, reopening, export, predict, lint and learning."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.labels.lint.finding import LintKind
from segstudio.labels.lint.image_look import findings_of, look_at
from segstudio.labels.model import ImageId, Status
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.accept import accept, acceptance
from segstudio.tasks.labels.effort import count_effort
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.labels.import_preview import preview_import
from segstudio.tasks.labels.reopen import write_reopened
from segstudio.tasks.learning.planes import Which, planes_to_predict
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import SIZE
from tests.tasks.test_accept import BACKGROUND, LEAF, Mask, propose, set_rest

PLANES = 5
IMAGE = ImageId(1)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Project]:
    """A stack of five planes, and no label."""
    (tmp_path / "v").mkdir()
    planes = np.zeros((PLANES, SIZE[1], SIZE[0]), np.uint16)
    tifffile.imwrite(tmp_path / "v/v.tif", planes, metadata={"axes": "ZYX"}, photometric="minisblack")
    made = finished(new_project(tmp_path / "v.segstudio", [str(tmp_path / "v")], ["background::background", "leaf"]))
    with Project.open(made.path) as project:
        yield project


def done(project: Project) -> list[int]:
    return sorted(project.image(IMAGE).marks.done(PLANES))


def labelled(project: Project) -> list[int]:
    return sorted(project.known_planes(IMAGE))


def imported(project: Project, mask: Mask, *planes: int, status: Status = Status.DONE) -> None:
    folder = f"for {planes}"
    for plane in planes:
        file = mask(f"{folder}/v_p{plane:04d}.png", (1, 0, 0, 20, 20))
        assert file.is_file()
    finished(import_masks(project, "png", mask(f"{folder}/none.png").parent, status=status))


def test_accept_done_marks_the_planes_that_have_a_proposal_and_leaves_the_others(stack: Project) -> None:
    for plane in (1, 3):
        propose(stack, 1, ground=LEAF, plane=plane)
    report = finished(accept(stack, stack.images(), done=True))
    assert (report.images, report.edits, report.planes_left) == (1, 1, 3)
    assert (done(stack), labelled(stack)) == ([1, 3], [1, 3])
    assert stack.image(IMAGE).status is Status.IN_PROGRESS
    for plane in (0, 2, 4):
        propose(stack, 1, ground=BACKGROUND, plane=plane)
    assert finished(accept(stack, stack.images(), done=True)).planes_left == 0
    assert stack.image(IMAGE).status is Status.DONE


def test_accept_done_fills_no_plane_that_nobody_proposed_anything_for(stack: Project) -> None:
    set_rest(stack, "background")
    propose(stack, 1, ground=LEAF, plane=2)
    finished(accept(stack, stack.images(), done=True))
    assert (done(stack), labelled(stack)) == ([2], [2])


def test_a_stack_that_a_person_named_is_done_where_it_is_labelled_throughout(stack: Project, mask: Mask) -> None:
    mask("v_p0000.png", (1, 0, 0, *SIZE))
    folder = mask("v_p0004.png", (1, 0, 0, 9, 9)).parent
    finished(import_masks(stack, "png", folder))
    plan = finished(acceptance(stack, stack.images(), done=True, unproposed=True))
    assert list(plan.job.planes[IMAGE]) == [0]


def test_an_import_marks_the_planes_that_it_labels(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 2)
    assert (done(stack), labelled(stack)) == ([0, 2], [0, 2])
    imported(stack, mask, 1)
    assert done(stack) == [0, 1, 2]


def test_an_import_reopens_the_planes_that_it_labels_and_no_other(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 2)
    folder = mask("again/v_p0002.png", (1, 20, 0, 9, 9)).parent
    assert finished(preview_import(stack, "png", folder)).reopens == ("v.tif",)
    report = finished(import_masks(stack, "png", folder))
    assert (report.reopened, done(stack)) == (("v.tif",), [0])
    elsewhere = mask("other/v_p0003.png", (1, 0, 0, 9, 9)).parent
    assert finished(preview_import(stack, "png", elsewhere)).reopens == ()
    assert finished(import_masks(stack, "png", elsewhere)).reopened == ()
    assert done(stack) == [0]


def test_an_image_that_is_reopened_has_no_plane_done(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 2)
    write_reopened(stack, [IMAGE], Ticker()).result(30)
    assert (done(stack), labelled(stack)) == ([], [0, 2])


def test_an_export_of_what_is_finished_holds_the_planes_that_are_done(
    stack: Project, mask: Mask, tmp_path: Path
) -> None:
    imported(stack, mask, 0, 1, status=Status.IN_PROGRESS)
    imported(stack, mask, 3)
    report = finished(export(stack, "png", tmp_path / "out", content="finished"))
    assert (report.images, report.planes, report.planes_left_out) == (1, 1, 4)
    assert [file.name for file in report.files] == ["v_p0003.png"]
    everything = finished(export(stack, "png", tmp_path / "all"))
    assert sorted(file.name for file in everything.files) == ["v_p0000.png", "v_p0001.png", "v_p0003.png"]


def test_predicting_all_is_for_the_planes_that_are_not_done(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 3)
    assert planes_to_predict(stack, Which.NOT_DONE) == [(1, 1), (1, 2), (1, 4)]


def test_what_is_unlabelled_is_a_fault_on_done_planes_alone(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, status=Status.IN_PROGRESS)
    imported(stack, mask, 3)
    found = findings_of(finished(look_at(stack.document(IMAGE), stack.classes(), 9)))
    assert [finding.plane for finding in found if finding.kind is LintKind.UNKNOWN_IN_DONE] == [3]


def test_learning_sees_which_planes_are_finished(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 1, status=Status.IN_PROGRESS)
    imported(stack, mask, 1, 4)
    data = ProjectData(stack, Sources())
    assert [entry.plane for entry in data.planes() if entry.finished] == [1, 4]
    assert data.labels(1, 1, data.planes()[1].bounds)[0].any()
    assert [entry.plane for entry in data.planes() if entry.finished] == [1, 4], "as it was read with the labels"


def test_the_effort_of_a_stack_is_that_of_its_done_planes_together(stack: Project) -> None:
    for plane in (0, 2):
        propose(stack, 1, ground=LEAF, plane=plane)
        proposed = stack.proposals.read(IMAGE, plane)
        assert proposed is not None
        stack.proposals.mark_shown(IMAGE, plane, proposed.number)
        finished(accept(stack, stack.images(), done=True))
    pixels = SIZE[0] * SIZE[1]
    assert stack.effort(IMAGE) == (0, 2 * pixels)
    assert count_effort(stack, stack.document(IMAGE), stack.classes(), [0]) is None, "nothing was shown since"
    assert stack.effort(IMAGE) == (0, 2 * pixels)


def test_info_counts_the_planes(stack: Project, mask: Mask) -> None:
    imported(stack, mask, 0, 1)
    (found,) = info(stack)["images"]
    assert (found["planes"], found["planes_done"], found["status"]) == (5, 2, "in-progress")

"""What the card of a version says of the data that it learned from."""

from pathlib import Path

import pytest

from segstudio.geometry import Rect
from segstudio.labels.model import Kind
from segstudio.runs import PlanPlane
from segstudio.store.project import Project
from segstudio.tasks.learning.cards import data_sha256, learned_from
from tests.engine.conftest import label, new_project


@pytest.fixture
def labelled(tmp_path: Path):
    """Two projects of the same pictures with the same labels."""
    made = [_labelled(tmp_path / name) for name in "ab"]
    yield made
    for project in made:
        project.close()


def _labelled(folder: Path, *, part: Rect | None = None) -> Project:
    project, truths = new_project(folder, 2, kind=Kind.SEMANTIC)
    for row, truth in zip(project.images(), truths, strict=True):
        label(project, row.id, truth, part=part)
    return project


def _planes(project: Project, part: str = "train", *, behind: int = 0) -> list[PlanPlane]:
    return [
        PlanPlane(int(r.id), 0, r.path, r.path, part, int(r.last_edit) - behind)  # type: ignore[arg-type]
        for r in project.images()
    ]


def _digest(project: Project, planes: list[PlanPlane]) -> str:
    return data_sha256(planes, learned_from(project, planes))


def test_the_same_pictures_and_labels_have_the_same_digest_in_any_project(labelled: list[Project]):
    a, b = labelled
    assert _digest(a, _planes(a)) == _digest(b, _planes(b))
    assert _digest(a, _planes(a)) == _digest(a, list(reversed(_planes(a))))


def test_other_labels_or_another_split_have_another_digest(labelled: list[Project], tmp_path: Path):
    a, _ = labelled
    before = _digest(a, _planes(a))
    assert _digest(a, _planes(a, "held-out")) != before
    assert _digest(a, _planes(a)[:1]) != before
    c = _labelled(tmp_path / "c", part=Rect(0, 0, 100, 100))
    try:
        assert _digest(c, _planes(c)) != before
    finally:
        c.close()


def test_an_image_edited_while_the_run_began_is_known_by_the_number_of_its_edit(labelled: list[Project]):
    a, _ = labelled
    behind = _planes(a, behind=1)
    found = learned_from(a, behind)
    assert {plane.labels for plane in found.values()} == {""}
    assert _digest(a, behind) != _digest(a, _planes(a))
    assert all(len(plane.labels) == 64 for plane in learned_from(a, _planes(a)).values())

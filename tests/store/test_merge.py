"""Two projects into one: against a naive model, and what a merge must never do."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from merge_model import CLASSES, Model, Op, assert_merged, copied, images, merged, ops, play, said

from segstudio.labels.model import Origin
from segstudio.store.project import Project

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _bytes(folder: Path) -> dict[str, str]:
    """What a project's files hold; SQLite's index of a log is no content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _left_by_a_reader(path))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _left_by_a_reader(path: Path) -> bool:
    return path.name.endswith("-shm") or (path.name.endswith("-wal") and not path.stat().st_size)


@few
@given(in_a=ops(), in_b=ops())
def test_two_projects_of_the_same_images_merge_as_the_model_does(in_a: list[Op], in_b: list[Op]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        sides = []
        for which, todo, origin in (("a", in_a, Origin.PAINTED), ("b", in_b, Origin.IMPORTED)):
            with Project.create(root / f"{which}.segstudio", images(root), CLASSES) as project:
                play(project, todo, origin)
                sides.append(said(project))
        before = _bytes(root)
        report = merged(root / "a.segstudio", root / "b.segstudio", root / "c.segstudio")
        with Project.open(root / "c.segstudio") as c:
            assert_merged(Model(*sides, None), report, c)
        assert {key: value for key, value in _bytes(root).items() if not key.startswith("c.")} == before


@few
@given(first=ops(), in_a=ops(), in_b=ops())
def test_copies_of_one_project_merge_from_their_last_common_edit_as_the_model_does(
    first: list[Op], in_a: list[Op], in_b: list[Op]
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        with Project.create(root / "a.segstudio", images(root), CLASSES) as project:
            play(project, first, Origin.FILLED)
            base = said(project)
            common = project.last_seq()
            copied(project, root / "b.segstudio")
        sides = []
        for which, todo, origin in (("a", in_a, Origin.PAINTED), ("b", in_b, Origin.IMPORTED)):
            with Project.open(root / f"{which}.segstudio") as project:
                play(project, todo, origin)
                sides.append(said(project))
        report = merged(root / "a.segstudio", root / "b.segstudio", root / "c.segstudio")
        assert report.common_edit == common
        with Project.open(root / "c.segstudio") as c:
            assert_merged(Model(*sides, base), report, c)


def test_a_project_merged_with_itself_is_itself(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as project:
        play(project, [("paint", 1, 0, images_rect(), "cell"), ("paint", 1, 0, images_rect(9), "vessel")], 1)
        digests = [project.labels_sha256(row.id) for row in project.images()]
    report = merged(tmp_path / "a.segstudio", tmp_path / "a.segstudio", tmp_path / "c.segstudio")
    assert (report.images, report.changed, report.conflicts, report.notes) == (2, 0, (), ())
    with Project.open(tmp_path / "c.segstudio") as c, Project.open(tmp_path / "a.segstudio") as a:
        assert [c.labels_sha256(row.id) for row in c.images()] == digests
        assert c.last_seq() == a.last_seq()
        assert c.uuid != a.uuid


def images_rect(x: int = 2):
    from segstudio.geometry import Rect

    return Rect(x, 2, 5, 5)


@pytest.fixture
def _unused() -> None:
    return None

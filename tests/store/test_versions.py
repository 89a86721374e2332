import pytest

from segstudio.errors import UserError
from segstudio.labels.edit import now_utc
from segstudio.labels.model import Seq
from segstudio.runs import INSTANT
from segstudio.store import learning
from segstudio.store.catalog.versions import add_version, begin_run, end_run, make_current, version_groups
from segstudio.store.project import Project
from segstudio.store.values import Split, VersionRow
from tests.store.store_painting import FIRST


def _version(number: int, *, current: bool) -> VersionRow:
    figures = {"child": {"mean_iou": 0.5 + number / 10}}
    return VersionRow(
        f"v{number}", number, "deep", "embedded", now_utc(), Seq(0), current, "done", 45, 60.5, figures, current
    )


def test_versions_are_listed_with_the_one_that_proposes(project: Project) -> None:
    assert project.writer is not None
    assert (project.versions(), project.current_version()) == ([], None)
    one, two = _version(1, current=True), _version(2, current=False)
    project.writer.call(lambda db: add_version(db, one, groups={1: Split.TRAIN, 2: Split.HELD_OUT})).result(30)
    project.writer.call(lambda db: add_version(db, two)).result(30)
    assert project.versions() == [one, two]
    found = project.current_version()
    assert found is not None
    assert found.name == "v1"
    project.writer.call(lambda db: make_current(db, "v2")).result(30)
    current = project.current_version()
    assert current is not None
    assert current.name == "v2"
    assert project.writer.call(lambda db: version_groups(db, "v1")).result(30) == {1: "train", 2: "held-out"}


def test_a_version_that_is_not_there_does_not_become_current(project: Project) -> None:
    assert project.writer is not None
    project.writer.call(lambda db: add_version(db, _version(1, current=True))).result(30)
    with pytest.raises(UserError, match="no version 'v2'"):
        learning.make_current(project, "v2").result(30)
    current = project.current_version()
    assert current is not None
    assert current.name == "v1"
    learning.make_current(project, INSTANT).result(30)
    assert project.current_version() is None


def test_a_run_is_listed_from_its_beginning_to_its_end(project: Project) -> None:
    assert project.writer is not None
    run = project.writer.call(lambda db: begin_run(db, "r1", parent="embedded", device="cpu", seed=3)).result(30)
    assert [(r.name, r.state) for r in project.runs()] == [("r1", "running")]
    project.writer.call(
        lambda db: end_run(db, run, state="done", version="v1", steps=45, seconds=60.0, summary={"loss": 0.25})
    ).result(30)
    found = project.runs()[0]
    assert (found.state, found.version, found.steps, found.summary) == ("done", "v1", 45, {"loss": 0.25})


def test_seconds_spent_on_an_image_add_up(project: Project) -> None:
    project.add_time(FIRST, 2.5).result(30)
    project.add_time(FIRST, 4.0).result(30)
    assert project.writer is not None
    total = project.writer.call(lambda db: db.execute("SELECT image, sum(seconds) FROM times").fetchall()).result(30)
    assert total == [(1, 6.5)]

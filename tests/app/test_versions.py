"""The owner of what proposes, over a real project: the list, the choice, the last run's curves; and what is opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segstudio.app.learning.versions import Versions
from segstudio.app.session import Session
from segstudio.app.values import LastRun
from segstudio.errors import UserError
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ImageId, Seq, Status
from segstudio.runs import Stepped
from segstudio.store.catalog.versions import add_version, begin_run, end_run
from segstudio.store.learning import add_trained
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from tests.app.grounds import ground_of

FIGURES = {"parent": {"mean_iou": 0.7, "loss": 1, "iou": {}}, "child": {"mean_iou": 0.8, "loss": 1, "iou": {}}}


def _two_versions(project: Project) -> None:
    assert project.writer is not None
    for n, current in ((1, True), (2, False)):
        row = VersionRow(
            f"v{n}",
            n,
            "deep",
            "embedded",
            "2026-11-21T10:00:00Z",
            Seq(0),
            True,
            "why",
            figures=FIGURES,
            current=current,
        )
        project.writer.call(lambda db, row=row: add_version(db, row)).result(10)


@pytest.fixture
def versions(opened: Callable[[], Project]) -> Any:
    project = opened()
    ground = ground_of(project)
    made = Versions(ground)
    yield made
    made.close()
    ground.main.close()


def test_versions_are_listed_newest_first_and_last_what_proposes_without_any(versions: Versions) -> None:
    assert [(item.name, item.current) for item in versions.items()] == [("embedded", True)]
    _two_versions(versions._project)
    items = versions.items()
    assert [(item.name, item.current) for item in items] == [("v2", False), ("v1", True), ("embedded", False)]
    assert (items[0].before, items[0].now) == (0.7, 0.8)
    assert items[-1].now == 0.7  # as it was measured when a version was compared with it


def test_a_version_is_made_current_and_so_is_doing_without_one(qtbot: Any, versions: Versions) -> None:
    _two_versions(versions._project)
    with qtbot.waitSignal(versions.currentChanged):
        versions.use("v2")
    assert [item.name for item in versions.items() if item.current] == ["v2"]
    with qtbot.waitSignal(versions.currentChanged):
        versions.use("embedded")
    assert versions._project.current_version() is None
    assert versions.items()[-1].current
    with pytest.raises(UserError, match="no version 'v9'"):
        versions.use("v9")


def test_the_last_run_is_read_with_a_torn_last_line_left_out(qtbot: Any, versions: Versions) -> None:
    project = versions._project
    assert project.writer is not None
    run = project.writer.call(lambda db: begin_run(db, "r1", parent="embedded", device="cpu", seed=0)).result(10)
    folder = project.path / "runs" / "r1"
    folder.mkdir(parents=True)
    event = Stepped(step=1, seconds=1.0, loss=0.5, patches_per_second=1.0, rate=0.1, memory_mb=1.0)
    line = msgspec.json.encode(event)
    (folder / "events.jsonl").write_bytes(line + b"\n" + line[:20])
    project.writer.call(lambda db: end_run(db, run, state="failed", summary={"why": "The engine died."})).result(10)
    with qtbot.waitSignal(versions.runRead) as read:
        versions.read_last_run()
    found = read.args[0]
    assert isinstance(found, LastRun)
    assert found.events == (event,)
    assert found.result is None
    assert found.why == "The engine died."


def test_what_a_later_release_wrote_is_listed_without_figures_and_result(qtbot: Any, versions: Versions) -> None:
    project = versions._project
    assert project.writer is not None
    later = VersionRow("v1", 1, "deep", "embedded", "", Seq(0), promoted=True, figures={"child": {"dice": 0.9}})
    add_trained(project, later, run=None, groups={}, current="v1", state="done", summary={}).result(10)
    run = project.writer.call(lambda db: begin_run(db, "r1", parent="embedded", device="cpu", seed=0)).result(10)
    project.writer.call(lambda db: end_run(db, run, state="done", summary={"version": "v1", "dice": []})).result(10)
    (project.path / "runs" / "r1").mkdir(parents=True)
    (project.path / "runs" / "r1" / "events.jsonl").write_bytes(b"")
    versions.read_again()
    assert next((item.name, item.now) for item in versions.items()) == ("v1", None)
    with qtbot.waitSignal(versions.runRead) as read:
        versions.read_last_run()
    assert read.args[0].result is None


def test_a_project_opens_at_the_first_image_that_is_not_done(qtbot: Any, project_path: Path) -> None:
    with Project.open(project_path) as project:
        assert project.writer is not None
        change = RowChange(Table.IMAGES, 1, {"status": Status.NEW.value}, {"status": Status.DONE.value})
        project.writer.submit(Edit(ImageId(1), Cause.DONE, rows=(change,)))
        assert project.writer.flush(10)
    session = Session()
    session.kept_preferences.remembers = False
    with qtbot.waitSignal(session.imageShown):
        session.projects.open(project_path)
    assert session.project.navigation.index == 1
    session.close()


def test_it_is_told_when_the_learner_takes_the_place_of_the_guess(
    versions: Versions, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    versions.changed.connect(lambda: told.append(versions.items()[-1].name))
    versions.follow_learner()
    qtbot.wait(50)
    assert told == []
    monkeypatch.setattr(versions._project, "known_classes", lambda: {1, 2})
    versions.follow_learner()
    versions.follow_learner()
    qtbot.waitUntil(lambda: bool(told))
    qtbot.wait(50)
    assert told == ["instant"]
    monkeypatch.undo()
    versions.follow_learner()
    qtbot.waitUntil(lambda: told == ["instant", "embedded"])

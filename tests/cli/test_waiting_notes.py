"""Edits that wait for a project are told of by every command that leaves them out, and by the one that saves them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from segstudio.geometry import Rect
from segstudio.store.project import Project
from segstudio.tasks.keeping.project_health import examine_project
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import CELL, CLASSES, FIRST, flushed, new_images, paint

Run = Callable[..., tuple[int, str, str]]
WAITS = "segstudio: 1 edit of the project 'field.segstudio' that the disk refused is waiting in the state folder"


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """A project for which an edit waits."""
    path = tmp_path / "field.segstudio"
    kind: type[RefusingConnection] = refusing()
    Project.create(path, new_images(tmp_path, 1), CLASSES).close()
    project = Project.open(path, connection_type=kind)
    paint(project, project.document(FIRST), Rect(0, 0, 30, 30), CELL)
    flushed(project)
    kind.refuse = "full"
    paint(project, project.document(FIRST), Rect(100, 0, 30, 30), CELL)
    project.close(wait_s=0.1)
    return path


def test_info_export_and_backup_say_that_edits_wait(field: Path, tmp_path: Path, run: Run) -> None:
    for n, arguments in enumerate((["info"], ["backup"], ["export", "--format", "png", "--out"])):
        command, *options = arguments
        place = [tmp_path / f"out-{n}"] if command != "info" else []
        code, out, err = run(command, field, *options, *place, "--json")
        assert code == 0
        assert json.loads(out)["waiting_edits"] == 1
        assert err.startswith(WAITS)
        assert len(err.splitlines()) == 1
    with Project.open(field):
        pass
    code, out, err = run("info", field, "--json")
    assert (json.loads(out)["waiting_edits"], err) == (0, "")


def test_merge_says_for_which_side_edits_wait(field: Path, tmp_path: Path, run: Run) -> None:
    Project.create(tmp_path / "other.segstudio", new_images(tmp_path, 1), CLASSES).close()
    code, out, _ = run("merge", tmp_path / "other.segstudio", field, "--out", tmp_path / "c.segstudio", "--json")
    assert code == 0
    assert [WAITS.removeprefix("segstudio: ") in note for note in json.loads(out)["notes"]].count(True) == 1


def test_doctor_lists_what_waits_and_what_was_set_aside(field: Path) -> None:
    found = examine_project(field)
    (waiting,) = found.as_json()["waiting_files"]
    assert found.as_json()["set_aside_files"] == []
    assert any(waiting in problem for problem in found.problems)
    assert not found.damage
    Path(waiting).write_bytes(b"")
    Project.open(field).close()
    found = examine_project(field)
    assert found.as_json()["waiting_files"] == []
    (aside,) = found.as_json()["set_aside_files"]
    assert any(aside in problem for problem in found.problems)


def test_a_command_that_fails_says_in_its_one_line_what_opening_saved(field: Path, run: Run) -> None:
    code, _, err = run("snapshot", field, "--restore", "nope")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "no snapshot 'nope'" in err
    assert "1 edit that the disk refused when the project was closed has now been saved." in err
    code, _, err = run("snapshot", field, "--restore", "nope")
    assert "disk refused" not in err


def test_a_command_that_is_stopped_says_so_too(field: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from segstudio.cli import snapshot

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshot, "shown", stopped)
    monkeypatch.setattr(snapshot, "say", stopped)
    code, _, err = run("snapshot", field)
    assert code == 1
    assert err.startswith("segstudio: Stopped before the end. 1 edit that the disk refused")
    assert len(err.splitlines()) == 1


def test_doctor_tells_of_edits_that_wait_for_the_place_where_a_project_was_before(field: Path) -> None:
    moved = field.rename(field.with_name("moved.segstudio"))
    found = examine_project(moved)
    assert any("1 edit of the project 'moved.segstudio' that the disk refused is waiting" in p for p in found.problems)
    assert not found.damage

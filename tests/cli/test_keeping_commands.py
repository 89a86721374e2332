"""snapshot, backup, compact, and the work that info tells of, as a script meets them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.labels.model import ImageId
from segstudio.store.project import Project

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    """Two images, of which a.png has been labelled twice, with a snapshot 'first' between."""
    for name in ("images", "one", "two"):
        (tmp_path / name).mkdir()
    for n, name in enumerate(("a", "b")):
        pixels = np.random.default_rng(n).integers(0, 255, (20, 24, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"images/{name}.png")
    for n, folder in enumerate(("one", "two")):
        mask = np.full((20, 24), n, np.uint8)
        Image.fromarray(mask).save(tmp_path / folder / "a.png")
    path = tmp_path / "p.segstudio"
    assert run("new", path, "--images", tmp_path / "images")[0] == 0
    assert run("import", path, "--format", "png", tmp_path / "one")[0] == 0
    assert run("snapshot", path, "--name", "first")[0] == 0
    assert run("import", path, "--format", "png", tmp_path / "two")[0] == 0
    return path


def info(run: Run, project: Path) -> dict:
    return json.loads(run("info", project, "--json")[1])


def test_a_snapshot_is_listed_restored_renamed_and_deleted(project: Path, run: Run) -> None:
    now = info(run, project)
    (found,) = json.loads(run("snapshot", project, "--list", "--json")[1])["snapshots"]
    assert found["time"]
    assert found["author"]
    assert {key: found[key] for key in ("name", "kind", "edit", "edits_since", "restorable")} == {
        "name": "first", "kind": "named", "edit": 1, "edits_since": 1, "restorable": True,
    }  # fmt: skip
    code, out, err = run("snapshot", project, "--restore", "First", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["images"], report["classes"], report["last_edit"]) == (["a.png"], False, 3)
    assert info(run, project)["images"][0]["labels_sha256"] != now["images"][0]["labels_sha256"]
    assert "Nothing differs" in run("snapshot", project, "--restore", "first")[1]
    assert json.loads(run("snapshot", project, "--rename", "first", "--name", "one", "--json")[1])["renamed"]
    assert run("snapshot", project, "--delete", "one")[1] == "Snapshot 'one' deleted (edit 1).\n"
    assert run("snapshot", project, "--list")[1] == "No snapshots yet.\n"


def test_only_the_images_that_fit_are_restored(project: Path, run: Run) -> None:
    assert json.loads(run("snapshot", project, "--restore", "first", "--images", "b*", "--json")[1])["images"] == []
    assert json.loads(run("snapshot", project, "--restore", "first", "--images", "a*", "--json")[1])["images"]
    assert run("snapshot", project, "--restore", "first", "--images", "c*")[0] == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--images", "a*"),
        ("--rename", "first"),
        ("--list", "--name", "x"),
        ("--list", "--delete", "first"),
        ("--restore", "first", "--name", "x"),
    ],
)
def test_what_makes_no_sense_is_usage(project: Path, run: Run, options: tuple[str, ...]) -> None:
    assert run("snapshot", project, *options)[0] == 2


def test_a_snapshot_that_is_not_there_is_one_line(project: Path, run: Run) -> None:
    for option in ("--restore", "--delete"):
        code, out, err = run("snapshot", project, option, "nothing")
        assert (code, out, err) == (1, "", "segstudio: There is no snapshot 'nothing' in this project.\n")


def test_listing_and_backing_up_go_on_beside_a_writer_and_the_rest_says_who(project: Path, run: Run) -> None:
    with Project.open(project):
        assert run("snapshot", project, "--list")[0] == 0
        assert run("backup", project)[0] == 0
        assert run("compact", project, "--dry-run")[0] == 0
        for arguments in (("snapshot", project), ("compact", project)):
            code, _, err = run(*arguments)
            assert code == 1
            assert "open for writing by" in err


def test_a_backup_is_a_project_with_the_same_labels(project: Path, run: Run, tmp_path: Path) -> None:
    code, out, err = run("backup", project, tmp_path / "kept", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["backup"] == str(tmp_path / "kept.segstudio")
    assert (report["last_edit"], report["tiles"], report["waiting_edits"]) == (2, 1, 0)
    assert info(run, tmp_path / "kept.segstudio") == info(run, project)
    assert run("backup", project, tmp_path / "kept")[0] == 1


def test_compact_says_what_it_would_drop_and_then_drops_it(project: Path, run: Run) -> None:
    before = info(run, project)
    plan = json.loads(run("compact", project, "--before", 3, "--dry-run", "--json")[1])
    assert (plan["compacted_to"], plan["edits"], plan["deltas"], plan["snapshots_kept"]) == (2, 2, 2, ["first"])
    assert plan["dry_run"]
    assert "would be dropped" in run("compact", project, "--before", 3, "--dry-run")[1]
    done = json.loads(run("compact", project, "--before", 3, "--json")[1])
    assert done["bytes_before"] > 0
    assert done["bytes_after"] > 0
    assert info(run, project) == before
    assert run("compact", project, "--before", 3)[1] == "There is nothing to drop.\n"
    assert run("compact", project)[1] == "There is nothing to drop.\n"
    assert json.loads(run("snapshot", project, "--restore", "first", "--json")[1])["images"] == ["a.png"]


@pytest.mark.parametrize(
    "options",
    [
        ("--before", "yesterday"),
        ("--before", "0"),
        ("--before", "²"),
        ("--before", "9" * 5000),
        ("--before", "20260901"),
        ("--before", "2026W36"),
        ("--before", "2026-02-30"),
        ("--before", "0001-01-01"),
        ("--before", "9999-12-31"),
        ("--before", 1, "--keep-days", 1),
        ("--keep-days", -1),
        ("--keep-days", "²"),
        ("--keep-days", 800_000),
        ("--keep-days", 99_999_999_999),
    ],
)
def test_compact_refuses_what_is_no_number_and_no_day(project: Path, run: Run, options: tuple[object, ...]) -> None:
    code, _, err = run("compact", project, *options)
    assert code == 2
    assert "bug" not in err
    assert run("compact", project, "--dry-run", "--json")[0] == 0


def test_compact_tells_a_day_from_a_number_and_takes_no_number_beyond_the_last(project: Path, run: Run) -> None:
    assert "write 2026-09-01" in run("compact", project, "--before", "20260901")[2]
    for number in (4, 99, 123_456_789_012):
        code, out, err = run("compact", project, "--before", number)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"There is no edit {number} in this project: the last one is 2." in err
    assert json.loads(run("compact", project, "--before", 3, "--dry-run", "--json")[1])["edits"] == 2
    assert json.loads(run("compact", project, "--before", "2999-12-31", "--dry-run", "--json")[1])["edits"] == 2
    assert run("compact", project, "--before", "1971-01-01", "--dry-run")[1] == "There is nothing to drop.\n"
    assert run("compact", project, "--keep-days", 36_525, "--dry-run")[1] == "There is nothing to drop.\n"


def test_time_and_corrections_are_told_and_survive_backup_and_compact(project: Path, run: Run, tmp_path: Path) -> None:
    with Project.open(project) as opened:
        opened.add_time(ImageId(1), 90.0, "ann").result(5)
        opened.add_time(ImageId(1), 30.5, "ben").result(5)
        opened.set_effort(ImageId(1), 25, 200).result(5)
    assert run("backup", project, tmp_path / "kept")[0] == 0
    assert run("compact", project, "--before", 3)[0] == 0
    for path in (project, tmp_path / "kept.segstudio"):
        first, second = info(run, path)["images"]
        assert (first["seconds"], first["effort"]) == (120.5, {"corrected": 25, "proposed": 200})
        assert (second["seconds"], second["effort"]) == (0.0, None)
    text = run("info", project)[1]
    assert "worked 2.0 minutes on 1 image" in text
    assert "corrected 12.5 % of the first proposals" in text

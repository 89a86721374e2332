"""The commands as a script meets them: exit codes, one line on standard error, one object on standard output."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import parser_of
from segstudio.cli.table import COMMANDS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with images/a.png, images/b.png and masks/a.png (a square of 1 on 0), masks/b.png (all unknown)."""
    for name in ("a", "b"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 24, 3), np.uint8)).save(
            tmp_path / f"images/{name}.png"
        )
    mask = np.zeros((20, 24), np.uint8)
    mask[5:9, 5:9] = 1
    Image.fromarray(mask).save(tmp_path / "masks/a.png")
    Image.fromarray(np.full_like(mask, 255)).save(tmp_path / "masks/b.png")
    return tmp_path


@pytest.fixture
def project(home: Path, run: Run) -> Path:
    """A project of these images."""
    assert run("new", home / "p.segstudio", "--images", home / "images")[0] == 0
    return home / "p.segstudio"


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n")


def test_the_whole_of_it_by_json(home: Path, project: Path, run: Run) -> None:
    code, out, err = run("import", project, "--format", "png", home / "masks", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "images": 2,
        "masks": 2,
        "pixels": 480,
        "skipped": [],
        "unread": [],
        "as": "labels",
        "binary": [],
        "reopened": [],
        "new_classes": [],
    }
    code, out, _ = run("info", project, "--json")
    info = json.loads(out)
    assert [list(image) for image in info["images"]] == [
        [
            "path",
            "size",
            "planes",
            "planes_done",
            "status",
            "split",
            "objects",
            "labelled_pixels",
            "labels_sha256",
            "channels",
            "channel_names",
            "dtype",
            "axes",
            "spacing",
            "unit",
            "crs",
            "transform",
            "group",
            "notes",
            "personal",
            "seconds",
            "effort",
        ]
    ] * 2
    assert info["images"][0] | {"labels_sha256": ""} == {
        "path": "a.png", "size": [24, 20], "planes": 1, "planes_done": 0, "status": "in-progress",
        "split": "train", "objects": 1, "labelled_pixels": 480, "labels_sha256": "", "seconds": 0.0, "effort": None,
        "channels": 3, "channel_names": ["red", "green", "blue"], "dtype": "uint8", "axes": "yx", "spacing": None,
        "unit": None, "crs": None, "transform": None, "group": None, "notes": [], "personal": False,
    }  # fmt: skip
    assert [(c["name"], c["kind"], c["value"]) for c in info["classes"]] == [
        ("background", "background", 0), ("object", "semantic", 1),
    ]  # fmt: skip
    assert (info["versions"], info["last_edit"]) == ([], 2)
    code, out, _ = run("export", project, "--format", "png", "--out", home / "out", "--json")
    assert json.loads(out)["files"] == ["masks/a.png"]
    code, out, _ = run("evaluate", project, "--truth", home / "masks", "--content", "labels", "--json")
    assert json.loads(out)["pixel_accuracy"] == 1
    assert json.loads(out)["confusion"]["labels"][-1] == "unknown"


def test_the_same_for_people(home: Path, project: Path, run: Run) -> None:
    mask = home / "masks/nobody.png"
    mask.write_bytes((home / "masks/a.png").read_bytes())
    code, out, err = run("import", project, "--format", "png", home / "masks")
    assert (code, err) == (0, "")
    assert "skipped nobody.png" in out
    for command in (
        ("info", project),
        ("export", project, "--format", "coco", "--out", home / "out"),
        ("evaluate", project, "--truth", home / "masks", "--content", "labels"),
    ):
        code, out, err = run(*command)
        assert (code, err) == (0, "")
        assert out


def test_new_says_what_it_skipped(home: Path, run: Run) -> None:
    (home / "images/notes.txt").write_text("x")
    code, out, _ = run("new", home / "q.segstudio", "--images", home / "images", "--class", "leaf:#112233", "--json")
    assert code == 0
    report = json.loads(out)
    assert (report["images"], report["skipped"]) == (2, 1)
    assert report["classes"][1] == {"name": "leaf", "color": "#112233", "kind": "semantic", "value": 1}


def test_new_names_the_folders_of_masks_that_it_left_out_and_what_comes_next(home: Path, run: Run) -> None:
    images = ("--images", home)
    report = json.loads(run("new", home / "q", *images, "--json")[1])
    assert report["mask_folders_skipped"] == [{"folder": str(home / "masks"), "files": 2}]
    out = run("new", home / "r", *images)[1]
    assert f"2 files in '{home / 'masks'}' look like masks" in out
    assert "Next: 'segstudio " in out
    assert "r.segstudio" in out


def test_the_ending_of_a_project_may_be_left_out_and_one_that_is_missing_is_said(
    home: Path, project: Path, run: Run
) -> None:
    assert run("info", home / "p")[0] == 0
    code, _, err = run("info", home / "nowhere")
    assert (code, one_line(err)) == (1, True)
    assert "There is no project" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "p.segstudio", "--format", "xyz", "--out", "o"),
        ("import", "p.segstudio", "--format", "xyz", "m"),
        ("new", "q.segstudio"),
        ("new", "q.segstudio", "--images", "images", "--class", "a:b:c:d"),
        ("new", "q.segstudio", "--images", "images", "--class", "a=b"),
        ("train", "p.segstudio", "--events", "-", "--json"),
        ("train", "p.segstudio", "--max-seconds", "-1"),
        ("train", "p.segstudio", "--max-steps", "0"),
        ("train", "p.segstudio", "--device", "tpu"),
        ("train", "p.segstudio", "--config", "missing.toml"),
        ("predict", "p.segstudio", "--all", "--unlabelled"),
        ("import", "p.segstudio", "--format", "png", "m", "--map", "x=y"),
        ("import", "p.segstudio", "--format", "png", "m", "--map", "9-3=y"),
        ("import", "p.segstudio", "--format", "png", "m", "--pattern", "mask"),
        ("evaluate", "p.segstudio", "--truth", "m", "--map", "x=y"),
        ("classes", "p.segstudio", "--add", "a\tb"),
        ("classes", "p.segstudio", "--rename", "object"),
        ("classes", "p.segstudio", "--colour", "object=red"),
        ("classes", "p.segstudio", "--kind", "object=thing"),
        ("import", "p.segstudio", "--format", "png", "m", "--as", "proposals", "--status", "done"),
        ("evaluate", "p.segstudio", "--truth", "m", "--split", "half"),
        ("info",),
        ("info", "p.segstudio", "--jso"),
        ("no-such-thing",),
        ("--demo", "images"),
    ],
)
def test_what_makes_no_sense_is_2_and_one_line(
    home: Path, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(home)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert one_line(err), err
    assert not (home / "q.segstudio").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("info", "gone.segstudio"), "gone.segstudio"),
        (("info", "images"), "images"),
        (("new", "p.segstudio", "--images", "images"), "already"),
        (("new", "q.segstudio", "--images", "images/a.png", "text.png"), "text.png"),
        (("new", "q.segstudio", "--images", "gone"), "gone"),
        (("import", "p.segstudio", "--format", "png", "gone"), "gone"),
        (("import", "p.segstudio", "--format", "png", "masks", "--map", "1=nobody"), "nobody"),
        (("export", "p.segstudio", "--format", "png", "--out", "o"), "nothing to export"),
        (("evaluate", "p.segstudio", "--truth", "gone"), "gone"),
        (("predict", "p.segstudio", "--images", "x*"), "x*"),
        (("accept", "p.segstudio", "--images", "x*"), "x*"),
        (("predict", "p.segstudio", "--version", "v9"), "v9"),
        (("train", "p.segstudio", "--base", "v9"), "v9"),
    ],
)
def test_what_fails_is_1_and_one_line_that_names_it(
    home: Path, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(home)
    (home / "text.png").write_text("hello")
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert one_line(err)
    assert said in err
    assert not (home / "q.segstudio").exists()


def test_accept_takes_the_proposals_and_counts_what_it_passes_over(home: Path, project: Path, run: Run) -> None:
    assert run("import", project, "--format", "png", home / "masks" / "a.png", "--as", "proposals")[0] == 0
    code, out, err = run("accept", project, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"images": 1, "edits": 1, "passed_over": 1, "planes_left": 0, "empty": [], "changed": []}
    code, out, err = run("accept", project, "--done")
    assert (code, out, err) == (0, "1 image marked done. 1 image without a proposal was passed over.\n", "")
    images = json.loads(run("info", project, "--json")[1])["images"]
    assert [image["status"] for image in images] == ["done", "new"]


def test_an_image_that_would_be_done_with_nothing_labelled_is_named(home: Path, project: Path, run: Run) -> None:
    assert run("import", project, "--format", "png", home / "masks" / "b.png", "--as", "proposals")[0] == 0
    code, out, err = run("accept", project, "--done")
    assert (code, out, one_line(err)) == (
        0,
        "0 images marked done. 1 image without a proposal was passed over.\n",
        True,
    )
    assert "'b.png' was not marked done: nothing would be labelled" in err


def test_accept_beside_a_writer_is_told_who_has_the_project(project: Path, run: Run) -> None:
    import os

    from segstudio.store.project import Project

    with Project.open(project):
        code, out, err = run("accept", project)
    assert (code, out, one_line(err)) == (1, "", True)
    assert f"process {os.getpid()}" in err


def test_a_second_writer_is_told_who_has_the_project(home: Path, project: Path, run: Run) -> None:
    import os

    from segstudio.store.project import Project

    with Project.open(project):
        code, _, err = run("import", project, "--format", "png", home / "masks")
        assert code == 1
        assert f"process {os.getpid()}" in err
        assert run("info", project)[0] == 0
    assert run("import", project, "--format", "png", home / "masks")[0] == 0


def test_a_project_of_a_newer_version_is_not_written(home: Path, project: Path, run: Run) -> None:
    import sqlite3

    db = sqlite3.connect(project / "project.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    code, out, err = run("import", project, "--format", "png", home / "masks")
    assert (code, out) == (1, "")
    assert "newer" in err
    assert one_line(err)


def test_json_knows_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    from segstudio.cli.output import say_json

    say_json({"loss": float("nan"), "more": [float("inf"), 1.5, {"x": 2}]})
    assert json.loads(capsys.readouterr().out) == {"loss": None, "more": [None, 1.5, {"x": 2}]}


def test_the_ending_of_a_project_may_be_left_out(home: Path, project: Path, run: Run) -> None:
    assert run("info", project.with_suffix(""))[0] == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_documents_itself_and_its_options(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"usage: segstudio {command}" in out
    assert "--json" in out
    assert "examples:" in out
    for action in parser_of(command)._actions:
        assert action.help, f"{command} {action.dest} says nothing"
    assert run("help", command)[1] == out


def test_the_overview_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, command in COMMANDS.items():
        assert f"  {name} " in out
        assert command.summary in out
    assert run("--version")[1].startswith("segstudio ")


def test_a_config_file_gives_options_and_the_command_line_wins(home: Path) -> None:
    from segstudio.cli.train import _choices

    (home / "c.toml").write_text('base = "scratch"\nmax_steps = 7\nmax_seconds = 5\n')
    options = parser_of("train").parse_args(["p", "--config", str(home / "c.toml"), "--max-steps", "9"])
    choices = _choices(options)
    assert (choices.base, choices.max_steps, choices.max_seconds, choices.device) == ("scratch", 9, 5.0, "auto")


@pytest.mark.parametrize("text", ["steps = 3", "max_steps = 'a'", "max_steps = 0", "= =", "device = 'tpu'"])
def test_a_wrong_config_file_is_a_usage_error(home: Path, project: Path, run: Run, text: str) -> None:
    (home / "c.toml").write_text(text)
    code, _, err = run("train", project, "--config", home / "c.toml")
    assert code == 2
    assert one_line(err)


def test_predict_with_nothing_to_do_starts_no_engine(home: Path, project: Path, run: Run) -> None:
    Image.fromarray(np.zeros((20, 24), np.uint8)).save(home / "masks/b.png")
    run("import", project, "--format", "png", home / "masks")
    code, out, err = run("predict", project, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "images": 0, "network_pixels": 0, "scale": 1.0, "seconds": {"decode": 0.0, "network": 0.0, "writing": 0.0},
        "passed_over": 0,
    }  # fmt: skip


def test_a_path_that_the_system_refuses_is_one_sentence_for_every_command(
    home: Path, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    run("import", "p", "--format", "png", "masks")
    long = "x" * 300
    for arguments in (
        ("info", long),
        ("info", "x" * 250),
        ("import", "p", "--format", "png", long),
        ("export", "p", "--format", "png", "--out", long),
        ("evaluate", "p", "--truth", long),
        ("backup", "p", long),
        ("classes", long),
        ("compare", "p", "p", "--out", long),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (1, ""), arguments
        assert one_line(err)
        assert "bug" not in err
        assert len(err) < 400


def test_classes_are_listed_and_changed_by_json(home: Path, project: Path, run: Run) -> None:
    run("import", project, "--format", "png", home / "masks")
    code, out, err = run("classes", project, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["classes"][1] == {
        "name": "object", "color": "#e69f00", "kind": "semantic", "value": 1, "pixels": 16,
    }  # fmt: skip
    assert (json.loads(out)["changed"], json.loads(out)["last_edit"]) == (False, 2)
    options = ("--add", "leaf:#112233:instance", "--color", "leaf=#445566", "--rename", "leaf=stem", "--json")
    code, out, _ = run("classes", project, *options)
    assert (code, json.loads(out)["changed"], json.loads(out)["last_edit"]) == (0, True, 3)
    assert json.loads(out)["classes"][2] == {
        "name": "stem", "color": "#445566", "kind": "instance", "value": 2, "pixels": 0,
    }  # fmt: skip
    code, out, err = run("classes", project, "--remove", "stem", "--remove", "nobody")
    assert (code, out) == (1, "")
    assert one_line(err)
    assert "nobody" in err
    assert "stem" in run("classes", project)[1]


def test_classes_are_listed_beside_a_writer_and_not_changed(home: Path, project: Path, run: Run) -> None:
    from segstudio.store.project import Project

    with Project.open(project):
        assert run("classes", project)[0] == 0
        code, _, err = run("classes", project, "--add", "leaf")
        assert code == 1
        assert "process" in err


def test_what_an_export_left_out_and_cleared_away_is_said(home: Path, project: Path, run: Run) -> None:
    run("import", project, "--format", "png", home / "masks/a.png")
    report = json.loads(run("export", project, "--format", "png", "--out", home / "out", "--json")[1])
    assert report["left_out"] == [{"path": "b.png", "reason": "no known pixel"}]
    assert (report["images"], report["planes"], report["planes_left_out"]) == (1, 1, 0)
    run("import", project, "--format", "png", home / "masks/a.png", "--status", "in-progress", "--map", "1=,0=")
    Image.fromarray(np.zeros((20, 24), np.uint8)).save(home / "masks/b.png")
    run("import", project, "--format", "png", home / "masks/b.png", "--status", "done")
    code, out, _ = run("export", project, "--format", "png", "--out", home / "out", "--content", "finished")
    assert code == 0
    assert "left out: 1 image, not done (the first is a.png)." in out
    assert "removed: 1 file" in out


def test_a_note_of_binary_masks_stands_beside_the_json(home: Path, project: Path, run: Run) -> None:
    Image.fromarray(np.full((20, 24), 255, np.uint8)).save(home / "masks/a.png")
    code, out, err = run("import", project, "--format", "png", home / "masks", "--json")
    assert code == 0
    assert json.loads(out)["binary"] == ["a.png", "b.png"]
    assert one_line(err)
    assert "--map 255=CLASS" in err

"""`segstudio add` and `segstudio remove` as scripts call them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.store.project import Project

Run = Callable[..., tuple[int, str, str]]


def picture(file: Path, seed: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 24, 3), np.uint8)).save(file)
    return file


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    for n, name in enumerate(("a.png", "b.png")):
        picture(tmp_path / "images" / name, n)
    assert run("new", tmp_path / "p", "--images", tmp_path / "images")[0] == 0
    return tmp_path / "p.segstudio"


def listed(run: Run, project: Path) -> list[str]:
    return [image["path"] for image in json.loads(run("info", project, "--json")[1])["images"]]


def test_add_says_what_it_did(run: Run, project: Path, tmp_path: Path) -> None:
    picture(tmp_path / "images/c.png", 5)
    (tmp_path / "images/notes.txt").write_text("hello")
    code, out, err = run("add", project, tmp_path / "images", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["added"], found["already_there"], found["brought_back"]) == (["c.png"], 2, [])
    assert found["skipped_files"] == [{"path": str(tmp_path / "images/notes.txt"), "reason": "no image"}]
    assert "1 file is not an image" in err
    code, out, _ = run("add", project, tmp_path / "images")
    assert code == 0
    assert "0 images added" in out
    assert "3 images were there already" in out
    assert listed(run, project) == ["a.png", "b.png", "c.png"]


def test_of_the_files_passed_over_the_first_three_are_named(run: Run, project: Path, tmp_path: Path) -> None:
    for n in range(1, 6):
        (tmp_path / f"images/note{n}.txt").write_text("hello")
    _, _, err = run("add", project, tmp_path / "images")
    first = ", ".join(str(tmp_path / f"images/note{n}.txt") for n in (1, 2, 3))
    assert f"Skipped: 5 files are not images ({first} and 2 more)." in err


def test_remove_and_add_again(run: Run, project: Path, tmp_path: Path) -> None:
    code, out, _ = run("remove", project, "a*", "--json")
    assert (code, json.loads(out)) == (0, {"removed": ["a.png"], "images": 1})
    assert listed(run, project) == ["b.png"]
    code, out, err = run("remove", project, "a.png")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert json.loads(run("add", project, tmp_path / "images/a.png", "--json")[1])["brought_back"] == ["a.png"]
    assert listed(run, project) == ["a.png", "b.png"]


@pytest.mark.parametrize("command", ["add", "remove"])
def test_beside_a_writer_both_are_refused_in_one_line(run: Run, project: Path, tmp_path: Path, command: str) -> None:
    with Project.open(project):
        code, out, err = run(command, project, "a.png" if command == "remove" else picture(tmp_path / "x.png", 9))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "process" in err
    assert listed(run, project) == ["a.png", "b.png"]


def test_removed_images_are_not_exported(run: Run, project: Path, tmp_path: Path) -> None:
    masks = tmp_path / "truth"
    for name in ("a.png", "b.png"):
        masks.mkdir(exist_ok=True)
        Image.fromarray(np.ones((20, 24), np.uint8)).save(masks / name)
    assert run("import", project, "--format", "png", masks)[0] == 0
    assert run("remove", project, "a.png")[0] == 0
    assert run("export", project, "--format", "png", "--out", tmp_path / "out")[0] == 0
    assert [file.name for file in (tmp_path / "out/masks").iterdir()] == ["b.png"]
    again = json.loads(run("import", project, "--format", "png", masks, "--json")[1])
    assert again["images"] == 1

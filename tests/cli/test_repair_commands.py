"""`repair`, `relink` and `doctor PROJECT` as a script meets them."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.tasks import doctor
from tests.tasks.pictures import picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """images/a.png and images/b.png, and a mask of a.png."""
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png", ord(name), (24, 20))
    (tmp_path / "masks").mkdir()
    mask = np.full((20, 24), 255, np.uint8)
    mask[5:9, 5:9] = 1
    Image.fromarray(mask).save(tmp_path / "masks/a.png")
    return tmp_path


@pytest.fixture
def project(home: Path, run: Run) -> Path:
    assert run("new", home / "p.segstudio", "--images", home / "images")[0] == 0
    return home / "p.segstudio"


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n")


@pytest.fixture
def labelled(home: Path, project: Path, run: Run) -> Path:
    assert run("import", project, "--format", "png", home / "masks")[0] == 0
    return project


def test_repair_makes_an_equal_project_beside_and_says_nothing_is_lost(labelled: Path, run: Run) -> None:
    code, out, err = run("repair", labelled)
    assert (code, err) == (0, "")
    assert out.endswith("Nothing is lost.\n")
    before, after = (
        json.loads(run("info", path, "--json")[1]) for path in (labelled, labelled.with_name("p-repaired.segstudio"))
    )
    assert after == before
    code, out, err = run("repair", labelled)
    assert code == 1
    assert one_line(err)
    assert "already something" in err


def test_repair_lists_what_is_lost(labelled: Path, run: Run) -> None:
    with closing(sqlite3.connect(labelled / "project.db")) as db, db:
        db.execute("DELETE FROM deltas")
        db.execute("UPDATE tiles SET data = x'01'")
        db.execute("UPDATE images SET status = 'done'")
    code, out, err = run("repair", labelled, "--out", labelled.with_name("new"), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["lost"]["tiles"] == [{"path": "a.png", "plane": 0, "tile": [0, 0]}]
    assert not found["whole"]
    assert found["out"].endswith("new.segstudio")
    before, after = (
        json.loads(run("info", path, "--json")[1])["images"][0]["status"]
        for path in (labelled, labelled.with_name("new.segstudio"))
    )
    assert (before, after) == ("done", "in-progress")
    code, out, _ = run("repair", labelled)
    assert "lost: labels of a.png from x 0 to 256, y 0 to 256, plane 0\n" in out
    assert "in progress again" in out


def test_repair_of_nothing_is_one_line(labelled: Path, run: Run) -> None:
    (labelled / "project.db").write_bytes(b"x" * 8192)
    code, out, err = run("repair", labelled, "--json")
    assert (code, out) == (1, "")
    assert one_line(err)
    assert "nothing in it can be read" in err


def test_relink_finds_a_moved_folder(home: Path, labelled: Path, run: Run) -> None:
    assert run("relink", labelled, home)[1] == "No image is missing.\n"
    shutil.move(home / "images", home / "moved")
    (home / "empty").mkdir()
    code, out, err = run("relink", labelled, home / "empty")
    assert (code, out) == (1, "")
    assert one_line(err)
    assert "None of the 2 missing images is in" in err
    code, out, err = run("relink", labelled, home / "moved", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"found": 2, "missing": [], "different": []}


def test_doctor_looks_at_a_project(
    home: Path,
    labelled: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = doctor._Engine("2", ["cpu"], doctor._Gpu(False, "none"), [])
    monkeypatch.setattr(doctor, "_engine", lambda: (nothing, ""))
    monkeypatch.setattr(doctor, "_look_at_window", lambda _: None)
    code, out, _ = run("doctor", labelled, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["project"] == {
        "path": str(labelled), "ok": True, "images": 2, "missing_images": 0, "changed_images": 0, "checked_tiles": 1,
        "damaged_tiles": [], "waiting_files": [], "set_aside_files": [],
    }  # fmt: skip
    with closing(sqlite3.connect(labelled / "project.db")) as db, db:
        db.execute("UPDATE tiles SET data = x'01'")
    code, out, err = run("doctor", labelled, "--json")
    assert code == 1
    assert one_line(err)
    assert json.loads(out)["project"]["damaged_tiles"] == [{"path": "a.png", "plane": 0, "tile": [0, 0]}]


def test_export_of_a_changed_image_is_done_with_a_word(home: Path, labelled: Path, run: Run) -> None:
    file = home / "images" / "a.png"
    file.write_bytes((home / "images" / "b.png").read_bytes() + b"more")
    os.utime(file, ns=(5, 5))
    code, out, err = run("export", labelled, "--format", "png", "--out", home / "out", "--json")
    assert code == 0
    assert json.loads(out)["changed"] == ["a.png"]
    assert one_line(err)
    assert "has changed since it was labelled" in err

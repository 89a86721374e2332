"""`merge` and `compare` as a script meets them: one object on standard output, one line on standard error."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def two(tmp_path: Path, run: Run) -> tuple[Path, Path]:
    """anna and ben: two projects of one picture, on which ben calls a corner of anna's square background."""
    (tmp_path / "images").mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (20, 24, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "images/a.png")
    for name, background in (("anna", np.s_[0:1, 0:1]), ("ben", np.s_[8:12, 8:12])):
        masks = tmp_path / f"{name}-masks"
        masks.mkdir()
        values = np.full((20, 24), 255, np.uint8)
        values[2:10, 2:10] = 1
        values[background] = 0
        Image.fromarray(values).save(masks / "a.png")
        assert run("new", tmp_path / f"{name}.segstudio", "--images", tmp_path / "images")[0] == 0
        assert run("import", tmp_path / f"{name}.segstudio", "--format", "png", masks)[0] == 0
    return tmp_path / "anna.segstudio", tmp_path / "ben.segstudio"


def test_merge_prints_images_and_conflicts_and_makes_the_project(two: tuple[Path, Path], run: Run) -> None:
    out = two[0].parent / "both"
    code, printed, err = run("merge", *two, "--out", out, "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert found["images"] == 1
    assert found["conflicts"] == [{"path": "a.png", "plane": 0, "pixels": 4, "rect": [8, 8, 2, 2]}]
    info = json.loads(run("info", out.with_suffix(".segstudio"), "--json")[1])
    assert info["images"][0]["labelled_pixels"] == 64 + 1 + 12
    code, printed, err = run("export", out.with_suffix(".segstudio"), "--format", "png", "--out", out, "--json")
    assert (code, err) == (0, "")


def test_merge_says_what_differs_to_people_too(two: tuple[Path, Path], run: Run) -> None:
    code, printed, _ = run("merge", two[0].with_suffix(""), two[1].with_suffix(""), "--out", two[0].parent / "c")
    assert code == 0
    assert "a.png, plane 0: 4 pixels differ, within 8, 8, 2 x 2." in printed
    assert "B's are proposed" in printed


def test_merge_into_something_that_is_there_is_one_line(two: tuple[Path, Path], run: Run) -> None:
    code, printed, err = run("merge", *two, "--out", two[0], "--json")
    assert (code, printed) == (1, "")
    assert err.count("\n") == 1
    assert "already something" in err


def test_compare_prints_figures_and_writes_maps(two: tuple[Path, Path], run: Run) -> None:
    out = two[0].parent / "maps"
    code, printed, err = run("compare", *two, "--out", out, "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert found["overall"]["pixels"] == 64
    assert found["overall"]["pixel_agreement"] == 60 / 64
    assert found["images"][0]["classes"]["object"]["iou"] == 60 / 64
    assert (found["images"][0]["maps"], found["legend"]["differ"]) == (["agreement/a.png"], 2)
    assert (out / "agreement/a.png").is_file()
    code, printed, _ = run("compare", *two)
    assert code == 0
    assert "pixel agreement 0.9375" in printed
    assert "object" in printed


def test_compare_of_a_project_with_its_copy_is_all_the_same(two: tuple[Path, Path], run: Run) -> None:
    copy = Path(shutil.copytree(two[0], two[0].with_name("copy.segstudio")))
    found = json.loads(run("compare", two[0], copy, "--images", "*.png", "--json")[1])
    assert found["overall"]["pixel_agreement"] == 1.0
    assert found["overall"]["mean_iou"] == 1.0
    assert found["overall"]["only_a"] == found["overall"]["only_b"] == 0

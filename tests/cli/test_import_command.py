"""`segstudio import` with files of annotations, its dry run, and `segstudio formats`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tasks.coco_files import area, coco_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    """A project of one image of 40 x 30."""
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "a.png")
    assert run("new", tmp_path / "p.segstudio", "--images", tmp_path / "a.png")[0] == 0
    return tmp_path / "p.segstudio"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A COCO file of that image: an object of a class that the project lacks, and a box."""
    mask = np.zeros((30, 40), np.bool_)
    mask[2:6, 3:8] = True
    return coco_file(
        tmp_path / "theirs.json",
        [area(mask, 1, 3), {"image_id": 1, "category_id": 3, "bbox": [0, 0, 2, 2]}],
        [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}, {"id": 2, "file_name": "far.png"}],
        [{"id": 3, "name": "bug"}],
    )


def test_the_format_follows_from_the_ending(project: Path, theirs: Path, run: Run) -> None:
    code, out, err = run("import", project, theirs, "--new-classes")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "1 annotation of 1 image imported as labels: 20 known pixels.",
        "New classes: bug.",
        "note: 1 annotation left out: boxes without a segmentation.",
        "skipped far.png: it matches no image of the project, or several equally well.",
    ]


def test_it_says_by_json_what_came_in(project: Path, theirs: Path, run: Run) -> None:
    report = json.loads(run("import", project, "--format", "coco", theirs, "--new-classes", "--json")[1])
    assert (report["images"], report["annotations"], report["pixels"]) == (1, 1, 20)
    assert report["notes"] == ["1 annotation left out: boxes without a segmentation."]
    assert report["new_classes"] == ["bug"]


def test_a_dry_run_says_what_would_come_in_and_changes_nothing(project: Path, theirs: Path, run: Run) -> None:
    before = run("info", project, "--json")[1]
    report = json.loads(run("import", project, theirs, "--new-classes", "--dry-run", "--json")[1])
    (image,) = report["images"]
    assert (image["path"], image["objects"], image["pixels"], image["overwrites"]) == ("a.png", 1, 20, 0)
    assert report["unmatched"] == ["far.png"]
    said = run("import", project, theirs, "--new-classes", "--dry-run")[1].splitlines()
    assert said[-1] == "Nothing was imported: this was a dry run."
    assert run("info", project, "--json")[1] == before


def test_classes_that_are_missing_are_one_line(project: Path, theirs: Path, run: Run) -> None:
    code, out, err = run("import", project, theirs)
    assert (code, out) == (1, "")
    assert "The project has no class 'bug'" in err
    assert err.count("\n") == 1


def test_formats_are_listed(run: Run) -> None:
    rows = json.loads(run("formats", "--json")[1])
    assert [row["name"] for row in rows] == ["png", "geotiff", "nifti", "coco"]
    assert rows[3] == {
        "name": "coco",
        "title": "COCO (JSON)",
        "import": True,
        "export": True,
        "kinds": ["classes", "objects"],
        "extensions": [".json"],
    }
    assert run("formats")[1].startswith("png      PNG masks: import and export; lost: ")

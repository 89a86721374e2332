"""`segstudio lint` as a script meets it: what it finds to the letter, what it mends, and that it is undone together."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, Kind, Origin, Seq
from segstudio.store.project import Project
from tests.labels.regions import region_of

Run = Callable[..., tuple[int, str, str]]

W, H = 60, 40
FIELDS = ["path", "plane", "kind", "class", "object", "rect", "pixels"]


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    """Two images: a speck and a pinhole of 'leaf' in a, which is done and has a gap; two cells that touch in b."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.full((H, W, 3), 90, np.uint8)).save(tmp_path / f"images/{name}.png")
    mask = np.zeros((H, W), np.uint8)
    mask[5:25, 5:25] = 1
    mask[10:12, 10:12] = 0
    mask[30:32, 40:43] = 1
    mask[35:40, 0:4] = 255
    Image.fromarray(mask).save(tmp_path / "masks/a.png")
    path = tmp_path / "p.segstudio"
    classes = ("background::background", "leaf", "cell::instance", "stem", "blur::ignore")
    assert run("new", path, "--images", tmp_path / "images", *(f"--class={c}" for c in classes))[0] == 0
    assert run("import", path, "--format", "png", tmp_path / "masks", "--status", "done")[0] == 0
    with Project.open(path) as opened:
        cell = opened.classes().named("cell")
        assert cell is not None
        document = opened.document(opened.find_image("b.png").id)
        gesture = Gesture(document, Cause.PAINT)
        bounds = document.raster.bounds(0)
        for left in (10, 14):
            where = np.zeros((H, W), np.bool_)
            where[8:12, left : left + 4] = True
            gesture.paint_region(0, region_of(bounds, where), gesture.new_object(cell.id), Origin.PAINTED)
        edit = gesture.commit()
        assert edit is not None
        opened.writing().submit(edit)
    return path


def findings(run: Run, *arguments: object) -> list[dict[str, Any]]:
    code, out, err = run("lint", *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)["findings"]


def rows(found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    assert all(list(one) == FIELDS for one in found)
    return [tuple(one.values()) for one in found]


def test_everything_is_found_with_the_fields_that_scripts_lean_on(project: Path, run: Run) -> None:
    assert rows(findings(run, project)) == [
        ("a.png", 0, "speck", "leaf", 2, [40, 30, 3, 2], 6),
        ("a.png", 0, "pinhole", "leaf", 2, [10, 10, 2, 2], 4),
        ("a.png", 0, "unknown-in-done", None, None, [0, 35, 4, 5], 20),
        ("b.png", 0, "touching", "cell", 1, [13, 8, 2, 4], 8),
        ("b.png", 0, "nearly-empty-class", "cell", None, [10, 8, 8, 4], 32),
        (None, None, "unused-class", "stem", None, None, 0),
    ]


def test_it_counts_what_is_smaller_than_the_size_asked_for(project: Path, run: Run) -> None:
    def kinds(below: int) -> list[str]:
        return [one["kind"] for one in findings(run, project, "--min-area", below)]

    assert [kinds(n).count("pinhole") for n in (4, 5)] == [0, 1]
    assert [kinds(n).count("speck") for n in (6, 7)] == [0, 1]


def test_a_process_prints_one_object_and_ends_with_0_whatever_is_found(project: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "segstudio", "lint", str(project), "--json"],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(root)}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert len(json.loads(done.stdout)["findings"]) == 6


def test_looking_changes_nothing(project: Path, run: Run) -> None:
    before = run("info", project, "--json")
    findings(run, project)
    assert run("info", project, "--json") == before


def test_people_read_a_table_and_where_it_is(project: Path, run: Run) -> None:
    code, out, err = run("lint", project)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["kind", "findings", "images", "pixels"]
    assert lines[1].split() == ["specks", "1", "1", "6"]
    assert "  a.png at 40, 30, leaf, 6 pixels" in lines
    assert lines[-2:] == ["unused classes:", "  stem"]


def test_mending_leaves_what_only_a_person_can_decide(project: Path, run: Run) -> None:
    code, out, err = run("lint", project, "--mend", "unused-class", "speck", "pinhole", "unknown-in-done", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    one_each = {"speck": 1, "pinhole": 1, "unknown-in-done": 1, "unused-class": 1}
    assert (report["mended"], report["left"]) == (one_each, dict.fromkeys(one_each, 0))
    assert [one["kind"] for one in report["findings"]] == ["touching", "nearly-empty-class"]
    with Project.open(project) as opened:
        image = opened.find_image("a.png")
        ids = opened.document(image.id).raster.read(0, opened.document(image.id).raster.bounds(0))[0]
        assert image.labelled_pixels == W * H
        assert (ids[10:12, 10:12] == ids[6, 6]).all()
        assert (ids[30:32, 40:43] == ids[0, 0]).all()


def test_a_kind_mended_in_several_images_is_undone_in_one_step(project: Path, run: Run, tmp_path: Path) -> None:
    mask = np.zeros((H, W), np.uint8)
    mask[20:30, 20:30] = 1
    mask[35, 50] = 1
    Image.fromarray(mask).save(tmp_path / "masks/b.png")
    assert run("import", project, "--format", "png", tmp_path / "masks", "--status", "done")[0] == 0
    before = json.loads(run("info", project, "--json")[1])
    assert [one["kind"] for one in findings(run, project)].count("speck") == 2
    code, out, _ = run("lint", project, "--mend", "speck")
    assert code == 0
    assert out.startswith("specks: 2 mended\n")
    with Project.open(project) as opened:
        assert opened.take_back(opened.last_seq(), "anna").result(30) == 2
    after = json.loads(run("info", project, "--json")[1])
    assert [one["labels_sha256"] for one in after["images"]] == [one["labels_sha256"] for one in before["images"]]


def test_what_is_locked_is_left_and_counted(project: Path, run: Run) -> None:
    with Project.open(project) as opened:
        from segstudio.labels.class_rows import changed_class_row
        from segstudio.labels.edit import Edit

        background = opened.classes().background
        row = changed_class_row(background, locked=True)
        opened.writing().submit(Edit(None, Cause.CLASSES, rows=(row,)))
    code, out, _ = run("lint", project, "--mend", "unknown-in-done", "pinhole")
    assert code == 0
    assert out.splitlines()[:2] == [
        "pinholes: 0 mended, 1 left as it is, since something there is locked",
        "unlabelled but done: 0 mended, 1 left as it is, since something there is locked",
    ]


def test_a_project_that_somebody_writes_is_looked_at_and_not_mended(project: Path, run: Run) -> None:
    with Project.open(project):
        assert len(findings(run, project)) == 6
        code, out, err = run("lint", project, "--mend", "speck")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1


def test_a_project_without_faults_gets_a_sentence(tmp_path: Path, run: Run) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.zeros((H, W), np.uint8)).save(tmp_path / "images/a.png")
    mask = np.zeros((H, W), np.uint8)
    mask[5:25, 5:25] = 1
    Image.fromarray(mask).save(tmp_path / "masks/a.png")
    path = tmp_path / "q.segstudio"
    assert run("new", path, "--images", tmp_path / "images")[0] == 0
    assert run("import", path, "--format", "png", tmp_path / "masks")[0] == 0
    assert run("lint", path) == (0, "No faults were found in the labels of 1 image.\n", "")
    assert run("lint", path, "--json") == (0, '{"findings": []}\n', "")
    assert run("lint", path, "--mend", "speck")[1] == "specks: 0 mended\nNothing is left to mend in 1 image.\n"


@pytest.mark.parametrize("arguments", [("--mend", "touching"), ("--min-area", "0"), ("--mend",)])
def test_what_makes_no_sense_is_a_usage_error(project: Path, run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run("lint", project, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_the_last_edit_can_be_an_edit_of_classes(project: Path, run: Run) -> None:
    run("lint", project, "--mend", "unused-class")
    with Project.open(project) as opened:
        assert [c.name for c in opened.classes() if c.kind is Kind.SEMANTIC] == ["leaf"]
        assert opened.take_back(Seq(opened.last_seq()), "anna").result(30) == 1
        assert opened.classes().named("stem") is not None


def test_planes_are_said_to_count_from_0(tmp_path: Path, run: Run) -> None:
    pages = [Image.fromarray(np.full((H, W), 90, np.uint8)) for _ in range(2)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    path = tmp_path / "stack.segstudio"
    assert (
        run("new", path, "--images", tmp_path / "stack.tif", "--class=background::background", "--class=leaf")[0] == 0
    )
    with Project.open(path) as opened:
        leaf = opened.classes().named("leaf")
        assert leaf is not None
        document = opened.document(opened.find_image("stack.tif").id)
        gesture = Gesture(document, Cause.PAINT)
        where = np.zeros((H, W), np.bool_)
        where[5:25, 5:25] = where[30:32, 40:43] = True
        gesture.paint_region(
            1, region_of(document.raster.bounds(1), where), gesture.new_object(leaf.id), Origin.PAINTED
        )
        edit = gesture.commit()
        assert edit is not None
        opened.writing().submit(edit)
    code, out, _err = run("lint", path)
    assert code == 0
    assert "stack.tif, plane 1 (counted from 0), at 40, 30, leaf, 6 pixels" in out

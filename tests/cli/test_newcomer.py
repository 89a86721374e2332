"""What newcomers stumbled over: their own masks beside an export, binary masks, projects beside their images."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def leaves(tmp_path: Path, run: Run) -> Path:
    """A folder of two images, with a project of the class 'leaf' beside it."""
    folder = tmp_path / "leaves"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 24, 3), np.uint8)).save(folder / name)
    project = tmp_path / "leaves.segstudio"
    assert run("new", project, "--images", folder, "--class", "background::background", "--class", "leaf")[0] == 0
    return folder


def _mask(path: Path, value: int, ground: int = 0) -> bytes:
    path.parent.mkdir(exist_ok=True)
    values = np.full((20, 24), ground, np.uint8)
    values[4:10, 4:10] = value
    Image.fromarray(values).save(path)
    return path.read_bytes()


@pytest.mark.parametrize(("form", "name"), [("png", "masks/a.png"), ("coco", "coco.json")])
def test_an_export_never_replaces_what_it_did_not_write(leaves: Path, run: Run, form: str, name: str) -> None:
    truth, out = leaves.parent / "truth", leaves.parent / "out"
    _mask(truth / "a.png", 1)
    _mask(truth / "b.png", 1)
    assert run("import", leaves, "--format", "png", truth)[0] == 0
    assert run("export", leaves, "--format", form, "--out", out)[0] == 0
    own = (out / name).read_bytes()
    assert run("export", leaves, "--format", form, "--out", out)[0] == 0, "our own may be replaced"
    foreign = own.replace(b"SegStudio", b"SomebodyE")
    (out / name).write_bytes(foreign)
    before = sorted(path.name for path in out.rglob("*"))
    code, printed, err = run("export", leaves, "--format", form, "--out", out)
    assert (code, printed) == (1, "")
    assert "not written by SegStudio" in err
    assert err.count("\n") == 1
    assert (out / name).read_bytes() == foreign
    assert sorted(path.name for path in out.rglob("*")) == before


def test_masks_of_0_and_255_are_named_with_the_way_out(leaves: Path, run: Run) -> None:
    fiji = leaves.parent / "fiji"
    _mask(fiji / "a.png", 255)
    code, printed, _ = run("import", leaves, "--format", "png", fiji)
    assert code == 0
    assert "--map 255=CLASS" in printed
    code, printed, _ = run("import", leaves, "--format", "png", fiji, "--map", "255=leaf", "--json")
    assert json.loads(printed)["binary"] == []
    assert json.loads(printed)["pixels"] == 20 * 24


def test_our_own_masks_and_masks_of_classes_are_not_taken_for_binary_ones(leaves: Path, run: Run) -> None:
    truth, out = leaves.parent / "truth", leaves.parent / "out"
    _mask(truth / "a.png", 0, ground=255)
    assert json.loads(run("import", leaves, "--format", "png", truth, "--json")[1])["binary"] == ["a.png"]
    assert run("export", leaves, "--format", "png", "--out", out)[0] == 0
    assert json.loads(run("import", leaves, "--format", "png", out / "masks", "--json")[1])["binary"] == []
    _mask(truth / "a.png", 1, ground=255)
    assert json.loads(run("import", leaves, "--format", "png", truth, "--json")[1])["binary"] == []


def test_an_import_that_reopens_a_finished_image_says_so(leaves: Path, run: Run) -> None:
    truth = leaves.parent / "truth"
    _mask(truth / "a.png", 1)
    assert "in progress" not in run("import", leaves, "--format", "png", truth, "--status", "done")[1]
    assert "in progress again" in run("import", leaves, "--format", "png", truth)[1]
    assert "in progress again" not in run("import", leaves, "--format", "png", truth)[1]


@pytest.mark.parametrize("command", ["info", "doctor"])
def test_the_name_of_the_folder_of_images_means_the_project_beside_it(leaves: Path, run: Run, command: str) -> None:
    code, printed, err = run(command, leaves, "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert len(found["images"]) == 2 if command == "info" else found["project"]
    shutil.rmtree(leaves.with_suffix(".segstudio"))
    code, _, err = run("info", leaves)
    assert code == 1
    assert "not a SegStudio project" in err


@pytest.mark.parametrize(("word", "said"), [("trian", "'segstudio train'"), ("no/where.segstudio", "no project")])
def test_a_mistyped_word_is_answered_by_what_was_meant(run: Run, word: str, said: str) -> None:
    code, _, err = run(word)
    assert code == 2
    assert said in err

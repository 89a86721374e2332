"""Train and predict from the command line, with the real engine process and small budgets."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import entry

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Five pictures of bright squares, four of them with masks, and a sixth whose pixels are cut short."""
    random = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(6):
        mask = np.zeros((64, 64), np.uint8)
        x, y = random.integers(4, 40, 2)
        mask[y : y + 20, x : x + 20] = 1
        noise = random.integers(0, 60, (64, 64, 3))
        Image.fromarray((noise + mask[..., None] * 150).astype(np.uint8)).save(tmp_path / f"images/{number}.png")
        if number < 4:
            Image.fromarray(mask).save(tmp_path / f"masks/{number}.png")
    broken = tmp_path / "images/5.png"
    broken.write_bytes(broken.read_bytes()[:2000])
    path = tmp_path / "p.segstudio"
    assert entry(["new", str(path), "--images", str(tmp_path / "images"), "--class", "square"]) == 0
    assert entry(["import", str(path), "--format", "png", str(tmp_path / "masks")]) == 0
    capsys.readouterr()
    return path


def test_train_then_predict_with_a_broken_file_among_the_images(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    train = ["train", str(project), "--base", "scratch", "--max-steps", "2", "--events", str(events), "--json"]
    assert entry(train) == 0
    out, err = capsys.readouterr()
    assert err == ""
    result = json.loads(out)
    assert set(result) == {"version", "parent", "promoted", "reason", "steps", "seconds", "held_out", "advice", "older"}
    assert set(result["held_out"]) == {"parent", "child"}
    assert result["steps"] == 2
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert all({"kind", "step", "seconds"} <= set(line) for line in lines)
    assert {"started", "stepped", "evaluated", "finished"} <= {line["kind"] for line in lines}
    assert (project / "models" / f"{result['version']}.safetensors").is_file()

    assert entry(["predict", str(project), "--all", "--json"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert set(report) == {"images", "network_pixels", "scale", "seconds", "passed_over"}
    assert report["images"] == 5
    assert err.count("\n") == 1
    assert "5.png" in err
    assert "1 of 6" in err
    assert entry(["info", str(project), "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert ["problem" in image for image in info["images"]] == [False] * 5 + [True]
    assert next(v["version"] for v in info["versions"]) == result["version"]
    assert (
        entry(["export", str(project), "--format", "png", "--out", str(tmp_path / "out"), "--content", "proposals"])
        == 0
    )


def test_a_mended_file_loses_its_problem_and_a_file_of_another_size_gets_one(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry(["predict", str(project), "--all"]) == 1
    Image.new("RGB", (64, 64)).save(tmp_path / "images/5.png")
    Image.new("RGB", (64, 60)).save(tmp_path / "images/0.png")
    capsys.readouterr()
    assert entry(["predict", str(project), "--all"]) == 1
    _, err = capsys.readouterr()
    assert "1 of 6 images failed" in err
    assert "0.png was changed" in err
    assert entry(["info", str(project), "--json"]) == 0
    images = json.loads(capsys.readouterr().out)["images"]
    assert ["problem" in image for image in images] == [True] + [False] * 5

    assert entry(["train", str(project), "--base", "scratch", "--max-steps", "1"]) == 0
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "warning: 0.png was changed" in err


def test_no_such_device_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["train", str(project), "--device", "cuda:77", "--max-steps", "1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "cuda:77" in err


def test_what_a_person_proposed_is_passed_over_and_counted_unless_it_is_to_be_replaced(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images/5.png").unlink()
    imported = ["import", str(project), "--format", "png", str(tmp_path / "masks"), "--as", "proposals"]
    assert entry(imported) == 0
    capsys.readouterr()
    command = ["predict", str(project), "--images", "[0-4].png", "--version", "embedded", "--json"]
    assert entry(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["images"], report["passed_over"]) == (1, 4)
    assert entry([*command, "--replace"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["images"], report["passed_over"]) == (5, 0)


@pytest.mark.parametrize("planes", ["3-1", "a-b", "-1"])
def test_a_range_of_planes_that_is_none_is_a_usage_error(
    project: Path, planes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        entry(["predict", str(project), f"--planes={planes}"])
    assert ended.value.code == 2
    assert "is not a range of planes" in capsys.readouterr().err

"""Every path of every command may be too long, no text, or lead nowhere sensible: one sentence, never a trace."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., tuple[int, str, str]]

COMMANDS = [
    "new X --images {images}",
    "new {free} --images X",
    "add X {images}",
    "add {project} X",
    "remove X a.png",
    "import X --format png {masks}",
    "import {project} --format png X",
    "train X",
    "predict X",
    "export X --format png --out {out}",
    "export {project} --format png --out X",
    "evaluate X --truth {masks}",
    "evaluate {project} --truth X",
    "lint X",
    "info X",
    "snapshot X",
    "backup X",
    "backup {project} X",
    "compact X",
    "merge X {project} --out {free}",
    "merge {project} X --out {free}",
    "merge {project} {project} --out X",
    "compare X {project}",
    "compare {project} {project} --out X",
    "relink X {images}",
    "relink {project} X",
    "repair X",
    "repair {project} --out X",
    "X",
]


@pytest.fixture
def places(tmp_path: Path, run: Run) -> dict[str, str]:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.ones((20, 24), np.uint8)).save(tmp_path / name / "a.png")
    project = tmp_path / "p.segstudio"
    assert run("new", project, "--images", tmp_path / "images/a.png")[0] == 0
    assert run("import", project, "--format", "png", tmp_path / "masks")[0] == 0
    (tmp_path / "round").symlink_to(tmp_path / "round")
    names = {name: str(tmp_path / name) for name in ("images", "masks", "free", "out")}
    return names | {"project": str(project), "folder": str(tmp_path)}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses such paths otherwise")
@pytest.mark.parametrize(
    "path", ["{folder}/" + "n" * 300, "{folder}/" + "d/" * 2200 + "x", "{folder}/caf\udce9", "{folder}/round/x"]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_that_cannot_be_used_is_one_sentence(
    run: Run, places: dict[str, str], command: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    awkward = path.format(**places)
    code, out, err = run(*[awkward if word == "X" else word.format(**places) for word in command.split()])
    assert code in (1, 2), (out, err)
    assert out == ""
    assert err.count("\n") == 1, err
    err.encode()
    assert "Errno" not in err
    assert not [name for name in os.listdir(places["folder"]) if name.startswith((".", "free", "out"))]

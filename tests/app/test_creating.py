"""A project is made on a thread, with progress, and opened; or refused in a sentence with nothing left behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.app.creating import Creation
from segstudio.app.values import JobState


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(3):
        Image.fromarray(np.full((30, 40), 80 + n, np.uint8)).save(folder / f"{n}.png")
    return folder


def test_a_project_is_made_beside_the_event_loop(qtbot: Any, images: Path, tmp_path: Path) -> None:
    creation = Creation()
    states: list[JobState] = []
    made: list[Path] = []
    creation.jobChanged.connect(states.append)
    creation.made.connect(made.append)
    creation.start(tmp_path / "new.segstudio", [str(images)], ["cell"])
    assert made == []
    creation.start(tmp_path / "twice.segstudio", [str(images)], [])
    qtbot.waitUntil(lambda: bool(made))
    assert made == [tmp_path / "new.segstudio"]
    assert (made[0] / "project.db").is_file()
    assert not (tmp_path / "twice.segstudio").exists()
    assert [state.running for state in states] == [True] * (len(states) - 1) + [False]
    creation.close()


def test_what_cannot_be_made_is_said_and_leaves_nothing(qtbot: Any, tmp_path: Path) -> None:
    creation = Creation()
    failures: list[dict[str, str]] = []
    creation.failed.connect(failures.append)
    creation.start(tmp_path / "new.segstudio", [str(tmp_path)], [])
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0]["job"] == "new"
    assert "No image was found" in failures[0]["sentence"]
    assert list(tmp_path.iterdir()) == []
    creation.close()


def test_closing_in_mid_work_leaves_no_thread_and_no_answer(qtbot: Any, images: Path, tmp_path: Path) -> None:
    creation = Creation()
    made: list[Path] = []
    creation.made.connect(made.append)
    creation.start(tmp_path / "new.segstudio", [str(images)], [])
    creation.close()
    qtbot.wait(20)
    assert made == []

"""A project is made on a thread, with progress, and opened; or refused in a sentence with nothing left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.app.session import Session
from segstudio.app.values import JobKind


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(3):
        Image.fromarray(np.full((30, 40), 80 + n, np.uint8)).save(folder / f"{n}.png")
    return folder


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session that opens nothing: what it was told to open is in `opened`."""
    made = Session()
    made.kept_preferences.remembers = False
    monkeypatch.setattr(made.projects, "open", lambda path, **_: opened.append(path))
    opened.clear()
    yield made
    made.close()


opened: list[Path] = []


def test_a_project_is_made_beside_the_event_loop(qtbot: Any, session: Session, images: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    session.jobs.changed.connect(lambda: seen.append(len(session.jobs.of(JobKind.NEW))))
    session.projects.new(tmp_path / "new.segstudio", [str(images)], ["cell"])
    assert opened == []
    session.projects.new(tmp_path / "twice.segstudio", [str(images)], [])
    qtbot.waitUntil(lambda: bool(opened))
    assert opened == [tmp_path / "new.segstudio"]
    assert (opened[0] / "project.db").is_file()
    assert not (tmp_path / "twice.segstudio").exists()
    assert seen == [1] * (len(seen) - 1) + [0]


def test_what_cannot_be_made_is_said_and_leaves_nothing(qtbot: Any, session: Session, tmp_path: Path) -> None:
    failures: list[dict[str, str]] = []
    session.failed.connect(failures.append)
    session.projects.new(tmp_path / "new.segstudio", [str(tmp_path)], [])
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0]["job"] == "new"
    assert "No image was found" in failures[0]["sentence"]
    assert list(tmp_path.iterdir()) == []


def test_closing_in_mid_work_leaves_no_thread_and_no_answer(
    qtbot: Any, session: Session, images: Path, tmp_path: Path
) -> None:
    session.projects.new(tmp_path / "new.segstudio", [str(images)], [])
    session.close()
    qtbot.wait(20)
    assert opened == []
    assert session.jobs.states == ()

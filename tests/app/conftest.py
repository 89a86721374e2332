"""Projects of small images for the owners of the app layer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from tests.app.proposal_desk import Desk, Network

SIZE = (90, 70)


def make_project(folder: Path, count: int = 3) -> Path:
    """A project of `count` grey noise images with the classes background, cell and crack."""
    rng = np.random.default_rng(0)
    images = folder / "images"
    images.mkdir()
    rows: list[NewImage] = []
    for i in range(count):
        file = images / f"{i}.png"
        Image.fromarray(rng.integers(0, 255, SIZE[::-1], dtype=np.uint8)).save(file)
        stat = file.stat()
        plane = NewPlane("0", *SIZE)
        rows.append(
            NewImage(file.name, images, stat.st_size, stat.st_mtime_ns, f"hash{i}", (plane,), 1, "uint8", "png")
        )
    path = folder / "small.segstudio"
    Project.create(path, rows, [NewClass("cell"), NewClass("crack")]).close()
    return path


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def opened(project_path: Path) -> Iterator[Callable[[], Project]]:
    """Opens the project, again after each close; closes it at the end."""
    projects: list[Project] = []

    def open_() -> Project:
        projects.append(Project.open(project_path))
        return projects[-1]

    yield open_
    for project in projects:
        project.close()


@pytest.fixture
def desk(qtbot: Any, opened: Callable[[], Project], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    network = Network()
    monkeypatch.setattr("segstudio.app.viewing.proposals.predict", network.predict)
    desk = Desk(qtbot, opened(), network)
    yield desk
    desk.close()

"""Projects of a few small images that need no files, and a user's state folder of their own."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segstudio.labels.model import Kind
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane

SIZE = (600, 400)
"""Width and height: 3 x 2 tiles, the last ones cut."""

CLASSES = (NewClass("background", kind=Kind.BACKGROUND), NewClass("cell", kind=Kind.INSTANCE), NewClass("vessel"))
BACKGROUND, CELL, VESSEL = 1, 2, 3


def new_images(root: Path, count: int = 3, planes: int = 1) -> list[NewImage]:
    plane_list = tuple(NewPlane(f"page {i}", *SIZE) for i in range(planes))
    return [
        NewImage(f"field/{i}.png", root, 1000 + i, 1, f"{i:016x}", plane_list, 3, "uint8", "png") for i in range(count)
    ]


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setenv("LOCALAPPDATA", str(state))
    return state


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("segstudio")]
    assert not left


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    made: list[Project] = []

    def make(count: int = 3, planes: int = 1, name: str = "field.segstudio") -> Project:
        project = Project.create(tmp_path / name, new_images(tmp_path, count, planes), CLASSES)
        made.append(project)
        return project

    yield make
    for project in made:
        project.close()


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()

"""Projects of a few small images that need no files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segstudio.store.project import Project
from tests.store.store_painting import CLASSES, new_images


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

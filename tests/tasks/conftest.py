"""Small projects."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import CLASSES, SIZE


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures, one of them in a folder of its own."""
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    random = np.random.default_rng(3)
    for name in ("a.png", "b.jpg", "sub/c.tif"):
        Image.fromarray(random.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def project(tmp_path: Path, pictures: Path) -> Iterator[Project]:
    """A project of these pictures, open for writing, with background 0, leaf 1, cells 2 and the ignored 3."""
    path = finished(new_project(tmp_path / "p.segstudio", [str(pictures)], CLASSES)).path
    with Project.open(path) as opened:
        yield opened


@pytest.fixture
def mask(tmp_path: Path) -> Callable[..., Path]:
    """Writes a mask: rectangles (value, x, y, w, h) on a ground of unknown, in tmp_path/masks."""

    def write(
        name: str, *parts: tuple[int, int, int, int, int], ground: int = 255, size: tuple[int, int] = SIZE
    ) -> Path:
        values = np.full((size[1], size[0]), ground, np.uint8)
        for value, x, y, w, h in parts:
            values[y : y + h, x : x + w] = value
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
        return path

    return write

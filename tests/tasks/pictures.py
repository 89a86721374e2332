"""Small real pictures and a project of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Origin
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished

SIZE = (60, 40)


def picture(file: Path, seed: int, size: tuple[int, int] = SIZE) -> Path:
    """Noise as PNG."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0]), np.uint8)).save(file)
    return file


def project_of(folder: Path, names: Sequence[str] = ("a.png", "sub/b.png", "sub/c.png")) -> Path:
    """A project `folder`/p.segstudio of noise pictures below `folder`/images."""
    for seed, name in enumerate(names):
        picture(folder / "images" / name, seed)
    return finished(new_project(folder / "p", [str(folder / "images")], ["leaf"])).path


def label(project: Project, image: ImageId) -> None:
    """Paint an object of class 2 in the first tile."""
    ids, origins = np.zeros((256, 256), np.uint32), np.zeros((256, 256), np.uint8)
    ids[5:25, 5:25] = 1
    origins[ids > 0] = Origin.PAINTED
    rows = (RowChange(Table.OBJECTS, 1, None, {"class_id": 2}),)
    assert project.writer is not None
    project.writer.submit(Edit(image, Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, frozen(ids, origins))}, rows))
    assert project.writer.flush(30)

"""Which planes `predict` is for."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import UserError
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Status
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.learning.planes import Which, planes_to_predict


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A stack of three planes whose second has labels, a picture that is done, and one that is new."""
    images = []
    for name, count in (("stack", 3), ("done", 1), ("new", 1)):
        planes = tuple(NewPlane(str(n), 64, 64) for n in range(count))
        images.append(NewImage(f"{name}.tif", tmp_path, 1, 1, name, planes, 1, "uint8", "t"))
    made = Project.create(tmp_path / "p.segstudio", images, [NewClass("cell")])
    for image, plane, status in ((1, 1, Status.IN_PROGRESS), (2, 0, Status.DONE)):
        ids = np.zeros((256, 256), np.uint32)
        ids[:8, :8] = 1
        tile = frozen(ids, (ids > 0).astype(np.uint8))
        rows = (
            RowChange(Table.OBJECTS, 1, None, {"class_id": 2}),
            RowChange(Table.IMAGES, image, {"status": "new"}, {"status": status.value}),
        )
        assert made.writer is not None
        made.writer.submit(Edit(ImageId(image), Cause.PAINT, {(plane, 0, 0): TileChange(EMPTY, tile)}, rows))
    made.writer.flush()
    return made


def test_by_default_planes_without_a_known_pixel(project: Project) -> None:
    with project:
        assert planes_to_predict(project, Which.UNLABELLED) == [(1, 0), (1, 2), (3, 0)]


def test_all_are_the_planes_that_are_not_done(project: Project) -> None:
    with project:
        assert planes_to_predict(project, Which.NOT_DONE) == [(1, 0), (1, 1), (1, 2), (3, 0)]


def test_a_range_narrows_both_and_a_glob_means_what_it_fits(project: Project) -> None:
    with project:
        assert planes_to_predict(project, Which.UNLABELLED, between=(1, 2)) == [(1, 2)]
        assert planes_to_predict(project, Which.NOT_DONE, between=(1, 2)) == [(1, 1), (1, 2)]
        assert planes_to_predict(project, Which.UNLABELLED, glob="d*") == [(2, 0)]
        assert planes_to_predict(project, Which.UNLABELLED, glob="stack.tif", between=(0, 0)) == [(1, 0)]
        with pytest.raises(UserError, match="No image has a plane 3"):
            planes_to_predict(project, Which.NOT_DONE, between=(3, 9))

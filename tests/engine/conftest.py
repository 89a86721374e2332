"""One project of small pictures and one real engine process for all tests of the engine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.source import probe
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Kind, Origin, Status
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from tests.learn.conftest import blobs

SIDE = 192


def new_project(
    folder: Path, n: int, *, kind: Kind = Kind.SEMANTIC, broken: Sequence[int] = (), side: int = SIDE
) -> tuple[Project, list[NDArray[np.int32]]]:
    """A project of n pictures of discs with the classes background and 'blob', and the true classes of each."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    images, truths = [], []
    for i in range(n):
        picture, ids = blobs(i, side)
        path = folder / f"{i}.png"
        Image.fromarray((picture * 255).astype(np.uint8)).save(path)
        if i in broken:
            path.write_bytes(path.read_bytes()[:2000])
        plane = (NewPlane("0", side, side),)
        seen = path.stat()
        images.append(NewImage(path.name, folder, seen.st_size, seen.st_mtime_ns, f"q{i}", plane, 3, "uint8", "png"))
        truths.append(ids)
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("blob", kind=kind)]
    return Project.create(folder / "p.segstudio", images, classes), truths


def label(project: Project, image: ImageId, truth: NDArray[np.int32], *, part: Rect | None = None) -> None:
    """Paint (a part of) the truth of an image as one object a class."""
    assert project.writer is not None
    height, width = truth.shape
    by_place = [c.id for c in project.classes()]
    ids = np.where(truth > 0, truth, 0).astype(np.uint32)
    if part is not None:
        keep = np.zeros(ids.shape, np.bool_)
        keep[part.y : part.bottom, part.x : part.right] = True
        ids[~keep] = 0
    tiles = {}
    for ty, tx in tiles_of(Rect(0, 0, width, height)):
        inner = tile_rect(ty, tx).intersected(Rect(0, 0, width, height))
        whole = np.zeros((256, 256), np.uint32)
        whole[: inner.h, : inner.w] = ids[inner.y : inner.bottom, inner.x : inner.right]
        origins = np.where(whole > 0, Origin.PAINTED, 0).astype(np.uint8)
        tiles[0, ty, tx] = TileChange(EMPTY, frozen(whole, origins))
    rows = [RowChange(Table.OBJECTS, int(i), None, {"class_id": by_place[int(i) - 1]}) for i in np.unique(ids) if i]
    status = RowChange(Table.IMAGES, image, {"status": Status.NEW.value}, {"status": Status.IN_PROGRESS.value})
    project.writer.submit(Edit(image, Cause.PAINT, tiles, (*rows, status)))
    project.writer.flush()


def new_image(path: Path) -> NewImage:
    """A file as an image of a new project."""
    info, seen = probe(path), path.stat()
    planes = tuple(NewPlane(p.key, p.width, p.height) for p in info.planes)
    found = (seen.st_size, seen.st_mtime_ns, quick_hash(path))
    return NewImage(path.name, path.parent, *found, planes, info.channels, info.dtype, info.family)


class Hours:
    """A clock on which an hour passes between two looks: deaths are never 'three in ten minutes'."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 3600.0
        return self.now


@pytest.fixture(scope="session")
def discs_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Six pictures of discs, the first five labelled: four train, one is held out."""
    project, truths = new_project(tmp_path_factory.mktemp("discs"), 6)
    for row, truth in zip(project.images()[:5], truths, strict=False):
        label(project, row.id, truth)
    with project:
        yield project


@pytest.fixture(scope="session")
def engine_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the engine of the tests says."""
    return tmp_path_factory.mktemp("log") / "engine.log"


@pytest.fixture(scope="session")
def engine(discs_project: Project, engine_log: Path) -> Iterator[EngineClient]:
    """The real engine process for `discs_project`, started once."""
    with EngineClient(discs_project.path, log=engine_log, clock=Hours()) as client:
        client.ready()
        yield client

"""A large picture with the real engine: what is in view first, part by part, and a run does not wait for it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect, tiles_of
from segstudio.labels.model import ImageId, Kind
from segstudio.runs import Choices, Stepped
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.learning.predict import PredictProgress, Visible, predict
from segstudio.tasks.learning.train import train
from tests.engine.conftest import Hours, label
from tests.learn.conftest import blobs

pytestmark = pytest.mark.engine
SIDE = 6000
LARGE = ImageId(1)
TINY = Choices(network="tiny", base="scratch", max_steps=40)


def _image(folder: Path, name: str, pixels: np.ndarray) -> NewImage:
    from PIL import Image

    path = folder / name
    Image.fromarray(pixels).save(path)
    height, width = pixels.shape[:2]
    seen = path.stat()
    plane = (NewPlane("0", width, height),)
    return NewImage(name, folder, seen.st_size, seen.st_mtime_ns, f"q{name}", plane, 3, "uint8", "tiff")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, EngineClient]]:
    """A picture of 6000 x 6000 without a label, a small one with labels, and a tiny network that has learned those."""
    folder = tmp_path_factory.mktemp("large")
    picture, truth = blobs(0, 192)
    small = (picture * 255).astype(np.uint8)
    repeated = np.tile(small, (SIDE // 192 + 1, SIDE // 192 + 1, 1))[:SIDE, :SIDE]
    images = [_image(folder, "large.tif", repeated), _image(folder, "small.tif", small)]
    project = Project.create(
        folder / "p.segstudio", images, [NewClass("background", kind=Kind.BACKGROUND), NewClass("blob")]
    )
    label(project, ImageId(2), truth)
    with project, EngineClient(project.path, log=folder / "log", clock=Hours()) as engine:
        for _ in train(project, engine, Choices(network="tiny", base="scratch", max_steps=5)):
            pass
        yield project, engine


def _tiles(project: Project) -> set[tuple[int, int]]:
    found = project.proposals.read(LARGE, 0)
    return set() if found is None else set(found.tiles)


def test_what_is_in_view_is_there_first_and_what_comes_into_view_jumps_the_queue(
    desk: tuple[Project, EngineClient],
) -> None:
    project, engine = desk
    first, second = Rect(2000, 2000, 700, 500), Rect(5300, 5300, 600, 600)
    seen = [first]

    def visible() -> Visible:
        return LARGE, 0, seen[-1]

    parts: list[PredictProgress] = []
    for progress in predict(project, engine, [LARGE], version="v1", visible=visible):
        if progress.part:
            parts.append(progress)
            there = _tiles(project)
            if seen[-1] is first and set(tiles_of(first)) <= there:
                assert len(there) < 160  # of 576
                seen.append(second)
            if set(tiles_of(second)) <= there:
                break
    assert len(_tiles(project)) < 500
    fractions = [part.fraction for part in parts]
    assert fractions == sorted(fractions, key=lambda f: f or 0.0)
    assert all(f is not None and 0 < f < 1 for f in fractions)


def test_a_run_begins_while_the_whole_of_a_large_picture_is_in_view(desk: tuple[Project, EngineClient]) -> None:
    project, engine = desk
    windows: list[int] = []
    going, enough = threading.Event(), threading.Event()

    def propose() -> None:
        steps = predict(project, engine, [LARGE], version="v1", visible=lambda: (LARGE, 0, Rect(0, 0, SIDE, SIDE)))
        for progress in steps:
            if progress.part:
                windows.append(len(_tiles(project)))
                going.set()
            if enough.is_set():
                steps.close()
                return

    thread = threading.Thread(target=propose)
    thread.start()
    try:
        assert going.wait(60)
        run = train(project, engine, TINY)
        steps = 0
        while steps < 6:
            steps += isinstance(next(run), Stepped)
        run.close()
    finally:
        enough.set()
        thread.join(60)
    assert windows[-1] < 576  # the run did not wait for its end

"""How soon a run makes its first step in a project of many finished photographs whose measurements are known.

    python benchmarks/first_step.py [--images 1000] [--side 4000 3000] [--folder F | --keep F]

Makes JPEG files of so many pixels and a project in which all of them are done, labelled whole, in a folder that is
deleted afterwards (some 2.5 MB an image). A first run measures the labels and is dropped after its first step; then a
new engine is started, which proposes for one small image, as an engine at work has; the time from the request to the
first event and to the first step counts. One JSON object a row, with the machine, and the engine's processor time,
which a busy machine spoils less; the floor is to decode two of the pictures.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from common import measured, report
from fine_tune import new_image
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.imaging.source import open_image
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, Kind, Origin, Status
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.runs import Choices, Preparing, Stepped
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train

_PICTURES = 4


def photographs(folder: Path, n: int, width: int, height: int) -> list[Path]:
    """Files that differ in their bytes but show one of a few pictures: discs on a noisy ground."""
    from io import BytesIO

    from PIL import Image

    rng = np.random.default_rng(0)
    encoded = []
    for _ in range(_PICTURES):
        grey = np.where(truth(width, height) == 2, 180, 60) + rng.normal(0, 12, (height, width))
        out = BytesIO()
        Image.fromarray(np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2)).save(out, "JPEG")
        encoded.append(out.getvalue())
    paths = []
    for i in range(n):
        paths.append(folder / f"{i:05d}.jpg")
        paths[-1].write_bytes(encoded[i % _PICTURES] + f"number {i}".encode())
    return paths


def small_picture(folder: Path) -> Path:
    """An image of one patch, for the proposal that an engine at work has made."""
    from PIL import Image

    path = folder / "small.png"
    Image.fromarray(np.zeros((256, 256), np.uint8)).save(path)
    return path


def truth(width: int, height: int) -> NDArray[np.uint32]:
    """The object of each pixel: 1 is the ground, 2 the discs."""
    y, x = np.ogrid[:height, :width]
    return np.where((x % 300 - 150) ** 2 + (y % 300 - 150) ** 2 < 60**2, 2, 1).astype(np.uint32)


def tiles(labels: NDArray[np.uint32]) -> dict[TileKey, TileChange]:
    """Painted from nothing."""
    height, width = labels.shape
    changes: dict[TileKey, TileChange] = {}
    for ty, tx in tiles_of(Rect(0, 0, width, height)):
        part = labels[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
        ids = np.zeros((TILE, TILE), np.uint32)
        ids[: part.shape[0], : part.shape[1]] = part
        changes[0, ty, tx] = TileChange(EMPTY, frozen(ids, np.where(ids > 0, Origin.PAINTED, 0).astype(np.uint8)))
    return changes


def label_all(project: Project, changes: dict[TileKey, TileChange]) -> None:
    """Paint every image whole and mark it done."""
    writer = project.writing()
    by_place = [c.id for c in project.classes()]
    objects = [RowChange(Table.OBJECTS, i + 1, None, {"class_id": by_place[i]}) for i in range(2)]
    for row in project.images()[1:]:
        done = RowChange(Table.IMAGES, row.id, {"status": Status.NEW.value}, {"status": Status.DONE.value})
        writer.submit(Edit(row.id, Cause.PAINT, changes, (*objects, done)))
        writer.flush()


def first_step(project: Project, engine: EngineClient) -> dict[str, float]:
    """Seconds from the request to the first event and to the end of the first step; then the run is dropped."""
    found: dict[str, float] = {}
    process = psutil.Process(engine.pid)
    before, begun = sum(process.cpu_times()[:2]), time.perf_counter()
    steps = train(project, engine, Choices(max_seconds=60.0))
    for event in steps:
        passed = time.perf_counter() - begun
        found.setdefault("first_event_s", round(passed, 3))
        timed = isinstance(event, Preparing) and event.total == 3
        if timed and event.done == 0:
            found["prepared_s"] = round(passed, 3)
        if (timed and event.done == 1) or isinstance(event, Stepped):
            found["first_step_s"] = round(passed, 3)
            found["engine_cpu_s"] = round(sum(process.cpu_times()[:2]) - before, 3)
            break
    steps.close()
    return found


def make(folder: Path, images: int, width: int, height: int) -> None:
    """A project of so many photographs, each labelled whole and done."""
    files = photographs(folder, images, width, height)
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("disc")]
    with Project.create(folder / "p.segstudio", [new_image(file) for file in files], classes) as project:
        label_all(project, tiles(truth(width, height)))


def main() -> int:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=1000, help="default: 1000")
    parser.add_argument("--side", type=int, nargs=2, default=[4000, 3000], help="width and height, default: 4000 3000")
    parser.add_argument("--folder", type=Path, help="where to make them (default: the folder for temporary files)")
    parser.add_argument("--keep", type=Path, help="a folder that stays: what lies there is measured, or made first")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        scratch = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        width, height = options.side
        if not (scratch / "p.segstudio").exists():
            scratch.mkdir(parents=True, exist_ok=True)
            make(scratch, options.images, width, height)
        with Project.open(scratch / "p.segstudio") as project:
            files = [row.root / row.inner_path for row in project.images()[1:3]]
            decoded = measured([lambda f=f: open_image(f).read(Rect(0, 0, width, height)) for f in files])
            floor_s = sum(decoded.wall_s)
            rows: dict[str, dict[str, float]] = {}
            for name in ("unknown", "known"):
                with EngineClient(project.path) as engine:
                    for _ in predict(project, engine, [project.images()[0].id]):
                        pass
                    rows[name] = first_step(project, engine)
        for name, figures in rows.items():
            case = {"images": options.images, "width": width, "height": height, "measurements": name}
            floor = {
                "what": "decode two pictures",
                "seconds": round(floor_s, 3),
                "ratio": round(figures["first_step_s"] / floor_s, 1),
            }
            report("first_step", case, {**figures}, floor)
    return 0


if __name__ == "__main__":
    sys.exit(main())

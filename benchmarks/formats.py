"""What exports cost: COCO of many objects on one large plane, written and read back.

    python benchmarks/formats.py [--objects 3000] [--side 4096] [--rounds 7]

The floor is one NumPy pass that finds the runs of all objects of the plane down its columns and sorts them by object:
what any writer of run-length code has to know. `writer` is the plane handed to the format, written, read back and
compared; `export` the whole of `segstudio export`, with the labels read from the project.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import Took, measured, report
from numpy.typing import NDArray

from segstudio.formats.coco import CocoWriter
from segstudio.formats.values import ExportPlan, FormatClass, LabelPlane
from segstudio.labels.model import Kind
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished

_CLASSES = (FormatClass(0, "background", "#000000", Kind.BACKGROUND), FormatClass(1, "cell", "#FFFFFF", Kind.INSTANCE))


def cells(side: int, objects: int) -> NDArray[np.uint32]:
    """A plane (side, side) of ellipses 1 to `objects` that do not touch, on 0."""
    import cv2

    rng = np.random.default_rng(0)
    plane = np.zeros((side, side), np.int32)
    a_row = int(np.ceil(np.sqrt(objects)))
    step = side / a_row
    for number in range(objects):
        x, y = (int((at + 0.5) * step) for at in (number % a_row, number // a_row))
        axes = tuple(int(a) for a in rng.integers(max(1, int(step * 0.2)), max(2, int(step * 0.42)), 2))
        cv2.ellipse(plane, (x, y), axes, int(rng.integers(0, 180)), 0, 360, number + 1, -1)
    return plane.astype(np.uint32)


def runs_of_all(plane: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
    """The floor: starts, stops and objects of all runs, by object."""
    flat = plane.ravel(order="F")
    at = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts, stops = np.concatenate([[0], at]), np.concatenate([at, [flat.size]])
    owners = flat[starts]
    order = np.argsort(owners, kind="stable")
    return starts[order], stops[order], owners[order]


def written(folder: Path, plane: NDArray[np.uint32]) -> None:
    """One plane through the writer of the format."""
    values = (plane > 0).astype(np.int32)
    labels = LabelPlane("a.png", 0, 1, values, plane + 1)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        writer = CocoWriter(Path(out), ExportPlan(_CLASSES, (("a.png", 1),)))
        writer.add(labels)
        writer.finish()


def project_of(folder: Path, plane: NDArray[np.uint32]) -> Path:
    """A project of one image whose labels are the plane's."""
    from PIL import Image

    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    Image.new("L", plane.shape[::-1]).save(folder / "images/a.png")
    Image.fromarray((plane > 0).astype(np.uint8)).save(folder / "masks/a.png")
    path = finished(new_project(folder / "p", [str(folder / "images")], ["cell::instance"])).path
    with Project.open(path) as project:
        finished(import_masks(project, "png", folder / "masks"))
    return path


def main() -> None:
    """Print a row for the writer and one for the whole command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    plane = cells(options.side, options.objects)
    case = {"format": "coco", "objects": len(np.unique(plane)) - 1, "side_px": options.side}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Project.open(project_of(folder, plane), write=False) as project:
            works: dict[str, Callable[[], object]] = {
                "writer": lambda: written(folder, plane),
                "export": lambda: finished(export(project, "coco", folder / "out")),
            }
            for what, work in works.items():
                work()  # what is imported at first use is no part of it
                # By turns: a busy machine is busy for both.
                turns = measured(each for _ in range(options.rounds) for each in (lambda: runs_of_all(plane), work))
                floor, took = (Took(turns.wall_s[at::2], turns.cpu_s[at::2]) for at in (0, 1))
                ratios = {
                    "ratio": round(took.median_s / floor.median_s, 2),
                    "cpu_ratio": round(float(np.median(took.cpu_s) / np.median(floor.cpu_s)), 2),
                }
                least = {"what": "one NumPy pass that finds the runs of all objects", **floor.figures(), **ratios}
                report("formats", case | {"what": what}, dict(took.figures()), least)


if __name__ == "__main__":
    main()

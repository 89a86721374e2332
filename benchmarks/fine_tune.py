"""Few-shot learning on the open sets: how good a guess, the instant learner and a fine-tuned version are, and how long.

    python benchmarks/fine_tune.py DATA [--sets NAME...] [--images 5] [--seconds 60] [--seeds 0 1 2] [--out F] [--one]

DATA is the folder of the evaluation sets (each with images, masks and card.json). For every set and seed some images
are labelled from their masks, in a scratch project; the run goes through the real engine process. IoU is measured on
up to 16 images that no learner has seen. One JSON object a line, with the machine. With `--out` the rows are added to a
file and those that stand in it already are skipped, so it may be broken off at any time; `--one` ends after one row:

    while python benchmarks/fine_tune.py DATA --out rows.jsonl --one; do :; done

ends with code 3 when no row is missing.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import machine

from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.source import probe
from segstudio.labels.model import ImageId, Kind
from segstudio.metrics import confusion, metrics
from segstudio.runs import Choices
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished

_TEST_IMAGES = 16


def new_image(path: Path) -> NewImage:
    """A file of a set as an image of a new project."""
    info, stat = probe(path), path.stat()
    planes = tuple(NewPlane(p.key, p.width, p.height) for p in info.planes)
    found = (stat.st_size, stat.st_mtime_ns, quick_hash(path))
    return NewImage(path.name, path.parent, *found, planes, info.channels, info.dtype, info.family)


def mean_iou(project: Project, images: list[ImageId], masks: Path) -> float:
    """Mean IoU of the proposals of some images."""
    from PIL import Image

    classes = list(project.classes())
    total = np.zeros((len(classes), len(classes) + 1), np.int64)
    for image in images:
        row = project.image(image)
        truth = np.asarray(Image.open(masks / f"{Path(row.path).stem}.png")).astype(np.int64)
        proposal = project.proposals.read(image, 0)
        found = np.full(truth.shape, -1)
        if proposal is not None:
            ids = proposal.class_ids(Rect(0, 0, *row.planes[0]))
            for place, class_ in enumerate(classes):
                found[ids == class_.id] = place
        total += confusion(truth, found, len(classes))
    return round(metrics(total, [c.name for c in classes]).mean.iou, 4)


def measure(folder: Path, scratch: Path, labelled: int, seconds: float, seed: int) -> dict[str, object]:
    """Figures of one set and seed."""
    card = json.loads((folder / "card.json").read_text())
    named = [c for c in card["classes"] if c["value"] != 255]
    assert [c["value"] for c in named] == list(range(len(named)))
    files = sorted((folder / "images").iterdir())
    order = np.random.default_rng(seed).permutation(len(files))
    kinds = [Kind.BACKGROUND] + [Kind.SEMANTIC] * (len(named) - 1)
    classes = [NewClass(c["name"], kind=kind) for c, kind in zip(named, kinds, strict=True)]
    out: dict[str, object] = {
        "set": folder.name,
        "images": labelled,
        "budget_s": seconds,
        "seed": seed,
        "iou": {},
        "seconds": {},
    }
    with (
        Project.create(scratch / f"{folder.name}-{seed}.segstudio", [new_image(files[i]) for i in order], classes) as p,
        EngineClient(p.path) as engine,
    ):
        rows = p.images()
        shown = scratch / f"masks-{folder.name}-{seed}"
        shown.mkdir()
        for row in rows[:labelled]:
            stem = Path(row.path).stem
            (shown / f"{stem}.png").write_bytes((folder / "masks" / f"{stem}.png").read_bytes())
        finished(import_masks(p, "png", shown))
        test = [row.id for row in rows[labelled : labelled + _TEST_IMAGES]]
        out["device"] = engine.ready()
        for version in ("embedded", "instant"):
            began = time.monotonic()
            finished(predict(p, engine, test, version=version))
            out["seconds"][version] = round(time.monotonic() - began, 1)  # type: ignore[index]
            out["iou"][version] = mean_iou(p, test, folder / "masks")  # type: ignore[index]
        began = time.monotonic()
        result = finished(train(p, engine, Choices(max_seconds=seconds, seed=seed)))
        out["seconds"]["train"] = round(time.monotonic() - began, 1)  # type: ignore[index]
        finished(predict(p, engine, test, version=result.version))
        out["iou"]["deep"] = mean_iou(p, test, folder / "masks")  # type: ignore[index]
        out |= {"steps": result.steps, "promoted": result.promoted}
    return out


Row = dict[str, object]
_KEY = ("set", "images", "budget_s", "seed")


def rows_in(path: Path) -> set[tuple[object, ...]]:
    """What the rows of a file are of. A last line that was cut when the program was killed is no row."""
    found = set()
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found.add(tuple(row[name] for name in _KEY))
    return found


def added(path: Path, row: Row) -> None:
    """Add a row to a file, on a line of its own also where the line before it was cut."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
            file.write(b"\n" if cut else b"")
        file.write(json.dumps(row).encode() + b"\n")


def missing(data: Path, options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Set and seed of every row that is wanted and not there."""
    there = rows_in(options.out) if options.out is not None else set()
    for name in options.sets or sorted(p.name for p in data.iterdir() if p.is_dir()):
        for seed in options.seeds:
            if (name, options.images, options.seconds, seed) not in there:
                yield name, seed


def main() -> int:
    """Measure, print and write; 3 where `--one` found nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the evaluation sets")
    parser.add_argument("--sets", nargs="*", help="names of sets (default: all)")
    parser.add_argument("--images", type=int, default=5, help="labelled images (default: 5)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of training (default: 60)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--out", type=Path, help="add rows to this file; those in it are skipped")
    parser.add_argument("--one", action="store_true", help="make one row and end")
    options = parser.parse_args()
    made = 0
    for name, seed in missing(options.data, options):
        with tempfile.TemporaryDirectory() as scratch:
            found = measure(options.data / name, Path(scratch), options.images, options.seconds, seed)
        row: Row = {"benchmark": "fine_tune", **found, **machine()}
        print(json.dumps(row), flush=True)
        if options.out is not None:
            added(options.out, row)
        made += 1
        if options.one:
            break
    return 3 if options.one and not made else 0


if __name__ == "__main__":
    sys.exit(main())

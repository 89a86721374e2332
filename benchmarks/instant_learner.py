"""The instant learner alone: how good it is after a few labelled pictures, and the processor time of its fits.

    python benchmarks/instant_learner.py DATA [--sets NAME...] [--images 5] [--seeds 0 1 2] [--test 8] [--threads 1]

DATA is the folder of the evaluation sets (each with images, masks and card.json). For every set and seed some pictures
are labelled from their masks; the fourth is held out, as in a project. Mean IoU is measured on others. `first_s` is the
processor time of the first fit, with features of pictures seen for the first time; `refit_s` that of a fit after
another stroke; `floor_s` that of the encoder and decoder alone on the same pictures, so that times of two machines can
be compared. One JSON object a line.
"""

import argparse
import inspect
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from common import machine
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.learn import instant
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry
from segstudio.learn.predict import Model, predict_tiles
from segstudio.learn.weights import load_base
from segstudio.metrics import confusion, metrics

HELD_OUT = 3


@dataclass
class Pictures:
    """As much of a data set as prediction and the instant learner ask for; the first `labelled_images` have labels."""

    pixels_of: list[NDArray[np.float32]]
    ids_of: list[NDArray[np.int32]]
    entries: tuple[ClassEntry, ...]
    labelled_images: int

    def classes(self) -> tuple[ClassEntry, ...]:
        return self.entries

    def planes(self) -> list[PlaneEntry]:
        return [
            PlaneEntry(i, 0, str(i), p.shape[1], p.shape[0], 3, str(i), self._part(i), False, 0)
            for i, p in enumerate(self.pixels_of)
        ]

    def _part(self, image: int) -> Part:
        return Part.HELD_OUT if image == HELD_OUT else Part.TRAIN

    def learnable(self, image: int) -> bool:
        return image < self.labelled_images

    def pixels(self, image: int, _plane: int, rect: Rect, _levels: object = ()) -> NDArray[np.float32]:
        return self.pixels_of[image][rect.y : rect.bottom, rect.x : rect.right]

    def labels(self, image: int, _plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        ids = self.ids_of[image][rect.y : rect.bottom, rect.x : rect.right]
        return ids, np.ones(ids.shape, np.uint8)

    def labelled(self, image: int, _plane: int) -> list[Rect]:
        height, width = self.ids_of[image].shape
        bounds = Rect(0, 0, width, height)
        return [Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(bounds) for ty, tx in tiles_of(bounds)]


def read(folder: Path, seed: int, labelled: int, test: int) -> tuple[Pictures, list[str], list[NDArray[np.int64]]]:
    """Pictures in the order of a seed, the names of the classes, and the masks (-1 where nothing is known)."""
    from PIL import Image

    card = json.loads((folder / "card.json").read_text())
    names = [c["name"] for c in card["classes"] if c["value"] != 255]
    files = sorted((folder / "images").iterdir())
    order = np.random.default_rng(seed).permutation(len(files))[: labelled + test]
    pixels, masks = [], []
    for i in order:
        pixels.append(np.asarray(Image.open(files[i]).convert("RGB"), np.float32) / 255)
        mask = np.asarray(Image.open(folder / "masks" / f"{files[i].stem}.png")).astype(np.int64)
        masks.append(np.where(mask < len(names), mask, -1))
    classes = tuple(ClassEntry(i + 1, name, i == 0, False) for i, name in enumerate(names))
    return Pictures(pixels, [(m + 1).astype(np.int32) for m in masks], classes, labelled), names, masks


def fit(pictures: Pictures, options: dict[str, object]) -> tuple[Model, float]:
    """A fitted model, and the processor time that it took."""
    data = cast(Dataset, pictures)
    begun = time.process_time()
    fitting = instant.fit_instant(data, pictures.entries, (), 0, torch.device("cpu"), bfloat16=False, **options)  # type: ignore[arg-type]
    model = next(m for m in fitting if m is not None)
    return model, time.process_time() - begun


def floor_s(pictures: Pictures) -> float:
    """Processor time of the base's encoder and decoder on the pictures that are learned from."""
    net = load_base().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    begun = time.process_time()
    with torch.inference_mode():
        for i in range(pictures.labelled_images):
            if i != HELD_OUT:
                height, width = (-(-n // 32) * 32 for n in pictures.ids_of[i].shape)
                x = torch.zeros(1, 3, height, width).contiguous(memory_format=torch.channels_last)
                net.decoder(net.encoder(x))  # type: ignore[operator]
    return time.process_time() - begun


def mean_iou(model: Model, pictures: Pictures, names: Sequence[str], masks: Sequence[NDArray[np.int64]]) -> float:
    """Mean IoU on the pictures without labels."""
    total = np.zeros((len(names), len(names) + 1), np.int64)
    places = np.array(model.outputs) - 1
    for entry in pictures.planes()[pictures.labelled_images :]:
        found = np.full((entry.height, entry.width), -1)
        for tile in predict_tiles(model, cast(Dataset, pictures), entry):
            if tile is not None:
                r = tile.rect
                found[r.y : r.bottom, r.x : r.right] = places[tile.values.argmax(0)]
        total += confusion(masks[entry.image], found, len(names))
    return round(metrics(total, list(names)).mean.iou, 4)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the evaluation sets")
    parser.add_argument("--sets", nargs="*", help="names of sets (default: all)")
    parser.add_argument("--images", type=int, default=5, help="labelled images (default: 5)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--test", type=int, default=8, help="images to measure on (default: 8)")
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keeps = "keeper" in inspect.signature(instant.fit_instant).parameters
    for name in options.sets or sorted(p.name for p in options.data.iterdir() if p.is_dir()):
        for seed in options.seeds:
            pictures, names, masks = read(options.data / name, seed, options.images, options.test)
            kept: dict[str, object] = {"keeper": instant.FeatureKeeper()} if keeps else {}
            floor = floor_s(pictures)
            model, first = fit(pictures, kept)
            _again, refit = fit(pictures, kept)
            row = {"set": name, "images": options.images, "seed": seed}
            times = {"first_s": round(first, 2), "refit_s": round(refit, 2), "floor_s": round(floor, 2)}
            row |= {"iou": mean_iou(model, pictures, names, masks), **times}
            print(json.dumps({"benchmark": "instant_learner", **row, **machine()}), flush=True)


if __name__ == "__main__":
    main()

"""Seams: how far a picture predicted in windows agrees with the same picture predicted whole, and what it costs.

    python benchmarks/seams.py [DATA] [--sets NAME...] [--images 3] [--overlap 64 96] [--context 0 160] [--version V]

Without DATA the sample's pictures; with it (the folder of the evaluation sets) some of each set. Pictures are mirrored
to 1024 pixels a side and cut into windows of 256. For every overlap and context: the share of pixels in bands of 32 px
along the seams that get the same class, its mean and its least over the seams, and how many pixels go through the
decoder and through the encoder for each pixel of a large plane at the program's own size of windows. `--version
instant` fits the instant learner to the masks of another picture instead (DATA only). One JSON object a line.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from common import machine
from numpy.typing import NDArray

from segstudio.assets import asset
from segstudio.geometry import Rect, tiles_of
from segstudio.learn import predict
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry
from segstudio.learn.device import usable_threads
from segstudio.learn.grid import UNIT, Grid
from segstudio.learn.instant import fit_instant
from segstudio.learn.networks import Context
from segstudio.learn.predict import WINDOW_PX, Model, predict_tiles
from segstudio.learn.versions import embedded_model

SIDE, WINDOW, BAND = 1024, 256, 32
LARGE = 16384


@dataclass
class Pictures:
    """As much of a data set as prediction and the instant learner ask for."""

    pixels_of: list[NDArray[np.float32]]
    ids_of: list[NDArray[np.int32]]
    entries: tuple[ClassEntry, ...]

    def classes(self) -> tuple[ClassEntry, ...]:
        return self.entries

    def planes(self) -> list[PlaneEntry]:
        return [
            PlaneEntry(i, 0, str(i), SIDE, SIDE, 3, str(i), Part.TRAIN if i == 0 else Part.HELD_OUT, False, 0)
            for i in range(len(self.pixels_of))
        ]

    def pixels(self, image: int, _plane: int, rect: Rect, _levels: object = ()) -> NDArray[np.float32]:
        return self.pixels_of[image][rect.y : rect.bottom, rect.x : rect.right]

    def labels(self, image: int, _plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        ids = self.ids_of[image][rect.y : rect.bottom, rect.x : rect.right]
        return ids, np.ones(ids.shape, np.uint8)

    def labelled(self, image: int, _plane: int) -> list[Rect]:
        return [Rect(tx * 256, ty * 256, 256, 256) for ty, tx in tiles_of(Rect(0, 0, SIDE, SIDE))] if not image else []


def mirrored(values: NDArray) -> NDArray:
    """A picture continued by its mirror image to SIDE x SIDE."""
    rows, columns = ((0, max(SIDE - n, 0)) for n in values.shape[:2])
    return np.pad(values, (rows, columns, *[(0, 0)] * (values.ndim - 2)), "symmetric")[:SIDE, :SIDE]


def read(path: Path) -> NDArray[np.float32]:
    """Pixels (SIDE, SIDE, 3) in 0..1."""
    from PIL import Image

    return mirrored(np.asarray(Image.open(path).convert("RGB"), np.float32) / 255)


def sample() -> Iterator[tuple[str, Pictures]]:
    """The pictures of the sample, each for itself."""
    for path in sorted(p for p in asset("sample", "play").iterdir() if p.suffix in (".png", ".jpg")):
        classes = (ClassEntry(1, "background", True, False), ClassEntry(2, "object", False, False))
        yield path.stem, Pictures([read(path)], [np.zeros((SIDE, SIDE), np.int32)], classes)


def sets(data: Path, images: int) -> Iterator[tuple[str, Pictures]]:
    """Some pictures of every set, the first with its mask."""
    from PIL import Image

    for folder in sorted(p for p in data.iterdir() if p.is_dir()):
        card = json.loads((folder / "card.json").read_text())
        names = [c["name"] for c in card["classes"] if c["value"] != 255]
        classes = tuple(ClassEntry(i + 1, name, i == 0, False) for i, name in enumerate(names))
        files = sorted((folder / "images").iterdir())[: images + 1]
        masks = [np.asarray(Image.open(folder / "masks" / f"{f.stem}.png")).astype(np.int32) for f in files]
        ids = [mirrored(np.where(m < len(names), m + 1, 0).astype(np.int32)) for m in masks]
        yield folder.name, Pictures([read(f) for f in files], ids, classes)


def model_for(version: str, pictures: Pictures) -> Model:
    """The embedded guess or the instant learner, on the CPU."""
    data, device = cast(Dataset, pictures), torch.device("cpu")
    if version == "embedded":
        return embedded_model(pictures.entries, False, device, bfloat16=False)
    return next(m for m in fit_instant(data, pictures.entries, (), 0, device, bfloat16=False) if m is not None)


def classes_of(model: Model, pictures: Pictures, entry: PlaneEntry) -> NDArray[np.int64]:
    """Places of the best outputs (SIDE, SIDE)."""
    out = np.zeros((SIDE, SIDE), np.int64)
    for found in predict_tiles(model, cast(Dataset, pictures), entry):
        if found is not None:
            r = found.rect
            out[r.y : r.bottom, r.x : r.right] = found.values.argmax(0)
    return out


def agreements(model: Model, same: NDArray[np.bool_]) -> list[float]:
    """Shares of equal pixels in the bands along the seams, those across by turning the picture."""
    axis = Grid.covering(SIDE, SIDE, UNIT, model.window_px, model.overlap_px, model.context.px).x
    seams = [(left + axis.side + right) * UNIT // 2 for left, right in pairwise(axis.starts)]
    return [float(a[:, s - BAND // 2 : s + BAND // 2].mean()) for s in seams for a in (same, same.T)]


def factors(overlap: int, context: int, share: float) -> dict[str, float]:
    """Pixels drawn, and pixels seen by the encoder, for each pixel of a large plane; `work` weighs the two by the
    encoder's share of a pixel's multiply-adds.
    """
    grid = Grid.covering(LARGE, LARGE, UNIT, WINDOW_PX, overlap, context)
    windows = len(grid.x.starts) ** 2
    window = grid.window(0, 0)
    drawn, seen = windows * window.net.area / LARGE**2, windows * window.seen.area / LARGE**2
    work = share * seen + (1 - share) * drawn
    return {"drawn": round(drawn, 3), "seen": round(seen, 3), "work": round(work, 3)}


def encoder_share() -> float:
    """The share of the multiply-adds of a pixel that are the encoder's."""
    from torch import nn

    from segstudio.learn.weights import load_base

    net, counted = load_base().eval(), {"encoder": 0, "rest": 0}

    def count(name: str) -> Callable[..., None]:
        def hook(module: nn.Conv2d, _inputs: object, out: torch.Tensor) -> None:
            counted[name] += out.numel() * module.weight[0].numel()

        return hook

    for path, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count("encoder" if path.startswith("encoder.") else "rest"))
    with torch.inference_mode():
        net(torch.zeros(1, 3, 256, 256))
    return counted["encoder"] / sum(counted.values())


def main() -> None:
    """Measure and print."""
    vars(predict)["can_stream"] = lambda _net: False  # what is streamed has no seams within a strip
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the evaluation sets (default: the sample)")
    parser.add_argument("--sets", nargs="*", help="names of sets or pictures (default: all)")
    parser.add_argument("--images", type=int, default=3, help="of each set (default: 3)")
    parser.add_argument("--overlap", type=int, nargs="*", default=[32, 64, 96], help="network pixels")
    parser.add_argument("--context", type=int, nargs="*", default=[0, 96, 160, 224], help="network pixels")
    parser.add_argument("--version", choices=("embedded", "instant"), default="embedded")
    options = parser.parse_args()
    torch.set_num_threads(usable_threads())
    share = encoder_share()
    for name, pictures in sample() if options.data is None else sets(options.data, options.images):
        if options.sets and name not in options.sets:
            continue
        base = model_for(options.version, pictures)
        entries = pictures.planes()[1:] or pictures.planes()
        whole = [classes_of(replace(base, window_px=SIDE), pictures, entry) for entry in entries]
        for overlap in options.overlap:
            for context in options.context:
                model = replace(base, window_px=WINDOW, overlap_px=overlap, context=Context(context, share))
                found = [classes_of(model, pictures, entry) for entry in entries]
                shares = [s for a, b in zip(whole, found, strict=True) for s in agreements(model, a == b)]
                row = {"set": name, "version": options.version, "overlap": overlap, "context": context}
                figures = {"agreement": round(float(np.mean(shares)), 5), "minimum": round(min(shares), 5)}
                row |= figures | factors(overlap, context, share)
                print(json.dumps({"benchmark": "seams", **row, **machine()}), flush=True)


if __name__ == "__main__":
    main()

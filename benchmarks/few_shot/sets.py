"""A set of images and masks that learners are compared on: which are labelled, which are tested, and the score."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.metrics import confusion, metrics

__all__ = ["TEST_IMAGES", "UNKNOWN", "EvaluationSet", "Pair", "Predictor", "mean_iou"]

UNKNOWN = -1
TEST_IMAGES = 16
"""So many images, that no learner has seen, are measured at most."""
_UNKNOWN_VALUE = 255

Pair = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Pixels (h, w, 3) in 0..1 and the class of each (h, w), 0 ... n - 1 or `UNKNOWN`."""
Predictor = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""From pixels (h, w, 3) in 0..1 to classes (h, w)."""


@dataclass(frozen=True)
class EvaluationSet:
    """A folder with `images`, `masks` (PNG, by the image's stem) and `card.json`.

    Where the masks number objects, as the card's kind 'instance' says, the classes are objects and background.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder's."""
        return self.folder.name

    @cached_property
    def _card(self) -> dict[str, object]:
        return json.loads((self.folder / "card.json").read_text(encoding="utf-8"))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names by value, the background first."""
        entries: list[dict[str, object]] = self._card["classes"]  # type: ignore[assignment]
        named = [c for c in entries if c["value"] != _UNKNOWN_VALUE]
        if [c["value"] for c in named] != list(range(len(named))):
            raise ValueError(f"{self.name}: the values of the classes are not 0, 1, 2 ...")
        return tuple(str(c["name"]) for c in named)

    def split(self, seed: int, labelled: int) -> tuple[list[Path], list[Path]]:
        """The images that are labelled and those that are tested, in the order of a seed."""
        files = sorted((self.folder / "images").iterdir())
        order = [files[i] for i in np.random.default_rng(seed).permutation(len(files))]
        return order[:labelled], order[labelled : labelled + TEST_IMAGES]

    def pixels(self, image: Path) -> NDArray[np.float32]:
        """Pixels (h, w, 3) in 0..1; a grey image has three equal channels."""
        from PIL import Image

        with Image.open(image) as file:
            return np.asarray(file.convert("RGB"), np.float32) / np.float32(255)

    def mask(self, image: Path) -> NDArray[np.int64]:
        """The class of each pixel (h, w), or `UNKNOWN`."""
        from PIL import Image

        with Image.open(self.folder / "masks" / f"{image.stem}.png") as file:
            values = np.asarray(file).astype(np.int64)
        if self._card["kind"] == "instance":
            return (values > 0).astype(np.int64)
        return np.where(values < len(self.classes), values, UNKNOWN)

    def write_mask(self, image: Path, folder: Path) -> None:
        """Put the mask of an image into a folder, as 8-bit PNG under its stem: 255 is unknown."""
        from PIL import Image

        values = self.mask(image)
        values = np.where(values == UNKNOWN, _UNKNOWN_VALUE, values).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{image.stem}.png")

    def pairs(self, images: Sequence[Path]) -> list[Pair]:
        """What a learner is given."""
        return [(self.pixels(image), self.mask(image)) for image in images]

    def score(self, images: Iterable[Path], predict: Predictor) -> float:
        """Mean IoU of a predictor on some images."""
        return mean_iou(self.classes, ((self.mask(image), predict(self.pixels(image))) for image in images))


def mean_iou(classes: Sequence[str], pairs: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> float:
    """Mean IoU over the classes that occur in the truth, of pairs (truth, found) of all images together."""
    total = np.zeros((len(classes), len(classes) + 1), np.int64)
    for truth, found in pairs:
        total += confusion(truth, found, len(classes))
    return round(metrics(total, list(classes)).mean.iou, 4)

"""What tuning the separation of touching objects gains on images that it was not tuned on.

    python benchmarks/separating.py TRAIN [--sets nuclei_tissue nuclei_fluorescence cells_phase] [--images 40]

TRAIN is a folder of open sets (SET/images, SET/masks with a number for each object). Half of the images stand for the
held-out ones: the setting is chosen on them, and F1 (IoU above 0.5) is of the other half. No network is asked: what is
predicted are the true pixels, and in a second row those pixels with soft edges (a Gaussian of 2 px, cut at one half).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.in_memory import InMemory
from segstudio.geometry import Rect, tiles_of
from segstudio.labels.touching import separated
from segstudio.learn.data import ClassEntry, Part, PlaneEntry
from segstudio.learn.gate import HeldOut, HeldOutTile
from segstudio.learn.separating import HeldOutObjects
from segstudio.metrics import ObjectCounts
from segstudio.runs import ObjectFigures, Separation
from segstudio.tasks.progress import finished

SETS = ("nuclei_tissue", "nuclei_fluorescence", "cells_phase")
_CLASSES = (ClassEntry(1, "background", True, False), ClassEntry(2, "object", False, True))

Ids = NDArray[np.uint32]


class _Drawn(InMemory):
    """Objects of pictures, wholly known; nothing else of a data set is asked for."""

    def __init__(self, pictures: Sequence[Ids]) -> None:
        self._drawn = pictures

    def classes(self) -> Sequence[ClassEntry]:
        return _CLASSES

    def objects(self, image: int, plane: int, rect: Rect) -> Ids:
        return self._drawn[image][rect.y : rect.bottom, rect.x : rect.right]


def predicted(drawn: Ids, *, soft: bool) -> NDArray[np.bool_]:
    """The pixels of all objects."""
    mask = (drawn > 0).astype(np.float32)
    return (cv2.GaussianBlur(mask, (0, 0), 2.0) if soft else mask) > 0.5


def tuned(pictures: Sequence[Ids], *, soft: bool) -> tuple[Separation, ObjectFigures | None]:
    """The setting for these pictures."""
    tiles: list[tuple[HeldOutTile, Ids]] = []
    for image, drawn in enumerate(pictures):
        h, w = drawn.shape
        entry = PlaneEntry(image, 0, f"{image}.png", w, h, 3, f"{image}", Part.HELD_OUT, True, 0)
        tiles += [(HeldOutTile(entry, ty, tx, None), drawn) for ty, tx in tiles_of(entry.bounds)]
    objects = HeldOutObjects(
        _Drawn(pictures), HeldOut(tuple(t for t, _ in tiles), tuple((c.id, c.name) for c in _CLASSES))
    )
    for tile, drawn in tiles:
        at = np.s_[tile.rect.y : tile.rect.bottom, tile.rect.x : tile.rect.right]
        found = predicted(drawn, soft=soft)[at].astype(np.int64)
        objects.see(tile, (drawn[at] > 0).astype(np.int64), found)
    return finished(objects.tuned())


def f1(pictures: Sequence[Ids], how: Separation, *, soft: bool) -> float:
    """F1 of the objects of pictures."""
    counts = ObjectCounts()
    for drawn in pictures:
        counts.add(drawn, separated(predicted(drawn, soft=soft), how)[1].astype(np.uint32))
        counts.close_image()
    return counts.figures().f1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--images", type=int, default=40)
    args = parser.parse_args()
    print(
        "| set, pixels | objects tuned on | setting | F1 there, default and tuned | F1 of the others, default | tuned |"
    )
    print("|---|---|---|---|---|---|")
    for name in args.sets:
        files = sorted((args.train / name / "masks").glob("*.png"))[: args.images]
        pictures = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED).astype(np.uint32) for file in files]
        one, other = pictures[::2], pictures[1::2]
        for soft in (False, True):
            how, found = tuned(one, soft=soft)
            assert found is not None
            words = f"share {how.share:g}, smooth {how.smooth_px:g} px, least {how.least:g}"
            before, after = (f1(other, each, soft=soft) for each in (Separation(), how))
            there = f"{found.f1_default:.3f}, {found.f1:.3f}"
            kind = "soft" if soft else "true"
            print(f"| {name}, {kind} | {found.objects} | {words} | {there} | {before:.3f} | {after:.3f} |", flush=True)


if __name__ == "__main__":
    main()

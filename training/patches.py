"""Batches of pairs of patches: which set, which pictures, what size and light, and which pixels an episode begins from.

A pair shows two pictures of one set, or two views of one made thing: both teach the set's head, and the first is the
support, the second the query of an episode. A batch depends on the seed and the number of the step alone, so a run
that goes on from a checkpoint sees what it would have seen.
"""

from dataclasses import dataclass

import lighting
import numpy as np
import synthetic
import thin
import torch
import windows
from numpy.typing import NDArray
from pack import Pack, Picture, TrainingSet
from sets import UNKNOWN, foreground_of

MADE = -1  # number of the set of made pairs
THIN, CELLS, SHAPES, TEXTURES = range(-4, 0)
MADE_TURNS = {THIN: 4, CELLS: 1, SHAPES: 2, TEXTURES: 2}
SUPPORT = 200  # pixels that an episode begins from

Sample = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # image (S, S, 3), classes, foreground (S, S)


@dataclass(frozen=True, slots=True)
class Batch:
    """2 n patches, those of pair i at 2 i and 2 i + 1. `image` (2n, 3, S, S) bytes; `classes` and `foreground`
    (2n, S, S) values as bytes, 255 = unknown; `support` (n, 200) flat positions in the first patch of each pair, -1
    where there are fewer; `sets` (n) the set of each pair, `MADE` for made ones; `weights` (n) of their losses.
    """

    image: torch.Tensor
    classes: torch.Tensor
    foreground: torch.Tensor
    support: torch.Tensor
    sets: tuple[int, ...]
    weights: tuple[float, ...]


class Batches(torch.utils.data.Dataset[Batch]):
    """The batches of a training by step: what a `DataLoader` makes ahead in other processes."""

    def __init__(self, pack: Pack, seed: int, pairs: int, side: int) -> None:
        self.pack, self.seed, self.pairs, self.side = pack, seed, pairs, side

    def __getitem__(self, step: int) -> Batch:
        return batch(self.pack, self.seed, step, self.pairs, self.side)


def batch(pack: Pack, seed: int, step: int, pairs: int, side: int) -> Batch:
    """The batch of one step: `pairs` pairs of patches of `side` pixels (at most 256); over the steps every set comes as
    often as its recipe says.
    """
    bag = [number for number, s in enumerate(pack.sets) for _ in range(s.recipe.turns)]
    bag += [kind for kind, turns in MADE_TURNS.items() for _ in range(turns)]
    numbers, weights, samples, supports = [], [], [], []
    for place in range(step * pairs, (step + 1) * pairs):
        turn, position = divmod(place, len(bag))
        number = bag[int(np.random.default_rng([seed, 1, turn]).permutation(len(bag))[position])]
        rng = np.random.default_rng([seed, 2, place])
        pair = _made(rng, pack, number, side) if number < 0 else _real(rng, pack, pack.sets[number], side)
        supports.append(_support(rng, pair[0][1]))
        samples += pair
        numbers.append(max(number, MADE))
        weights.append(1.0 if number < 0 else pack.sets[number].recipe.weight)
    image, classes, foreground = (np.stack(part) for part in zip(*samples, strict=True))
    return Batch(
        torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2))),
        torch.from_numpy(classes),
        torch.from_numpy(foreground),
        torch.from_numpy(np.stack(supports)),
        tuple(numbers),
        tuple(weights),
    )


def _support(rng: np.random.Generator, mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Flat positions of known pixels, the classes evenly as far as each reaches; the rest is -1."""
    flat = mask.ravel()
    values = [v for v in np.unique(flat) if v != UNKNOWN]
    found = [rng.permutation(np.flatnonzero(flat == v))[: SUPPORT // len(values)] for v in values]
    chosen = np.concatenate([*found, np.zeros(0, np.int64)])
    return np.pad(chosen, (0, SUPPORT - len(chosen)), constant_values=-1)


def _real(rng: np.random.Generator, pack: Pack, origin: TrainingSet, side: int) -> list[Sample]:
    """Two windows that show a class of the set, drawn evenly, at about one scale; a quarter within one picture."""
    recipe = origin.recipe
    shows = int(rng.integers(len(origin.classes)))
    showing = [p for p in origin.train if p.counts[shows]] or list(origin.train)
    first = showing[int(rng.integers(len(showing)))]
    second = first if rng.random() < 0.25 else showing[int(rng.integers(len(showing)))]
    scale = _scale(rng, recipe.smallest)
    style_seed = int(rng.integers(2**31))
    styles = [style_seed, style_seed if rng.random() < 0.75 else style_seed + 1]
    partly = rng.random() < 0.2
    samples = []
    for picture, style in zip((first, second), styles, strict=True):
        own = max(recipe.smallest, scale * float(np.exp(rng.uniform(-0.2, 0.2))))
        place = windows.Place(round(side / own), shows if rng.random() < 0.7 else None)
        image, mask = windows.cut(rng, pack.image(picture), pack.mask(picture), place, side)
        image, mask = windows.turned(rng, image, mask, recipe.upright)
        image = lighting.relit(np.random.default_rng(style), rng, image, recipe.invert)
        mask = windows.partly(rng, mask) if partly else mask
        samples.append((image, mask, foreground_of(mask, recipe)))
    return samples


def _scale(rng: np.random.Generator, smallest: float) -> float:
    """Factor by which a picture is enlarged: mostly 0.7-1.4, else from the smallest to 2.5, evenly in the logarithm."""
    low, high = (max(0.7, smallest), 1.4) if rng.random() < 0.6 else (smallest, 2.5)
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _made(rng: np.random.Generator, pack: Pack, kind: int, side: int) -> list[Sample]:
    """Two views of a made thing; what `foreground` learns from them is lines and closed shapes."""
    unknown = np.full((side, side), UNKNOWN, np.uint8)
    if kind == SHAPES:
        halves = [synthetic.picture(rng) for _ in range(2)]
    else:
        if kind == THIN:
            image, mask = thin.picture(rng, _texture(rng, pack) if rng.random() < 0.4 else None)
        else:
            image, mask = thin.cells(rng) if kind == CELLS else _mosaic(rng, pack)
        halves = [(image[:, x : x + synthetic.SIDE], mask[:, x : x + synthetic.SIDE]) for x in (0, synthetic.SIDE)]
    style, samples = int(rng.integers(2**31)), []
    for image, mask in halves:
        y, x = rng.integers(0, synthetic.SIDE - side + 1, 2)
        image, mask = windows.turned(rng, image[y : y + side, x : x + side], mask[y : y + side, x : x + side], False)
        image = lighting.relit(np.random.default_rng(style), rng, image, invert=0.1)
        # Shapes of two pictures have nothing in common but being shapes: no episode.
        classes = unknown if kind == SHAPES else np.ascontiguousarray(mask)
        samples.append((image, classes, mask if kind in (THIN, SHAPES) else unknown))
    return samples


def _mosaic(rng: np.random.Generator, pack: Pack) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two to four textures of training pictures in bent cells (256, 512, 3); the class is the texture."""
    count = int(rng.integers(2, 5))
    names = thin._tiling(rng, int(rng.integers(8, 40)), bend=12.0)
    mask = (rng.integers(0, count, int(names.max()) + 1)[names]).astype(np.uint8)
    image = np.zeros((*mask.shape, 3), np.uint8)
    for value in range(count):
        image[mask == value] = _texture(rng, pack, 128)[mask == value]
    return image, mask


def _texture(rng: np.random.Generator, pack: Pack, most: int = 256) -> NDArray[np.uint8]:
    """A square of 64 to `most` pixels of any training picture, continued by mirroring to (256, 512, 3)."""
    import cv2

    origin = pack.sets[int(rng.integers(len(pack.sets)))]
    picture: Picture = origin.train[int(rng.integers(len(origin.train)))]
    side = min(int(rng.integers(64, most + 1)), *picture.shape[:2])
    y, x = (int(rng.integers(0, length - side + 1)) for length in picture.shape[:2])
    square = np.broadcast_to(pack.image(picture)[y : y + side, x : x + side], (side, side, 3))
    edges = (0, thin.HEIGHT - side, 0, thin.WIDTH - side)
    return np.asarray(
        cv2.copyMakeBorder(np.ascontiguousarray(square), *edges, borderType=cv2.BORDER_REFLECT_101), np.uint8
    )

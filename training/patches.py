"""Batches of patches: which set, which place, what size, and how the light and colours are changed.

A batch depends on the seed and the number of the step alone, so a run that goes on from a checkpoint sees what it
would have seen.
"""

from dataclasses import dataclass

import numpy as np
import synthetic
import torch
from sets import UNKNOWN, Picture, TrainingSet

SIDE = 256
SYNTHETIC = -1  # set number of made pictures
SYNTHETIC_SHARE = 2  # made patches for each patch of a real set


@dataclass(frozen=True, slots=True)
class Batch:
    """`image` (N, 3, S, S) bytes; `classes` and `foreground` (N, S, S) values, 255 = unknown; `sets` the set of each
    patch.
    """

    image: torch.Tensor
    classes: torch.Tensor
    foreground: torch.Tensor
    sets: tuple[int, ...]


def batch(sets: list[TrainingSet], seed: int, step: int, size: int) -> Batch:
    """The patches of one step; over the steps every set comes equally often, made pictures twice as often."""
    bag = [*range(len(sets)), *[SYNTHETIC] * SYNTHETIC_SHARE]
    numbers, samples = [], []
    for place in range(step * size, (step + 1) * size):
        turn, position = divmod(place, len(bag))
        number = bag[int(np.random.default_rng([seed, 1, turn]).permutation(len(bag))[position])]
        rng = np.random.default_rng([seed, 2, place])
        numbers.append(number)
        samples.append(_made(rng) if number == SYNTHETIC else _real(rng, sets[number]))
    image, classes, foreground = (np.stack(part) for part in zip(*samples, strict=True))
    return Batch(
        torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2))),
        torch.from_numpy(classes.astype(np.int64)),
        torch.from_numpy(foreground.astype(np.int64)),
        tuple(numbers),
    )


def foreground_of(mask: np.ndarray, values: tuple[int, ...]) -> np.ndarray:
    """1 where the class is one of `values`, 0 elsewhere, 255 where unknown or where there are no such values at all."""
    if not values:
        return np.full_like(mask, UNKNOWN)
    found = np.isin(mask, values).astype(np.uint8)
    found[mask == UNKNOWN] = UNKNOWN
    return found


def _made(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, mask = synthetic.picture(rng)
    image, mask = _turned(rng, image, mask)
    return (
        _relit(rng, image, grey=bool((image[..., 0] == image[..., 1]).all()), invert=0.0),
        np.full_like(mask, UNKNOWN),
        mask,
    )


def _real(rng: np.random.Generator, origin: TrainingSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    picture = origin.train[int(rng.integers(len(origin.train)))]
    image, mask = _window(rng, picture)
    image, mask = _turned(rng, image, mask)
    return _relit(rng, image, origin.grey, origin.recipe.invert), mask, foreground_of(mask, origin.recipe.foreground)


def _window(rng: np.random.Generator, picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """A square at a random scale of 0.7-1.4: in half of the cases anywhere, else around a pixel of a class drawn
    evenly.
    """
    import cv2

    side = round(SIDE / float(np.exp(rng.uniform(np.log(0.7), np.log(1.4)))))
    image, mask = picture.image, picture.mask
    short = [max(0, side - length) for length in mask.shape]
    if any(short):
        top, left = (int(rng.integers(0, s + 1)) for s in short)
        edges = (top, short[0] - top, left, short[1] - left)
        image = cv2.copyMakeBorder(image, *edges, borderType=cv2.BORDER_REFLECT_101)
        mask = cv2.copyMakeBorder(mask, *edges, borderType=cv2.BORDER_CONSTANT, value=UNKNOWN)
    room = [length - side for length in mask.shape]
    if rng.random() < 0.5:
        corner = [int(rng.integers(0, r + 1)) for r in room]
    else:
        present = [v for v in np.unique(mask) if v != UNKNOWN]
        places = np.flatnonzero(mask == present[int(rng.integers(len(present)))])
        centre = np.unravel_index(places[int(rng.integers(len(places)))], mask.shape)
        corner = [int(np.clip(int(c) - rng.integers(0, side), 0, r)) for c, r in zip(centre, room, strict=True)]
    cut = np.s_[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    image = cv2.resize(np.ascontiguousarray(image[cut]), (SIDE, SIDE), interpolation=how)
    return image, cv2.resize(np.ascontiguousarray(mask[cut]), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST_EXACT)


def _turned(rng: np.random.Generator, image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    quarter = int(rng.integers(4))
    image, mask = np.rot90(image, quarter), np.rot90(mask, quarter)
    return (image[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (image, mask)


def _relit(rng: np.random.Generator, image: np.ndarray, grey: bool, invert: float) -> np.ndarray:
    """Brightness, contrast, gamma, colour, blur and noise as other cameras and lamps would give (bytes)."""
    import cv2

    x = image.astype(np.float32) / 255.0
    if not grey:
        x = x @ _hue_turn(rng.uniform(-0.4, 0.4)) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
        share = 1.0 if rng.random() < 0.2 else float(rng.uniform(0.0, 0.5))
        x = x + share * (x.mean(axis=2, keepdims=True) - x)
    if rng.random() < 0.25:  # stretched to the full range, as viewers and readers of dark 16-bit images do
        low, high = np.percentile(x[::4, ::4], [0.5, 99.5])
        x = (x - low) / max(float(high - low), 0.05)
    x = np.clip(x, 0, 1) ** float(np.exp(rng.uniform(-0.5, 0.5)))
    middle = float(x.mean())
    x = (x - middle) * float(np.exp(rng.uniform(-0.5, 0.4))) + middle + float(rng.uniform(-0.15, 0.15))
    if rng.random() < invert:
        x = 1.0 - x
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(np.ascontiguousarray(x, np.float32), (0, 0), float(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.4:
        spread = float(rng.uniform(0.0, 0.04))
        noise = rng.standard_normal((*x.shape[:2], 1 if grey else 3), dtype=np.float32)
        x = x + spread * noise
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _hue_turn(angle: float) -> np.ndarray:
    """Matrix (3, 3) that turns colours about the grey axis by `angle` radians (Rodrigues' formula)."""
    axis = np.full(3, 3**-0.5)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return (np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)).astype(
        np.float32
    )

"""Windows of a picture at any scale: pixels are interpolated, labels never invented and never lost.

When a window is shrunk, a label two pixels wide would vanish between the sampled pixels. Here a pixel belongs to a
class that covers a third of it, the class with fewer pixels where two do; a line stays as wide as a pixel and as long
as it was, and an object that would vanish keeps one pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sets import UNKNOWN

COVER = 0.35
LINE_PX = 6  # least pixels of a line; less are the corners of a jagged outline


@dataclass(frozen=True, slots=True)
class Place:
    """A square window: its side in pixels of the picture, and a class value that it shows (None: anywhere)."""

    side: int
    shows: int | None


def cut(
    rng: np.random.Generator, image: NDArray[np.uint8], mask: NDArray[np.uint8], place: Place, out: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A window of `image` (H, W, C) and `mask` (H, W) as (out, out, C) and (out, out).

    Where the window reaches beyond the picture the pixels are mirrored and the labels unknown.
    """
    import cv2

    side = place.side
    short = [max(0, side - length) for length in mask.shape]
    corner = _corner(rng, mask, place)
    top, left = (max(0, -c) for c in corner)
    y, x = (max(0, c) for c in corner)
    image, mask = image[y : y + side - top, x : x + side - left], mask[y : y + side - top, x : x + side - left]
    if any(short):
        edges = (top, side - top - mask.shape[0], left, side - left - mask.shape[1])
        image = _bytes(cv2.copyMakeBorder(image, *edges, borderType=cv2.BORDER_REFLECT_101))
        mask = _bytes(cv2.copyMakeBorder(mask, *edges, borderType=cv2.BORDER_CONSTANT, value=UNKNOWN))
    how = cv2.INTER_AREA if side > out else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(image), (out, out), interpolation=how)
    return _bytes(small).reshape(out, out, -1), resized_labels(np.ascontiguousarray(mask), out)


def _bytes(array: np.ndarray) -> NDArray[np.uint8]:
    """The same array; OpenCV's types do not tell that bytes stay bytes."""
    return np.asarray(array, np.uint8)


def _corner(rng: np.random.Generator, mask: NDArray[np.uint8], place: Place) -> list[int]:
    """Top and left; negative where the window begins outside. A pixel of the class to be shown lies inside."""
    room = [length - place.side for length in mask.shape]
    if place.shows is None or not (found := np.flatnonzero(mask == place.shows)).size:
        return [int(rng.integers(min(0, r), max(0, r) + 1)) for r in room]
    centre = np.unravel_index(found[int(rng.integers(len(found)))], mask.shape)
    wanted = [int(c) - int(rng.integers(0, place.side)) for c in centre]
    return [int(np.clip(w, min(0, r), max(0, r))) for w, r in zip(wanted, room, strict=True)]


def resized_labels(mask: NDArray[np.uint8], out: int) -> NDArray[np.uint8]:
    """`mask` (S, S) as (out, out): every class and every object (connected part of a class above 0) is still there."""
    import cv2

    if len(mask) <= out:
        return _bytes(cv2.resize(mask, (out, out), interpolation=cv2.INTER_NEAREST_EXACT))
    values, counts = np.unique(mask, return_counts=True)
    shares = {
        int(v): cv2.resize((mask == v).astype(np.float32), (out, out), interpolation=cv2.INTER_AREA) for v in values
    }
    small = values[np.argmax(np.stack([shares[int(v)] for v in values]), axis=0)].astype(np.uint8)
    classes = [int(v) for v in values[np.argsort(-counts)] if v not in (0, UNKNOWN)]
    for value in classes:
        small[shares[value] >= COVER] = value
    for value in classes:
        _keep_lines(mask, small, value)
    for value in classes:
        _keep_objects(mask, small, value)
    return small


def _keep_lines(mask: NDArray[np.uint8], small: NDArray[np.uint8], value: int) -> None:
    """Every pixel of `small` that a line one or two pixels wide passes through is of its class: it is not broken."""
    import cv2

    of_class = (mask == value).astype(np.uint8)
    thin = of_class - cv2.morphologyEx(of_class, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    y, x = np.nonzero(parts)
    lines = stats[parts[y, x], cv2.CC_STAT_AREA] >= LINE_PX
    y, x = y[lines], x[lines]
    small[y * len(small) // len(mask), x * len(small) // len(mask)] = value


def _keep_objects(mask: NDArray[np.uint8], small: NDArray[np.uint8], value: int) -> None:
    """Give a pixel of `small` back to each connected part of a class that has none left."""
    import cv2

    _, parts = cv2.connectedComponents((mask == value).astype(np.uint8), connectivity=8)
    y, x = np.nonzero(parts)
    part = parts[y, x]
    y, x = y * len(small) // len(mask), x * len(small) // len(mask)
    alive = np.bincount(part, weights=small[y, x] == value) > 0
    names, first = np.unique(part, return_index=True)
    lost = first[~alive[names]]
    small[y[lost], x[lost]] = value


def turned(
    rng: np.random.Generator, image: NDArray[np.uint8], mask: NDArray[np.uint8], upright: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Quarter turns and mirroring; of pictures with a top and a bottom one in eight is turned."""
    quarter = int(rng.integers(4))
    if not upright or rng.random() < 0.125:
        image, mask = np.rot90(image, quarter), np.rot90(mask, quarter)
    return (image[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (image, mask)


def partly(rng: np.random.Generator, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Only what some broad strokes touch stays known, as where a person has begun to paint."""
    import cv2

    side = len(mask)
    touched = np.zeros(mask.shape, np.uint8)
    starts = np.argwhere(mask != UNKNOWN)
    if not len(starts):
        return mask
    for _ in range(int(rng.integers(2, 7))):
        start = starts[int(rng.integers(len(starts)))][::-1]
        steps = rng.normal(0, side / 6, (int(rng.integers(1, 5)), 2)).cumsum(0)
        points = (start + np.concatenate([np.zeros((1, 2)), steps])).round().astype(np.int32)
        cv2.polylines(touched, [points], False, 1, int(rng.integers(5, max(6, side // 6))))
    return np.where(touched > 0, mask, np.uint8(UNKNOWN))

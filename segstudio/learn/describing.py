"""What is said of a plane before anyone labels it: how sure a model is, whether two agree, and what it looks like.

A few windows stand for the whole plane, so that an orthophoto takes no longer than a photograph.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.grid import UNIT, Grid, Window
from segstudio.learn.model import Model, noticing_memory, pixels_of
from segstudio.learn.networks import encode
from segstudio.learn.uncertainty import uncertainty
from segstudio.runs import Measure

__all__ = ["Description", "described"]

_WINDOW_PX = 320
_WINDOWS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """`uncertainty` 0..1: the mean over all pixels, by a measure. `disagreement` 0..1: the share of pixels to which
    another model gives another class, None without one. `features` float32 (d): the mean of the embedded encoder's
    deepest level within the plane, of length 1.
    """

    uncertainty: float
    disagreement: float | None
    features: NDArray[np.float32]


def described(
    model: Model, other: Model | None, base: Model, data: Dataset, entry: PlaneEntry, measure: Measure = "margin"
) -> Iterator[Description | None]:
    """None between windows, the description at the end. `base` is the embedded model. Raises `UnreadableImage`, and
    `torch.OutOfMemoryError`.
    """
    unsure: list[float] = []
    apart: list[float] = []
    for window in _windows(entry, model.pitch):
        values = _probabilities(model, data, entry, window.image)
        yield None
        mirrored = _probabilities(model, data, entry, window.image, mirrored=True) if measure == "flips" else None
        unsure.append(float(uncertainty(measure, values, mirrored).mean()))
        yield None
        if other is not None:
            theirs = _probabilities(other, data, entry, window.image)
            apart.append(_apart(_classes(model, values), _classes(other, theirs)))
            yield None
    features: list[NDArray[np.float32]] = []
    for window in _windows(entry, base.pitch):
        pixels = pixels_of(base, data, entry, window.image, window.seen.w, window.seen.h)
        inside = window.image.intersected(entry.bounds)
        with noticing_memory():
            features.append(_features(base, pixels, inside.h / window.image.h, inside.w / window.image.w))
        yield None
    mean = np.mean(features, 0)
    length = float(np.linalg.norm(mean)) or 1.0
    yield Description(float(np.mean(unsure)), float(np.mean(apart)) if apart else None, mean / np.float32(length))


def _windows(entry: PlaneEntry, pitch: int) -> list[Window]:
    """Some windows, spread evenly over the plane; all of a small one."""
    grid = Grid.covering(entry.width, entry.height, pitch, _WINDOW_PX, 0)
    rows, columns = (_spread(len(axis.starts), round(_WINDOWS**0.5)) for axis in (grid.y, grid.x))
    return [grid.window(row, column) for row in rows for column in columns]


def _spread(length: int, most: int) -> list[int]:
    """Some of 0 ... length - 1, each in the middle of its share."""
    if length <= most:
        return list(range(length))
    return [int((i + 0.5) * length / most) for i in range(most)]


def _probabilities(
    model: Model, data: Dataset, entry: PlaneEntry, image: Rect, *, mirrored: bool = False
) -> NDArray[np.float32]:
    """Probabilities (outputs, h, w), at the model's own scale, of the part of a rectangle that lies in the plane; if
    `mirrored`, as said of the mirror image and turned back.
    """
    width, height = (max(round(side / model.pitch), 1) * UNIT for side in (image.w, image.h))
    pixels = pixels_of(model, data, entry, image, width, height)
    if mirrored:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    with noticing_memory():
        values = model.probabilities(pixels[None])[0].astype(np.float32)
    values = values[:, :, ::-1] if mirrored else values
    inside = image.intersected(Rect(0, 0, entry.width, entry.height))
    return values[:, : max(inside.h * height // image.h, 1), : max(inside.w * width // image.w, 1)]


def _apart(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """The share of pixels of other classes; those of another scale are looked up at the same place."""
    y, x = (np.arange(n) * m // n for n, m in zip(ours.shape, theirs.shape, strict=True))
    return float(np.mean(ours != theirs[np.ix_(y, x)]))


def _classes(model: Model, values: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.array(model.outputs)[values.argmax(0)]


@torch.inference_mode()
def _features(base: Model, pixels: NDArray[np.float32], down: float, across: float) -> NDArray[np.float32]:
    """The mean of the deepest level (d) over what lies in the plane: these shares of the height and of the width. The
    rest is its mirror image, by which small planes would look alike.
    """
    deepest = base.apply(lambda x, _inner: encode(base.net, x)[-1], pixels[None], None)[0].float().cpu().numpy()
    rows, columns = (_inside(n, share) for n, share in zip(deepest.shape[1:], (down, across), strict=True))
    return np.einsum("dhw,h,w->d", deepest, rows, columns) / (rows.sum() * columns.sum())


def _inside(length: int, share: float) -> NDArray[np.float32]:
    """How much of each of so many cells lies in the first `share` of all."""
    return np.clip(share * length - np.arange(length, dtype=np.float32), 0, 1)

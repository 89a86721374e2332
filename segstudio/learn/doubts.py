"""Labels that are probably mistakes: where a model that has not seen an image is sure of another class.

Confident learning (Northcutt et al. 2021): a label is doubted where the probability of another class reaches the mean
that this class has on pixels labelled as it. Every image is judged by an instant learner fitted to the others only.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.errors import NotEnoughLabels, UnreadableImage
from segstudio.geometry import Rect, tiles_of
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.instant import FeatureKeeper, fit_instant
from segstudio.learn.model import Model
from segstudio.learn.predict import predict_tiles
from segstudio.text import _

__all__ = ["Doubt", "Usual", "doubts", "found_in"]

_FOLDS = 4
_LEAST_PX = 25
_LEAST_HALF_WIDTH_PX = 2.5
"""What is thinner is the uncertainty of an outline, not a mistake."""
_MOST_A_PLANE = 50
_UNSEEN = 0.8
_WHOLE_PX = 16 << 20
"""Larger planes are judged label tile by label tile."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """A region of one labelled class of which a model says `said`: its box, its pixels within it (h, w), and how much
    surer the model is of the other class, summed over them.
    """

    image: int
    plane: int
    rect: Rect
    mask: NDArray[np.bool_]
    labelled: int
    said: int
    score: float


class Usual:
    """How sure models are of each class, on average, on the pixels that are labelled as it, over all planes so far."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, int]] = {}

    def add(self, class_id: int, probabilities: NDArray[np.floating]) -> None:
        """Take in the probabilities of a class on pixels that are labelled as it."""
        total, n = self._sums.get(class_id, (0.0, 0))
        self._sums[class_id] = total + float(probabilities.sum(dtype=np.float64)), n + probabilities.size

    def of(self, class_id: int) -> float:
        """The mean, 0.8 for a class of which nothing was seen yet."""
        total, n = self._sums.get(class_id, (0.0, 0))
        return total / n if n else _UNSEEN


def doubts(
    data: Dataset, device: torch.device, *, bfloat16: bool, keeper: FeatureKeeper | None = None
) -> Iterator[Doubt | tuple[int, int] | None]:
    """Look at every labelled plane: the doubts of each, then (done, total) planes; None between windows.

    Raises `NotEnoughLabels` if fewer than two groups of images have labels, or too few labels.
    """
    entries = [entry for entry in data.planes() if data.learnable(entry.image)]
    groups = sorted({entry.group for entry in entries}, key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(groups) < 2:
        raise _too_little()
    folds = [frozenset(groups[place::_FOLDS]) for place in range(min(_FOLDS, len(groups)))]
    done = unfit = 0
    usual = Usual()
    for fold in folds:
        model: Model | None = None
        others = [entry for entry in entries if entry.group not in fold]
        fitting = fit_instant(data, data.classes(), (), 0, device, bfloat16=bfloat16, keeper=keeper, planes=others)
        try:
            for model in fitting:
                if model is None:
                    yield None
        except NotEnoughLabels:
            unfit += 1
            if unfit == len(folds):
                raise _too_little() from None
            model = None  # the others hold too little to judge these by
        for entry in entries:
            if entry.group in fold:
                if model is not None:
                    yield from _of_plane(model, data, entry, usual)
                done += 1
                yield done, len(entries)


def _too_little() -> NotEnoughLabels:
    return NotEnoughLabels(
        _("Label mistakes are found by comparing images: at least two of different series need labels of two classes."),
        todo=_("Label another image."),
    )


def _of_plane(model: Model, data: Dataset, entry: PlaneEntry, usual: Usual) -> Iterator[Doubt | None]:
    """The doubts of one plane, the gravest first; nothing of one that cannot be read."""
    tiles = sorted({key for rect in data.labelled(entry.image, entry.plane) for key in tiles_of(rect)})
    if not tiles:
        return
    whole = entry.bounds.area <= _WHOLE_PX
    outputs = np.array(model.outputs)
    values = np.zeros((len(outputs), entry.height, entry.width) if whole else (0, 0, 0), np.float16)
    every: list[Doubt] = []
    try:
        for found in predict_tiles(model, data, entry, tiles=tiles):
            if found is None:
                yield None
                continue
            rect = found.rect
            if whole:
                values[:, rect.y : rect.bottom, rect.x : rect.right] = found.values
                continue
            labels, _origins = data.labels(entry.image, entry.plane, rect)
            every += found_in(found.values, labels, outputs, entry, rect, usual)
            every = sorted(every, key=lambda doubt: -doubt.score)[:_MOST_A_PLANE]
    except UnreadableImage:
        return
    if whole:
        yield None
        labels, _origins = data.labels(entry.image, entry.plane, entry.bounds)
        every = found_in(values, labels, outputs, entry, entry.bounds, usual)
    yield from sorted(every, key=lambda doubt: -doubt.score)[:_MOST_A_PLANE]


def found_in(
    values: NDArray[np.floating],
    labels: NDArray[np.int32],
    outputs: NDArray[np.int64],
    entry: PlaneEntry,
    area: Rect,
    usual: Usual,
) -> list[Doubt]:
    """Doubts about labels (h, w), class ids and 0 for none, from probabilities (outputs, h, w) of the same area, which
    count in `usual` from now on.
    """
    place = np.searchsorted(np.sort(outputs), labels)
    order = np.argsort(outputs)
    known = np.isin(labels, outputs)
    own = np.where(known, order[np.minimum(place, len(outputs) - 1)], 0)
    said = values.argmax(0)
    best = values.max(0)
    of_own = np.take_along_axis(values, own[None], 0)[0]
    for i, class_id in enumerate(outputs.tolist()):
        usual.add(class_id, values[i][known & (own == i)])
    least = np.array([usual.of(class_id) for class_id in outputs.tolist()], np.float32)
    doubted = known & (said != own) & (best >= least[said])
    pairs = np.where(doubted, own * len(outputs) + said + 1, 0).astype(np.int32)
    return [
        Doubt(
            entry.image,
            entry.plane,
            Rect(area.x + box.x, area.y + box.y, box.w, box.h),
            mask,
            int(outputs[(pair - 1) // len(outputs)]),
            int(outputs[(pair - 1) % len(outputs)]),
            float((best - of_own)[box.y : box.bottom, box.x : box.right][mask].sum()),
        )
        for pair, box, mask in _regions(pairs)
    ]


def _regions(pairs: NDArray[np.int32]) -> Iterator[tuple[int, Rect, NDArray[np.bool_]]]:
    """8-connected regions of each number above 0 that are no mere outline: the number, the box, the mask in it."""
    import cv2

    for pair in np.unique(pairs[pairs > 0]).tolist():
        here = (pairs == pair).astype(np.uint8)
        _n, parts, stats, _centres = cv2.connectedComponentsWithStats(here, connectivity=8)
        for part in range(1, len(stats)):
            x, y, w, h, pixels = (int(value) for value in stats[part])
            if pixels < _LEAST_PX:
                continue
            mask = np.asarray(parts[y : y + h, x : x + w] == part)
            padded = np.pad(mask.astype(np.uint8), 1)
            if cv2.distanceTransform(padded, cv2.DIST_L2, 3).max() >= _LEAST_HALF_WIDTH_PX:
                yield pair, Rect(x, y, w, h), mask

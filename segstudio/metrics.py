"""Figures of how well two sets of labels match: the confusion matrix, and everything computed from it.

Pure functions of arrays. Of two sides one may be the truth (`confusion`, `metrics`: a model against a person), or
neither (`pair_counts`, `agreement`: two people). A pixel is of a class 0..n-1, or of none: *unknown* (`UNKNOWN`).
*Ignored* pixels (`IGNORED`) never count.

- IoU = TP / (TP + FP + FN) (Jaccard, 1912); Dice = F1 = 2 TP / (2 TP + FP + FN) (Dice, 1945): the same from both sides.
- Precision = TP / (TP + FP), recall = TP / (TP + FN) (Everingham et al., The PASCAL Visual Object Classes Challenge,
  2010).
- Kappa = (p - e) / (1 - e), p the share of pixels on which both agree, e the share on which they would by chance
  (Cohen, A coefficient of agreement for nominal scales, 1960).
- Objects of an instance class match where their IoU is above 0.5, of which there is at most one for each; F1 = RQ,
  SQ = mean IoU of the matches, PQ = SQ * RQ (Kirillov et al., Panoptic Segmentation, 2019).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.runs import ClassMetrics, Metrics

__all__ = [
    "IGNORED",
    "UNKNOWN",
    "Agreement",
    "ClassAgreement",
    "ObjectAgreement",
    "ObjectCounts",
    "agreement",
    "confusion",
    "metrics",
    "pair_counts",
]

UNKNOWN = -1
IGNORED = -2

_CHUNK = 1 << 20
"""Pixels counted at a time: the working arrays take 8 bytes a pixel."""


def pair_counts(a: NDArray[np.integer], b: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Counts (n + 1, n + 1) of pixels by A's class (row) and B's (column); the last row and column are unknown.

    Pixels that either side ignores are left out. Counts of parts of an image add up to those of the whole. Raises
    ValueError where the two differ in shape or a class is not below `n`.
    """
    if max(int(a.max(initial=UNKNOWN)), int(b.max(initial=UNKNOWN))) >= n:
        raise ValueError(f"a class is not below {n}")
    return _pairs(a, b, n, ignored=IGNORED)


def confusion(truth: NDArray[np.integer], found: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Counts (n, n + 1): rows are truth 0..n-1, columns found 0..n-1 and, last, nothing found.

    Pixels whose truth is outside 0..n-1 do not count; a found value outside 0..n-1 counts as nothing found.
    Raises ValueError where the two differ in shape.
    """
    return _pairs(truth, found, n)[:n]


def _pairs(a: NDArray[np.integer], b: NDArray[np.integer], n: int, *, ignored: int | None = None) -> NDArray[np.int64]:
    """Counts (n + 1, n + 1) by class of both sides, what is outside 0..n-1 last."""
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} and {b.shape} differ in shape")
    counts = np.zeros((n + 1) ** 2, np.int64)
    rows, columns = a.reshape(-1), b.reshape(-1)
    for start in range(0, rows.size, _CHUNK):
        row, column = rows[start : start + _CHUNK], columns[start : start + _CHUNK]
        pairs = _place(row, n) * (n + 1) + _place(column, n)
        if ignored is not None:
            pairs = pairs[(row != ignored) & (column != ignored)]
        counts += np.bincount(pairs, minlength=counts.size)
    return counts.reshape(n + 1, n + 1)


def _place(classes: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    return np.where((classes >= 0) & (classes < n), classes, n).astype(np.int64)


def metrics(counts: NDArray[np.int64], names: list[str]) -> Metrics:
    """Figures of a confusion matrix (n, n + 1) or (n, n) whose rows are the truth.

    A class that is absent from the truth has its figures but no part in the means; a quotient 0 / 0 is 0.
    """
    n = len(names)
    hits = np.diagonal(counts[:, :n]).astype(np.float64)
    truth = counts.sum(1).astype(np.float64)
    found = counts[:, :n].sum(0).astype(np.float64)
    iou, dice = _ratio(hits, truth + found - hits), _ratio(2 * hits, truth + found)
    precision, recall = _ratio(hits, found), _ratio(hits, truth)
    classes = {
        name: ClassMetrics(float(iou[i]), float(dice[i]), float(precision[i]), float(recall[i]))
        for i, name in enumerate(names)
    }
    present = truth > 0
    mean = ClassMetrics(*(float(a[present].mean()) if present.any() else 0.0 for a in (iou, dice, precision, recall)))
    total = int(truth.sum())
    return Metrics(float(hits.sum() / total) if total else 0.0, mean, classes, total)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


@dataclass(frozen=True, slots=True)
class ObjectAgreement:
    """Matched objects of an instance class, those of one side only, and F1, SQ and PQ, each 0..1."""

    matched: int
    only_a: int
    only_b: int
    f1: float
    sq: float
    pq: float


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Pixels of a class in A and in B where both know, IoU and Dice 0..1 (None where neither has the class)."""

    pixels_a: int
    pixels_b: int
    iou: float | None
    dice: float | None
    objects: ObjectAgreement | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of two sides: `pixels` that both know, the share of them on which they agree, kappa, and by class.

    `only_a`, `only_b`, `nobody` count the other pixels. The share is None if no pixel is known in both; kappa also
    if both use only one and the same class, which says nothing about chance.
    """

    pixels: int
    only_a: int
    only_b: int
    nobody: int
    pixel_agreement: float | None
    kappa: float | None
    mean_iou: float | None
    mean_dice: float | None
    classes: Mapping[str, ClassAgreement]


def agreement(
    counts: NDArray[np.int64], names: Sequence[str], objects: Mapping[str, "ObjectCounts"] | None = None
) -> Agreement:
    """The figures of `pair_counts` (n + 1, n + 1); means are over classes that either side has where both know.

    `objects` are the counts of instance classes by name.
    """
    n = len(names)
    both = counts[:n, :n].astype(np.float64)
    total = float(both.sum())
    hits, in_a, in_b = np.diagonal(both), both.sum(1), both.sum(0)
    share = float(hits.sum() / total) if total else None
    chance = float((in_a * in_b).sum() / total**2) if total else 1.0
    classes: dict[str, ClassAgreement] = {}
    for i, name in enumerate(names):
        union, both_areas = in_a[i] + in_b[i] - hits[i], in_a[i] + in_b[i]
        found = None if objects is None or name not in objects else objects[name].figures()
        iou, dice = (float(hits[i] / union), float(2 * hits[i] / both_areas)) if union else (None, None)
        classes[name] = ClassAgreement(int(in_a[i]), int(in_b[i]), iou, dice, found)
    present = [c for c in classes.values() if c.iou is not None]
    return Agreement(
        pixels=int(total),
        only_a=int(counts[:n, n].sum()),
        only_b=int(counts[n, :n].sum()),
        nobody=int(counts[n, n]),
        pixel_agreement=share,
        kappa=None if share is None or chance >= 1.0 else (share - chance) / (1.0 - chance),
        mean_iou=_mean([c.iou for c in present]),
        mean_dice=_mean([c.dice for c in present]),
        classes=classes,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass(slots=True)
class ObjectCounts:
    """Pixels of objects of an instance class, and of pairs that overlap, counted part by part of an image.

    Call `close_image` after the last part of each image: ids are of one image.
    """

    _a: Counter[int] = field(default_factory=Counter[int])
    _b: Counter[int] = field(default_factory=Counter[int])
    _pairs: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    _ious: list[float] = field(default_factory=list[float])
    _only_a: int = 0
    _only_b: int = 0

    def add(self, a: NDArray[np.uint32], b: NDArray[np.uint32]) -> None:
        """Take in a part: object ids of one shape, 0 where no object of the class is or a pixel does not count."""
        for counter, ids in ((self._a, a), (self._b, b)):
            values, counts = np.unique(ids[ids != 0], return_counts=True)
            counter.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        both = (a != 0) & (b != 0)
        pairs, counts = np.unique(a[both].astype(np.uint64) << np.uint64(32) | b[both], return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            self._pairs[pair >> 32, pair & 0xFFFFFFFF] += count

    def close_image(self) -> None:
        """Match the objects of the image and forget their ids."""
        ious = [pixels / (self._a[i] + self._b[j] - pixels) for (i, j), pixels in self._pairs.items()]
        matches = [iou for iou in ious if iou > 0.5]
        self._ious += matches
        self._only_a += len(self._a) - len(matches)
        self._only_b += len(self._b) - len(matches)
        for counter in (self._a, self._b, self._pairs):
            counter.clear()

    def join(self, other: "ObjectCounts") -> None:
        """Take in the closed images of another count."""
        self._ious += other._ious
        self._only_a += other._only_a
        self._only_b += other._only_b

    def figures(self) -> ObjectAgreement:
        """The figures of all closed images; 0 where no object is."""
        n = len(self._ious)
        objects = 2 * n + self._only_a + self._only_b
        f1 = 2 * n / objects if objects else 0.0
        sq = sum(self._ious) / n if n else 0.0
        return ObjectAgreement(n, self._only_a, self._only_b, f1, sq, sq * f1)

"""Which patches a step learns from: half around the newest corrections, a quarter rare classes, a quarter anywhere.

Every patch follows from (seed, step) alone, so a run that is resumed sees what it would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.pyramid import resized
from segstudio.learn.data import (
    Dataset,
    Part,
    PlaneEntry,
    padded_labels,
    padded_pixels,
    resized_labels,
)
from segstudio.learn.facts import CELL, Facts
from segstudio.learn.split import excluded, rects_of
from segstudio.runs import Plan

__all__ = ["UNKNOWN", "Batch", "Sampler", "with_channels"]

UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pixels float32 (n, channels, p, p) in 0..1 and labels int64 (n, p, p): an output's index, or `UNKNOWN`."""

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]


class Sampler:
    """Draws the patches of a plan from the known pixels of its training planes outside blocks and margins."""

    def __init__(self, facts: Facts, plan: Plan, data: Dataset) -> None:
        self._plan = plan
        self._data = data
        self._planes: list[PlaneEntry] = []
        self._rects: list[list[Rect]] = []
        rows: list[NDArray[np.int64]] = []
        counts: list[NDArray[np.int64]] = []
        painted: list[NDArray[np.int64]] = []
        place = {c.id: i for i, c in enumerate(facts.classes)}
        outputs = [place[c.id] for c in plan.classes]
        for entry, cells in zip(facts.planes, facts.cells, strict=True):
            if entry.part is not Part.TRAIN:
                continue
            rects = rects_of(plan.blocks, entry)
            free = [
                excluded(rects, plan.margin_px, Rect(int(x) * CELL, int(y) * CELL, CELL, CELL)) is None
                for y, x in zip(cells.y, cells.x, strict=True)
            ]
            found = cells.chosen(np.array(free, np.bool_) & (cells.known[:, outputs].sum(1) > 0))
            rows.append(np.stack([np.full(len(found.y), len(self._planes)), found.y, found.x], 1))
            counts.append(found.known[:, outputs])
            painted.append(found.painted)
            self._planes.append(entry)
            self._rects.append(rects)
        self._cells = np.concatenate(rows)
        self._counts = np.concatenate(counts)
        self._lookup = _lookup(plan)
        self._uniform = _cumulative(self._counts.sum(1))
        self._rare = [_cumulative(column) for column in self._counts.T]
        self._rare_weight = _cumulative(_inverse_root(self._counts.sum(0)))
        self._newest = _newest(self._planes, self._cells[:, 0], np.concatenate(painted))

    def batch(self, step: int) -> Batch:
        """The patches of one step."""
        recipe = self._plan.recipe
        rng = np.random.default_rng((self._plan.seed, step))
        drawn = [self._patch(rng, place / recipe.batch) for place in range(recipe.batch)]
        pixels = np.stack([pixels for pixels, _ in drawn])
        return Batch(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), np.stack([labels for _, labels in drawn]))

    def _patch(self, rng: np.random.Generator, share: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        plan, recipe = self._plan, self._plan.recipe
        plane, y, x = self._cells[self._cell(rng, share)]
        entry = self._planes[plane]
        zoom = float(np.exp(rng.uniform(*np.log(recipe.zoom))))
        span = max(round(recipe.patch_px / plan.scale / zoom), 8)
        rect = Rect(
            _start(rng, int(x) * CELL + CELL // 2, span, entry.width),
            _start(rng, int(y) * CELL + CELL // 2, span, entry.height),
            span,
            span,
        )
        pixels = with_channels(padded_pixels(self._data, entry, rect), plan.channels)
        classes, _ = padded_labels(self._data, entry, rect)
        labels = self._lookup[np.minimum(classes, len(self._lookup) - 1)]
        hidden = excluded(self._rects[plane], plan.margin_px, rect)
        if hidden is not None:
            labels[hidden] = UNKNOWN
        side = recipe.patch_px
        pixels = resized(pixels, side, side)
        labels = resized_labels(labels, side, side)
        if recipe.turns:
            turn, flip = int(rng.integers(4)), bool(rng.integers(2))
            pixels, labels = np.rot90(pixels, turn), np.rot90(labels, turn)
            if flip:
                pixels, labels = pixels[:, ::-1], labels[:, ::-1]
        return pixels, labels.astype(np.int64)

    def _cell(self, rng: np.random.Generator, share: float) -> int:
        """A cell by the kind that is due at this share of the batch."""
        if share < 0.5 and self._newest is not None:
            return _draw(rng, self._newest)
        if share >= 0.75 or (share < 0.5 and share >= 0.25):
            return _draw(rng, self._uniform)
        return _draw(rng, self._rare[_draw(rng, self._rare_weight)])


def with_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Pixels (h, w, c) with as many channels as a network wants: the first ones, repeated in turn where they lack."""
    have = pixels.shape[2]
    if have == channels:
        return pixels
    return np.ascontiguousarray(pixels[:, :, [i % have for i in range(channels)]])


def _lookup(plan: Plan) -> NDArray[np.int64]:
    """Output by class id; the last entry stands for every id beyond."""
    lookup = np.full(max(c.id for c in plan.classes) + 2, UNKNOWN, np.int64)
    for place, entry in enumerate(plan.classes):
        lookup[entry.id] = place
    return lookup


def _newest(
    planes: Sequence[PlaneEntry], plane_of: NDArray[np.int64], painted: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Weights of cells with painted pixels: an image counts by its rank among the last changed, 1, 1/2, 1/3 ...

    None where nothing is painted: imported labels have no newest ones.
    """
    if not painted.any():
        return None
    has = np.array([painted[plane_of == i].any() for i in range(len(planes))])
    order = sorted((i for i in range(len(planes)) if has[i]), key=lambda i: -planes[i].seq)
    weight = np.zeros(len(planes))
    weight[order] = 1 / np.arange(1, len(order) + 1)
    share = np.array([painted[plane_of == i].sum() or 1 for i in range(len(planes))])
    return _cumulative(painted * (weight / share)[plane_of])


def _cumulative(weights: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
    total = np.cumsum(weights, dtype=np.float64)
    return total / total[-1] if total[-1] > 0 else total


def _inverse_root(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / sqrt(n), 0 for a class that has lost all its pixels since the plan was made."""
    return np.where(counts > 0, 1 / np.sqrt(np.maximum(counts, 1)), 0.0)


def _draw(rng: np.random.Generator, cumulative: NDArray[np.float64]) -> int:
    return int(np.searchsorted(cumulative, rng.random(), side="right"))


def _start(rng: np.random.Generator, centre: int, span: int, length: int) -> int:
    """Left edge of a span that holds the centre, within the plane where it fits, else around its middle."""
    start = centre - span // 2 + int(rng.uniform(-0.35, 0.35) * span)
    if span >= length:
        return (length - span) // 2
    return min(max(start, 0), length - span)

"""Which patches a step learns from: half around the newest corrections, a quarter rare classes, a quarter anywhere.

Every patch follows from (seed, step) alone, so a resumed run sees what it would have seen.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.pyramid import resized
from segstudio.learn.augment import Augmenter
from segstudio.learn.data import (
    Dataset,
    Part,
    PlaneEntry,
    padded_labels,
    padded_pixels,
    resized_labels,
)
from segstudio.learn.facts import CELL, Cells, Facts
from segstudio.learn.split import by_image, excluded, free_cells, margin_within
from segstudio.runs import Plan

__all__ = ["UNKNOWN", "Batch", "Sampler", "with_channels"]

UNKNOWN = -1

_TRIES = 16
_SEEDS = 1 << 62
_UNPACKED = 64
_GOLDEN = 0.6180339887498949  # multiples of it fill 0..1 evenly from the first on


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pixels float32 (n, channels, p, p) in 0..1 and labels int64 (n, p, p): an output's index, or `UNKNOWN`."""

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """The places of a plane's cells, and their running shares by kind."""

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    any: NDArray[np.float64]
    painted: NDArray[np.float64]
    outputs: tuple[NDArray[np.float64], ...]


class Sampler:
    """Draws the patches of a plan from the known pixels of its training planes outside blocks and margins.

    A plane is drawn first, then a place in it, so that only what is needed is unpacked. An image that turns out to be
    damaged is skipped, and the data set knows which; the patches depend on which ones are.
    """

    def __init__(self, facts: Facts, plan: Plan, data: Dataset) -> None:
        self._plan = plan
        self._data = data
        self._facts = facts
        self._lookup = _lookup(plan)
        self._augmenter = Augmenter(plan.recipe)
        place = {c.id: i for i, c in enumerate(facts.classes)}
        self._columns = [place[c.id] for c in plan.classes]
        rects = by_image(plan.blocks)
        self._planes = [(i, entry) for i, entry in enumerate(facts.planes) if entry.part is Part.TRAIN]
        self._rects = [rects.get(entry.image, []) for _, entry in self._planes]
        self._unpacked: OrderedDict[int, _Places] = OrderedDict()
        self._damaged: set[int] = set()
        counts, painted = self._weights()
        self._uniform = counts.sum(1)
        self._by_output = counts.T
        self._rare = _inverse_root(counts.sum(0))
        self._newest = _newest([entry for _, entry in self._planes], painted)
        self._first = None if self.is_empty else self._two_planes()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from."""
        return not self._uniform.any()

    def batch(self, step: int, count: int | None = None) -> Batch:
        """The patches of one step; those of the first come from at most two planes, so that it starts soon.

        `count`: so many instead of a batch, of kinds that change from step to step and come as often as in a batch.
        Raises `UnreadableImage` if no image can be read.
        """
        size = self._plan.recipe.batch
        rng = np.random.default_rng((self._plan.seed, step))
        among = self._first if step == 0 else None
        if count is None:
            kinds = [place / size for place in range(size)]
        else:
            kinds = [(step * count + place) * _GOLDEN % 1.0 for place in range(count)]
        drawn = [self._drawn(rng, kind, among) for kind in kinds]
        pixels = np.stack([pixels for pixels, _ in drawn])
        return Batch(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), np.stack([labels for _, labels in drawn]))

    def _weights(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Known pixels that train by plane and output, painted ones by plane."""
        at = [i for i, _ in self._planes]
        counts = self._facts.known[np.ix_(at, self._columns)]
        painted = self._facts.painted[at]
        for plane, rects in enumerate(self._rects):
            if rects:
                cells = self._cells(plane)
                counts[plane] = cells.known[:, self._columns].sum(0)
                painted[plane] = cells.painted.sum()
        return counts, np.where(counts.any(1), painted, 0)

    def _two_planes(self) -> NDArray[np.bool_]:
        rng = np.random.default_rng((self._plan.seed, 0, 2))
        first = self._uniform if self._newest is None else self._newest
        chosen = np.zeros(len(self._planes), np.bool_)
        for weights in (first, self._uniform):
            chosen[_draw(rng, _cumulative(weights))] = True
        return chosen

    def _drawn(
        self, rng: np.random.Generator, share: float, among: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A patch of the first drawn image that can be read; if chance finds none, of the first that can."""
        for _ in range(_TRIES):
            plane, places, weights = self._place(rng, share, among)
            own = int(rng.integers(_SEEDS))  # one draw, whether the image was known to be damaged or not
            if plane not in self._damaged:
                try:
                    return self._patch(np.random.default_rng(own), plane, places, weights)
                except UnreadableImage:
                    self._damaged.add(plane)
        return self._of_the_first(int(rng.integers(_SEEDS)))

    def _of_the_first(self, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A patch of the first of all images that can be read."""
        planes = np.flatnonzero(self._uniform).tolist()
        for plane in planes:
            places = self._places(plane)
            try:
                return self._patch(np.random.default_rng(seed), plane, places, places.any)
            except UnreadableImage:
                self._damaged.add(plane)
                if plane == planes[-1]:
                    raise
        raise AssertionError("a plan has planes that train")

    def _place(
        self, rng: np.random.Generator, share: float, among: NDArray[np.bool_] | None
    ) -> tuple[int, _Places, NDArray[np.float64]]:
        """A plane and shares of its cells, by the kind that is due at this share of the batch."""
        output = None
        newest = share < 0.5 and self._newest is not None
        if newest:
            weights = self._newest
        elif share >= 0.75 or 0.25 <= share < 0.5:
            weights = self._uniform
        else:
            output = _draw(rng, _cumulative(self._rare))
            weights = self._by_output[output]
        assert weights is not None
        plane = self._plane(rng, weights, among)
        places = self._places(plane)
        shares = places.painted if newest else places.any if output is None else places.outputs[output]
        return plane, places, shares if shares[-1] > 0 else places.any

    def _plane(self, rng: np.random.Generator, weights: NDArray[np.floating], among: NDArray[np.bool_] | None) -> int:
        if among is not None:
            weights = weights * among if (weights * among).any() else self._uniform * among
        return _draw(rng, _cumulative(weights))

    def _cells(self, plane: int) -> Cells:
        """The cells that a patch may be drawn around."""
        at, entry = self._planes[plane]
        cells = self._facts.cells[at]
        keep = cells.known[:, self._columns].sum(1) > 0
        if rects := self._rects[plane]:
            keep &= free_cells(cells, rects, margin_within(entry, self._plan.margin_px))
        return cells.chosen(keep)

    def _places(self, plane: int) -> _Places:
        if plane not in self._unpacked:
            cells = self._cells(plane)
            counts = cells.known[:, self._columns]
            self._unpacked[plane] = _Places(
                cells.y,
                cells.x,
                _cumulative(counts.sum(1)),
                _cumulative(cells.painted),
                tuple(_cumulative(column) for column in counts.T),
            )
            if len(self._unpacked) > _UNPACKED:
                self._unpacked.popitem(last=False)
        self._unpacked.move_to_end(plane)
        return self._unpacked[plane]

    def _patch(
        self, rng: np.random.Generator, at: int, places: _Places, shares: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        plan, recipe = self._plan, self._plan.recipe
        entry = self._planes[at][1]
        cell = _draw(rng, shares)
        span = max(round(recipe.patch_px / plan.scale / self._augmenter.zoom(rng)), 8)
        rect = Rect(
            _start(rng, int(places.x[cell]) * CELL + CELL // 2, span, entry.width),
            _start(rng, int(places.y[cell]) * CELL + CELL // 2, span, entry.height),
            span,
            span,
        )
        pixels = with_channels(padded_pixels(self._data, entry, rect, plan.levels), plan.channels)
        classes, _ = padded_labels(self._data, entry, rect)
        labels = self._lookup[np.minimum(classes, len(self._lookup) - 1)]
        hidden = excluded(self._rects[at], margin_within(entry, plan.margin_px), rect)
        if hidden is not None:
            labels[hidden] = UNKNOWN
        side = recipe.patch_px
        pixels = resized(pixels, side, side)
        labels = resized_labels(labels, side, side)
        pixels, labels = self._augmenter.moved(rng, pixels, labels)
        return pixels, labels.astype(np.int64)


def with_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Pixels (h, w, c) with as many channels as a network needs: the first ones, repeated in turn if too few."""
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


def _newest(planes: Sequence[PlaneEntry], painted: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Weights of planes with painted pixels by their rank among the last changed: 1, 1/2, 1/3 ...

    None if nothing is painted: imported labels have no newest ones.
    """
    order = sorted(np.flatnonzero(painted).tolist(), key=lambda i: -planes[i].seq)
    if not order:
        return None
    weight = np.zeros(len(planes))
    weight[order] = 1 / np.arange(1, len(order) + 1)
    return weight


def _cumulative(weights: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
    total = np.cumsum(weights, dtype=np.float64)
    return total / total[-1] if total[-1] > 0 else total


def _inverse_root(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / sqrt(n), 0 for a class that has lost all its pixels since the plan was made."""
    return np.where(counts > 0, 1 / np.sqrt(np.maximum(counts, 1)), 0.0)


def _draw(rng: np.random.Generator, cumulative: NDArray[np.float64]) -> int:
    return int(np.searchsorted(cumulative, rng.random(), side="right"))


def _start(rng: np.random.Generator, centre: int, span: int, length: int) -> int:
    """Left edge of a span that holds the centre, within the plane if it fits, else around its middle."""
    start = centre - span // 2 + int(rng.uniform(-0.35, 0.35) * span)
    if span >= length:
        return (length - span) // 2
    return min(max(start, 0), length - span)

"""Held-out figures, and whether a child replaces its parent. No measured pixel was ever trained on.

The child must be better on the same pixels, and would be in nine of ten resamplings of them: of whole groups if five
or more are held out, else of blocks of 128 px, and then by one point of mean IoU at least. Each further try on nearly
the same labels must be better by more, so that repeating does not find the lucky one.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import TILE, Rect
from segstudio.labels.model import Origin
from segstudio.learn.bootstrap import share_better
from segstudio.learn.data import Dataset, LearnedPlane, Part, PlaneEntry
from segstudio.learn.facts import CELL, Facts
from segstudio.learn.predict import Model, TileProbabilities, predict_tiles
from segstudio.learn.split import by_plane, inside_blocks
from segstudio.metrics import confusion, metrics
from segstudio.runs import Confusion, Figures, Plan
from segstudio.text import _, count

__all__ = [
    "GATE_POINTS",
    "HeldOut",
    "HeldOutTile",
    "PredictedTiles",
    "Seen",
    "Tally",
    "Verdict",
    "advice",
    "decide",
    "finished_before",
    "held_out",
    "measure",
    "pixels_of",
    "points_needed",
    "tally",
]

GATE_POINTS = 0.01
BLOCK = 128

_REPEATED_POINTS = 0.05
_SURE = 0.9
_GROUPS_TO_RESAMPLE = 5

_Unit = TypeVar("_Unit", bound=Hashable)
PredictedTiles = Callable[..., Iterator[TileProbabilities | None]]
"""`predict_tiles`, or a function that is called in the same way."""

_FEW_STEPS = 40
_FEW_IMAGES = 10

_MEASURED_PX = 3 << 20
"""Some seconds through the network on two cores; a hash decides which tiles stand for the rest."""
_REMEMBERED_PX = 1 << 20


@dataclass(frozen=True, slots=True)
class HeldOutTile:
    """A label tile with held-out pixels: all of them, or those in `blocks`."""

    entry: PlaneEntry
    ty: int
    tx: int
    blocks: tuple[Rect, ...] | None

    @property
    def rect(self) -> Rect:
        """Its pixels within the plane."""
        return Rect(self.tx * TILE, self.ty * TILE, TILE, TILE).intersected(self.entry.bounds)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The tiles to measure on, and the classes (id, name) of the figures."""

    tiles: tuple[HeldOutTile, ...]
    classes: tuple[tuple[int, str], ...]


Seen = Callable[[HeldOutTile, NDArray[np.int64], NDArray[np.int64]], None]
"""What is told of a measured tile: places in the classes, -1 for none, in the truth and as predicted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the child takes over, and one sentence that says why."""

    promoted: bool
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Figures and what they come from: counts (n, n + 1) by group, and by block of a plane."""

    figures: Figures
    groups: Mapping[str, NDArray[np.int64]]
    blocks: Mapping[tuple[int, ...], NDArray[np.int64]]

    def with_confusion(self, target: HeldOut) -> Figures:
        """The figures with the counts that they come from."""
        counts = np.sum(list(self.blocks.values()), 0).tolist()
        confused = Confusion(tuple(name for _id, name in target.classes), tuple(map(tuple, counts)))
        return msgspec.structs.replace(self.figures, confusion=confused)


def held_out(facts: Facts, plan: Plan, most_px: int = _MEASURED_PX, *, watched: bool = False) -> HeldOut:
    """The held-out tiles of a plan that have pixels fit for measuring, at most `most_px` pixels.

    Where the plan names groups that the run watches, those are `watched`, and the gate judges by the others: what was
    chosen on some pixels looks better on those than it is.
    """
    tiles: list[HeldOutTile] = []
    rects = by_plane(plan.blocks)
    half = frozenset(plan.watched)
    for at, entry in enumerate(facts.planes):
        blocks = rects.get((entry.image, entry.plane), [])
        if half and (entry.group in half) is not watched:
            continue
        if entry.part is Part.TRAIN and (not plan.optimistic or not blocks):
            continue
        cells = facts.cells[at]
        measured = None if entry.part is Part.HELD_OUT else tuple(blocks)
        counted = cells.truth.any(1)
        for ty, tx in _tiles_with(cells.y[counted], cells.x[counted]):
            tile = HeldOutTile(entry, ty, tx, measured)
            if measured is None or inside_blocks(measured, tile.rect) is not None:
                tiles.append(tile)
    return _some_of(tiles, most_px, facts)


def finished_before(facts: Facts, learned: Collection[LearnedPlane], most_px: int = _REMEMBERED_PX) -> HeldOut:
    """Tiles of the finished training images that an earlier version has learned from, at most `most_px` pixels: what
    a new one may have forgotten.
    """
    known = {(plane.path, plane.plane) for plane in learned}
    tiles: list[HeldOutTile] = []
    for at, entry in enumerate(facts.planes):
        if entry.part is Part.TRAIN and entry.finished and (entry.path, entry.plane) in known:
            cells = facts.cells[at]
            counted = cells.truth.any(1)
            tiles += [HeldOutTile(entry, ty, tx, None) for ty, tx in _tiles_with(cells.y[counted], cells.x[counted])]
    return _some_of(tiles, most_px, facts)


def _tiles_with(y: NDArray[np.int64], x: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The label tiles that some cells lie in, in order."""
    return sorted({(int(ty), int(tx)) for ty, tx in zip(y * CELL // TILE, x * CELL // TILE, strict=True)})


def _some_of(tiles: Sequence[HeldOutTile], most_px: int, facts: Facts) -> HeldOut:
    """At most so many pixels of some tiles, the same ones at every call."""
    chosen = sorted(tiles, key=_hash)[: max(most_px // (TILE * TILE), 1)]
    kept = sorted(chosen, key=lambda t: (t.entry.image, t.entry.plane, t.ty, t.tx))
    return HeldOut(tuple(kept), tuple((c.id, c.name) for c in facts.classes))


def pixels_of(target: HeldOut) -> int:
    """About how many image pixels a measurement puts through the network."""
    return sum(tile.rect.area for tile in target.tiles)


def measure(model: Model, data: Dataset, target: HeldOut, see: Seen | None = None) -> Iterator[Figures | None]:
    """Figures of a model on held-out pixels: None between windows, the figures last; nothing if nothing is known.

    `see` is told of each tile as it is measured.
    """
    for found in tally(model, data, target, see=see):
        yield None if found is None else found.figures


def tally(
    model: Model,
    data: Dataset,
    target: HeldOut,
    predicted: PredictedTiles = predict_tiles,
    see: Seen | None = None,
) -> Iterator[Tally | None]:
    """As `measure`, with the counts; `predicted` makes the tiles."""
    n = len(target.classes)
    index = np.array(_outputs_in(model, target.classes))
    groups: dict[str, NDArray[np.int64]] = {}
    blocks: dict[tuple[int, ...], NDArray[np.int64]] = {}
    by_hand = np.zeros((n, n + 1), np.int64)
    loss = 0.0
    for entry, tiles in _by_plane(target.tiles):
        wanted = {(tile.ty, tile.tx): tile for tile in tiles}
        for found in _readable(predicted(model, data, entry, tiles=list(wanted))):
            if found is None:
                yield None
                continue
            truth, own = _truth(data, wanted[found.ty, found.tx], target.classes)
            loss += _cross_entropy(found.values, truth, index.tolist())
            best = index[found.values.argmax(0)]
            if see is not None:
                see(wanted[found.ty, found.tx], truth, best)
            by_hand += confusion(np.where(own, truth, -1), best, n)
            for key, block in _blocks(found.rect):
                part = confusion(truth[block], best[block], n)
                if part.any():
                    blocks[entry.image, entry.plane, *key] = part
                    groups[entry.group] = groups.get(entry.group, 0) + part
    if blocks:
        names = [name for _id, name in target.classes]
        yield Tally(_figures(np.sum(list(blocks.values()), 0), by_hand, loss, names), groups, blocks)


def _figures(total: NDArray[np.int64], by_hand: NDArray[np.int64], loss: float, names: list[str]) -> Figures:
    pixels, own = int(total.sum()), int(by_hand.sum())
    result = metrics(total, names)
    iou = {name: result.classes[name].iou for name, known in zip(names, total.sum(1), strict=True) if known}
    return Figures(
        loss=loss / pixels,
        mean_iou=result.mean.iou,
        iou=iou,
        accepted=(pixels - own) / pixels,
        without_accepted=metrics(by_hand, names).mean.iou if own else None,
    )


def points_needed(tries: int) -> float:
    """By how much mean IoU must rise after so many tries on nearly the same labels: runs that differ by chance alone
    differ by some points, and the best of n of them by the root of 2 ln n times as much.
    """
    return _REPEATED_POINTS * math.sqrt(1 + 2 * math.log(tries)) if tries else GATE_POINTS


def decide(parent: Tally | None, child: Tally | None, tries: int = 0) -> Verdict:
    """Whether a child is promoted; `tries` versions have learned from nearly the same labels."""
    if parent is None and child is not None:
        return Verdict(True, _("There was no version before it."))
    if parent is None or child is None or not parent.blocks.keys() & child.blocks.keys():
        return Verdict(False, _("Nothing is held out to compare on; the new version is kept as a candidate."))
    before, after = parent.figures.mean_iou, child.figures.mean_iou
    was = {"before": before, "after": after}
    if after < before:
        return Verdict(False, _("Mean IoU on held-out pixels fell from {before:.3f} to {after:.3f}.", **was))
    if after == before:
        return Verdict(False, _("Mean IoU on held-out pixels stayed at {before:.3f}.", **was))
    by_groups = len(parent.groups.keys() & child.groups.keys()) >= _GROUPS_TO_RESAMPLE
    needed = 0.0 if by_groups and not tries else points_needed(tries)
    if after - before < needed - 1e-9 and not tries:
        return Verdict(
            False,
            _(
                "Mean IoU on held-out pixels rose only from {before:.3f} to {after:.3f}, less than the one point that "
                "is needed.",
                **was,
            ),
        )
    if after - before < needed - 1e-9:
        return Verdict(
            False,
            count(
                tries,
                "Mean IoU on held-out pixels rose only from {before:.3f} to {after:.3f}. {n} version has learned from "
                "nearly the same labels, so {points:.1f} points are needed to rule out luck.",
                "Mean IoU on held-out pixels rose only from {before:.3f} to {after:.3f}. {n} versions have learned "
                "from nearly the same labels, so {points:.1f} points are needed to rule out luck.",
                points=100 * needed,
                **was,
            ),
        )
    sure = _sureness(parent.groups, child.groups) if by_groups else _sureness(parent.blocks, child.blocks)
    if sure < _SURE:
        return Verdict(
            False,
            _(
                "Mean IoU on held-out pixels rose from {before:.3f} to {after:.3f}, but too unevenly to rule out "
                "chance.",
                **was,
            ),
        )
    return Verdict(True, _("Mean IoU on held-out pixels rose from {before:.3f} to {after:.3f}.", **was))


def _sureness(parent: Mapping[_Unit, NDArray[np.int64]], child: Mapping[_Unit, NDArray[np.int64]]) -> float:
    units = [unit for unit in parent if unit in child]
    return share_better([parent[unit] for unit in units], [child[unit] for unit in units])


def advice(plan: Plan, child: Figures | None, steps: int, *, stopped: bool) -> str:
    """Advice on a child that was not promoted: one or two sentences."""
    found: list[str] = []
    if child is None:
        found.append(_("Label more images: from the fourth on, one is held out to compare on."))
    if steps < _FEW_STEPS and stopped:
        found.append(
            count(
                steps,
                "Train longer: it was stopped after {n} step.",
                "Train longer: it was stopped after {n} steps.",
            )
        )
    elif steps < _FEW_STEPS and plan.max_seconds is not None:
        found.append(
            count(
                steps,
                "Train longer: only {n} step fitted in {seconds:g} s.",
                "Train longer: only {n} steps fitted in {seconds:g} s.",
                seconds=plan.max_seconds,
            )
        )
    elif steps < _FEW_STEPS:
        found.append(count(steps, "Train longer: it made only {n} step.", "Train longer: it made only {n} steps."))
    images = len({p.image for p in plan.planes if p.part == "train"})
    if child is not None and images < _FEW_IMAGES:
        found.append(
            count(
                images,
                "Label more images: it learned from {n} image.",
                "Label more images: it learned from {n} images.",
            )
        )
    return " ".join(found) or _("Correct the proposals where they are worst, and train again.")


def _readable(tiles: Iterator[TileProbabilities | None]) -> Iterator[TileProbabilities | None]:
    """The tiles before an image turns out to be damaged; the data set reports which one."""
    with suppress(UnreadableImage):
        yield from tiles


def _by_plane(tiles: Sequence[HeldOutTile]) -> Iterator[tuple[PlaneEntry, list[HeldOutTile]]]:
    groups: dict[tuple[int, int], list[HeldOutTile]] = {}
    for tile in tiles:
        groups.setdefault((tile.entry.image, tile.entry.plane), []).append(tile)
    for found in groups.values():
        yield found[0].entry, found


def _truth(
    data: Dataset, tile: HeldOutTile, classes: Sequence[tuple[int, str]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Place in `classes` of each pixel (h, w), -1 if it is not measured, and whether it was painted or imported. Those
    are measured, and every known pixel of a finished image.
    """
    ids, origins = data.labels(tile.entry.image, tile.entry.plane, tile.rect)
    out = np.full(ids.shape, -1, np.int64)
    for place, (id_, _name) in enumerate(classes):
        out[ids == id_] = place
    own = np.isin(origins, (Origin.PAINTED, Origin.IMPORTED))
    if not tile.entry.finished:
        out[~own] = -1
    if tile.blocks is not None:
        inside = inside_blocks(tile.blocks, tile.rect)
        out[~inside if inside is not None else np.s_[:]] = -1
    return out, own


def _outputs_in(model: Model, classes: Sequence[tuple[int, str]]) -> list[int]:
    """Place in `classes` of each of the model's outputs, -1 for none."""
    place = {id_: i for i, (id_, _name) in enumerate(classes)}
    return [place.get(output, -1) for output in model.outputs]


def _cross_entropy(values: NDArray[np.float32], truth: NDArray[np.int64], index: Sequence[int]) -> float:
    """Summed over the known pixels; a class that the model does not have counts as one in a million."""
    found = np.zeros(truth.shape, np.float32)
    for output, place in enumerate(index):
        mask = truth == place if place >= 0 else None
        if mask is not None:
            found[mask] += values[output][mask]
    return float(-np.log(np.maximum(found[truth >= 0], 1e-6)).sum())


def _blocks(rect: Rect) -> Iterator[tuple[tuple[int, int], tuple[slice, slice]]]:
    """Blocks of a tile: their place in the plane and their pixels in the tile."""
    for y in range(0, rect.h, BLOCK):
        for x in range(0, rect.w, BLOCK):
            yield ((rect.y + y) // BLOCK, (rect.x + x) // BLOCK), np.s_[y : y + BLOCK, x : x + BLOCK]


def _hash(tile: HeldOutTile) -> bytes:
    return hashlib.sha256(f"{tile.entry.path}:{tile.entry.plane}:{tile.ty}:{tile.tx}".encode()).digest()

"""Held-out blocks inside images, for projects with too few groups to hold one out. Pure functions of the facts.

One rectangle of an image, in a corner of what is labelled wherever that shows its classes, so that little is lost to
the margin around it. It is kept from training in every plane: slices beside each other are nearly the same pixels. A
block once held out remains so until a whole group is held out: then it trains.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import Dataset, Part, PlaneEntry
from segstudio.learn.facts import CELL, Cells, Facts
from segstudio.runs import Block

__all__ = [
    "MARGIN_PX",
    "by_image",
    "by_plane",
    "choose_blocks",
    "excluded",
    "free_cells",
    "in_force",
    "inside_blocks",
    "margin_within",
    "rects_of",
]

MARGIN_PX = 16
"""Image pixels around a block that neither train nor measure. A wider margin costs a third of the labels of a first
image, and figures of blocks are called optimistic with it as without."""

_SHARE = 0.15
_LEAST_SHARE = 0.05
_KEPT = 0.4
_LOST = (0.2, 0.25)
_LOST_AREA = 0.5
_LEAST_PX = 16
_MARGIN_SHARE = 8
_SIZES = np.geomspace(0.01, 0.9, 28)
_CORNERS = (0.0, 1.0)
_ANCHORS = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_CELLS = 4096
_MEASURED_PX = 1 << 20
"""More pixels of a plane are not held out: they would not be measured."""

_Labelled = tuple[PlaneEntry, Cells]


def choose_blocks(
    facts: Facts, previous: Sequence[Block], margin_px: int, trained: Collection[str] = ()
) -> tuple[Block, ...]:
    """The previous blocks and, in training images without any, new ones of some 15 % of the known pixels: the same
    rectangle in each of its planes that has truth there.

    A group of `trained`, which some version has learned from as a whole, gets none: it would no longer be held out.
    Of the known pixels of an image at least 80 % train (a little less if it is small), and of every class at least
    40 %. An image too small for that gets none. If all of several images are, so that nothing could be measured, an
    image may lose as many of its strokes as the classes allow, from up to half of its area, and the others train.
    """
    blocks = _in_one_place(previous)
    before, own = by_image(blocks), by_plane(blocks)
    known = facts.known_on(Part.TRAIN).astype(np.float64)
    kept = known.copy()
    new: defaultdict[int, list[_Labelled]] = defaultdict(list)
    for place, entry in enumerate(facts.planes):
        if entry.part is not Part.TRAIN:
            continue
        if rects := before.get(entry.image):
            cells = facts.cells[place]
            kept -= cells.known[~free_cells(cells, rects, margin_within(entry, margin_px))].sum(0)
            if entry.group not in trained and (entry.image, entry.plane) not in own:
                blocks += _blocks_in([(entry, cells)], rects[0])
        elif entry.group not in trained:
            new[entry.image].append((entry, facts.cells[place]))
    held = set(before)
    for most_lost in (*_LOST, 1.0):
        for image, planes in new.items():
            if image in held:
                continue
            found = _block_of(planes, margin_px, kept - known * _KEPT, most_lost)
            if found is not None:
                held.add(image)
                blocks += _blocks_in(planes, found.rect)
                kept = kept - found.lost
        if most_lost >= _LOST[-1] and (blocks or len(new) < 2):
            break
    return tuple(blocks)


def in_force(data: Dataset) -> Sequence[Block]:
    """The blocks held out before, as long as they are what is measured on: none once a labelled group is held out."""
    return () if data.known_classes(Part.HELD_OUT) else tuple(_in_one_place(data.blocks()))


def _in_one_place(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that lie where the first of their image does.

    Projects made before blocks held out their place in all planes have others too, which together might cover all that
    is labelled of an image: they train from now on.
    """
    first: dict[int, tuple[int, int]] = {}
    return [b for b in blocks if first.setdefault(b.image, (b.x, b.y)) == (b.x, b.y)]


def _blocks_in(planes: Sequence[_Labelled], rect: Rect) -> list[Block]:
    """A rectangle as a block of each of some planes that has pixels fit for measuring in it."""
    blocks: list[Block] = []
    for entry, cells in planes:
        part = rect.intersected(entry.bounds)
        if not part.empty and (_weights(cells, CELL, part, entry.bounds) @ cells.truth).any():
            blocks.append(Block(entry.image, entry.plane, part.x, part.y, part.w, part.h))
    return blocks


def margin_within(entry: PlaneEntry, margin_px: int) -> int:
    """The margin around the blocks of a plane: at most an eighth of its shorter side, so that small ones train too."""
    return min(margin_px, min(entry.width, entry.height) // _MARGIN_SHARE)


def by_image(blocks: Sequence[Block]) -> Mapping[int, list[Rect]]:
    """What is kept from training in every plane of an image: the blocks of all its planes, each place once."""
    found: defaultdict[int, dict[Rect, None]] = defaultdict(dict)
    for b in blocks:
        found[b.image][Rect(b.x, b.y, b.w, b.h)] = None
    return {image: list(rects) for image, rects in found.items()}


def by_plane(blocks: Sequence[Block]) -> dict[tuple[int, int], list[Rect]]:
    """What is measured: blocks by image and plane."""
    found: dict[tuple[int, int], list[Rect]] = {}
    for b in blocks:
        found.setdefault((b.image, b.plane), []).append(Rect(b.x, b.y, b.w, b.h))
    return found


def free_cells(cells: Cells, rects: Sequence[Rect], margin_px: int) -> NDArray[np.bool_]:
    """The cells that no block and no margin touches; if there are none, those that are not fully covered: a small image
    may have a block from an earlier run.
    """
    grown = [rect.grown(margin_px) for rect in rects]
    free = ~np.any([_cells_in(cells, rect) for rect in grown], 0)
    return free if free.any() else ~np.any([_cells_within(cells, rect) for rect in grown], 0)


def rects_of(blocks: Sequence[Block], entry: PlaneEntry) -> list[Rect]:
    """What is kept from training in one plane: the blocks of all planes of its image."""
    return by_image([b for b in blocks if b.image == entry.image]).get(entry.image, [])


def excluded(rects: Sequence[Rect], margin_px: int, rect: Rect) -> NDArray[np.bool_] | None:
    """The pixels (h, w) of a rectangle that lie in a block or its margin; None if there are none."""
    return inside_blocks([r.grown(margin_px) for r in rects], rect)


def inside_blocks(rects: Sequence[Rect], rect: Rect) -> NDArray[np.bool_] | None:
    """The pixels (h, w) of a rectangle that lie in one of the others; None where none does."""
    mask = None
    for other in rects:
        part = rect.intersected(other)
        if not part.empty:
            mask = np.zeros((rect.h, rect.w), np.bool_) if mask is None else mask
            mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x] = True
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A rectangle that may be held out: its pixels fit for measuring, and those of the cells it touches, by class."""

    rect: Rect
    held: NDArray[np.float64]
    lost: NDArray[np.int64]


def _block_of(
    planes: Sequence[_Labelled], margin_px: int, spare: NDArray[np.float64], most_lost: float
) -> _Found | None:
    """The best rectangle of an image, of which these planes are labelled: with the most classes, then with the best
    share of each for the least loss.

    `spare` is how many known pixels each class may lose, `most_lost` the share that the image may lose; with 1, up to
    half of its area. None if it would hold only a few pixels: figures of those mean nothing.
    """
    entry, cells = _laid_together(planes)
    most_px = _MEASURED_PX * len(planes)
    if not cells.truth.any():
        return None
    margin_px = margin_within(entry, margin_px)
    cells, unit = _coarse(cells)
    known, truth = cells.known.sum(0), cells.truth.sum(0)
    shown, least = int(np.count_nonzero(truth)), min(truth.sum() * _LEAST_SHARE, most_px / 4)
    best, best_rank = None, (0, -np.inf, b"")
    for anchors in (_CORNERS, _ANCHORS):
        for rect in _rects(cells, unit, entry.bounds, anchors):
            outer = rect.grown(margin_px).intersected(entry.bounds)
            if min(rect.w, rect.h) < _LEAST_PX:
                continue
            if most_lost >= 1 and outer.area > entry.bounds.area * _LOST_AREA:
                continue
            inside, gone = (_weights(cells, unit, part, entry.bounds) for part in (rect, outer))
            # No patch is drawn around a cell that the margin touches, so a class must also remain in the others.
            found = _Found(rect, inside @ cells.truth, (gone > 0) @ cells.known)
            share = float(gone @ cells.known.sum(1)) / known.sum()
            if share > most_lost or (found.lost > np.maximum(spare, 0)).any():
                continue
            if not least <= found.held.sum() <= max(most_px, unit * unit * len(planes)):
                continue
            held = np.minimum(found.held[truth > 0] / truth[truth > 0], _SHARE) / _SHARE
            rank = (int(np.count_nonzero(held)), float(held.mean() - share), _hash(entry, rect))
            if rank > best_rank:
                best, best_rank = found, rank
        if best_rank[0] == shown:
            break
    return best


def _laid_together(planes: Sequence[_Labelled]) -> _Labelled:
    """The planes of an image as one, which is as large as the largest and has the pixels of all."""
    (entry, cells), *more = planes
    if not more:
        return entry, cells
    entries, every = zip(*planes, strict=True)
    entry = replace(entry, width=max(e.width for e in entries), height=max(e.height for e in entries))
    y, x, known, truth = (
        np.concatenate(counts) for counts in zip(*((c.y, c.x, c.known, c.truth) for c in every), strict=True)
    )
    return entry, _added(y, x, known, truth)


def _added(y: NDArray[np.int64], x: NDArray[np.int64], known: NDArray[np.int64], truth: NDArray[np.int64]) -> Cells:
    """The counts of cells, those of one place added up."""
    width = int(x.max()) + 1
    place, at = np.unique(y * width + x, return_inverse=True)
    all_known, all_truth = (np.zeros((len(place), counts.shape[1]), np.int64) for counts in (known, truth))
    np.add.at(all_known, at, known)
    np.add.at(all_truth, at, truth)
    return Cells(place // width, place % width, all_known, all_truth, np.zeros(len(place), np.int64))


def _coarse(cells: Cells) -> tuple[Cells, int]:
    """The cells of a plane, joined by fours until they are few, and their side in pixels."""
    unit = CELL
    while len(cells.y) > _MOST_CELLS:
        cells, unit = _added(cells.y // 2, cells.x // 2, cells.known, cells.truth), unit * 2
    return cells, unit


def _rects(cells: Cells, unit: int, bounds: Rect, anchors: Sequence[float]) -> Iterator[Rect]:
    """Rectangles of several sizes within what is fit for measuring, in its corners or also between them."""
    fit = cells.truth.any(1)
    y, x = cells.y[fit], cells.x[fit]
    rows, columns = int(y.max() - y.min()) + 1, int(x.max() - x.min()) + 1
    seen: set[tuple[int, int, int, int]] = set()
    for size in _SIZES.tolist():
        h, w = max(round(rows * size), 1), max(round(columns * size), 1)
        for down, across, wide in product(anchors, anchors, {w, min(w + 1, columns)}):
            top, left = int(y.min()) + round((rows - h) * down), int(x.min()) + round((columns - wide) * across)
            if (top, left, h, wide) not in seen:
                seen.add((top, left, h, wide))
                yield Rect(left * unit, top * unit, wide * unit, h * unit).intersected(bounds)


def _weights(cells: Cells, unit: int, rect: Rect, bounds: Rect) -> NDArray[np.float64]:
    """Which share of each cell a rectangle covers; cells end with the plane."""
    y, x = cells.y * unit, cells.x * unit
    below, right = np.minimum(y + unit, bounds.bottom), np.minimum(x + unit, bounds.right)
    down = np.clip(np.minimum(below, rect.bottom) - np.maximum(y, rect.y), 0, None)
    across = np.clip(np.minimum(right, rect.right) - np.maximum(x, rect.x), 0, None)
    return (down * across) / ((below - y) * (right - x))


def _cells_in(cells: Cells, rect: Rect) -> NDArray[np.bool_]:
    """Cells that a rectangle touches."""
    y, x = cells.y * CELL, cells.x * CELL
    return (y + CELL > rect.y) & (y < rect.bottom) & (x + CELL > rect.x) & (x < rect.right)


def _cells_within(cells: Cells, rect: Rect) -> NDArray[np.bool_]:
    """Cells that a rectangle covers fully."""
    y, x = cells.y * CELL, cells.x * CELL
    return (y >= rect.y) & (y + CELL <= rect.bottom) & (x >= rect.x) & (x + CELL <= rect.right)


def _hash(entry: PlaneEntry, rect: Rect) -> bytes:
    return hashlib.sha256(f"{entry.path}:{entry.plane}:{rect}".encode()).digest()

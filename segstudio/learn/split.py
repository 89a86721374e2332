"""Held-out blocks inside images, for projects with too few groups to hold one out. Pure functions of the facts.

A block once held out remains so: those of earlier runs are given, and only planes without one get new ones.
"""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import Part, PlaneEntry
from segstudio.learn.facts import CELL, Cells, Facts
from segstudio.runs import Block

__all__ = ["by_plane", "choose_blocks", "excluded", "free_cells", "inside_blocks", "margin_within", "rects_of"]

_SIDES = (128, 64, 32)
_SHARE = 0.15
_KEPT = 0.4
_KEPT_OF_PLANE = 0.5
_LEAST_SHARE = 0.05
_MARGIN_SHARE = 8


def choose_blocks(
    facts: Facts, previous: Sequence[Block], margin_px: int, trained: Collection[str] = ()
) -> tuple[Block, ...]:
    """The previous blocks and, on training planes without any, new ones of some 15 % of the known pixels.

    A group of `trained`, which some version has learned from as a whole, gets none: it would no longer be held out.
    No class loses more than 60 % of its known training pixels to blocks and their margins, and no plane more than half.
    A plane too small for that gets none. If all of several planes are, so that nothing could be measured, a plane may
    lose as many of its strokes as the classes allow, from up to half of its area, and the others train.
    """
    blocks = list(previous)
    before = by_plane(previous)
    known = facts.known_on(Part.TRAIN).astype(np.float64)
    kept = known.copy()
    for place, entry in enumerate(facts.planes):
        rects = before.get((entry.image, entry.plane))
        if entry.part is Part.TRAIN and rects:
            cells = facts.cells[place]
            kept -= cells.known[~free_cells(cells, rects, margin_within(entry, margin_px))].sum(0)
    new = [
        (entry, facts.cells[place])
        for place, entry in enumerate(facts.planes)
        if entry.part is Part.TRAIN and entry.group not in trained and (entry.image, entry.plane) not in before
    ]
    for kept_of_plane in (_KEPT_OF_PLANE, 0.0):
        for entry, cells in new:
            found, kept = _blocks_of(entry, cells, margin_px, kept, known * _KEPT, kept_of_plane)
            blocks += found
        if blocks or len(new) < 2:
            break
    return tuple(blocks)


def margin_within(entry: PlaneEntry, margin_px: int) -> int:
    """The margin around the blocks of a plane: at most an eighth of its shorter side, so that small ones train too."""
    return min(margin_px, min(entry.width, entry.height) // _MARGIN_SHARE)


def by_plane(blocks: Sequence[Block]) -> dict[tuple[int, int], list[Rect]]:
    """Blocks by image and plane."""
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
    """The blocks of one plane."""
    return [Rect(b.x, b.y, b.w, b.h) for b in blocks if (b.image, b.plane) == (entry.image, entry.plane)]


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


def _blocks_of(
    entry: PlaneEntry,
    cells: Cells,
    margin_px: int,
    kept: NDArray[np.float64],
    allowed: NDArray[np.float64],
    kept_of_plane: float,
) -> tuple[list[Block], NDArray[np.float64]]:
    """Neighbouring blocks of one plane, starting where most classes meet, and what is left to train on by class. None
    if they would hold only a few pixels: figures of those mean nothing.
    """
    margin_px = margin_within(entry, margin_px)
    before, most = kept, cells.known.sum() * (1 - kept_of_plane)
    side = next((s for s in _SIDES if len(_sums(cells, s)) >= 8), _SIDES[-1])
    sums = _sums(cells, side)
    wanted = cells.truth.sum() * _SHARE
    order = sorted(sums, key=lambda key: (-int((sums[key] > 0).sum()), _hash(entry, side, *key)))
    chosen: dict[tuple[int, int], None] = {}
    gone = np.zeros(len(cells.y), np.bool_)
    held = 0.0
    while held < wanted:
        near = [key for key in order if key not in chosen and _touches(key, chosen)]
        key = next((k for k in near or order if k not in chosen), None)
        if key is None:
            break
        order.remove(key)
        lost = gone | _cells_in(cells, _rect(key, side).grown(margin_px))
        if (
            not kept_of_plane
            and _area(entry, [*chosen, key], side, margin_px) > entry.width * entry.height * _KEPT_OF_PLANE
        ):
            continue
        if (kept - cells.known[lost & ~gone].sum(0) < allowed).any() or cells.known[lost].sum() > most:
            continue
        kept, gone = kept - cells.known[lost & ~gone].sum(0), lost
        chosen[key] = None
        held += float(sums[key].sum())
    if held < cells.truth.sum() * _LEAST_SHARE:
        return [], before
    rects = [_rect(key, side).intersected(entry.bounds) for key in chosen]
    return [Block(entry.image, entry.plane, r.x, r.y, r.w, r.h) for r in rects], kept


def _sums(cells: Cells, side: int) -> dict[tuple[int, int], NDArray[np.int64]]:
    """Pixels fit for measuring by block (row, column) and class; blocks without any are left out."""
    factor = side // CELL
    sums: dict[tuple[int, int], NDArray[np.int64]] = {}
    for y, x, counts in zip(cells.y // factor, cells.x // factor, cells.truth, strict=True):
        if counts.any():
            key = (int(y), int(x))
            sums[key] = sums[key] + counts if key in sums else counts
    return sums


def _rect(key: tuple[int, int], side: int) -> Rect:
    return Rect(key[1] * side, key[0] * side, side, side)


def _area(entry: PlaneEntry, keys: Sequence[tuple[int, int]], side: int, margin_px: int) -> int:
    """Pixels of a plane that blocks and their margins cover, those of two counted twice."""
    parts = [_rect(key, side).grown(margin_px).intersected(entry.bounds) for key in keys]
    return sum(part.w * part.h for part in parts)


def _touches(key: tuple[int, int], chosen: dict[tuple[int, int], None]) -> bool:
    return any(abs(key[0] - y) + abs(key[1] - x) == 1 for y, x in chosen)


def _cells_in(cells: Cells, rect: Rect) -> NDArray[np.bool_]:
    """Cells that a rectangle touches."""
    y, x = cells.y * CELL, cells.x * CELL
    return (y + CELL > rect.y) & (y < rect.bottom) & (x + CELL > rect.x) & (x < rect.right)


def _cells_within(cells: Cells, rect: Rect) -> NDArray[np.bool_]:
    """Cells that a rectangle covers fully."""
    y, x = cells.y * CELL, cells.x * CELL
    return (y >= rect.y) & (y + CELL <= rect.bottom) & (x >= rect.x) & (x + CELL <= rect.right)


def _hash(entry: PlaneEntry, side: int, y: int, x: int) -> bytes:
    return hashlib.sha256(f"{entry.path}:{entry.plane}:{side}:{y}:{x}".encode()).digest()

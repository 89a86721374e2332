"""Specks: 8-connected parts of objects that are smaller than a number of pixels, in planes of any size.

A plane is looked at block by block, three times: to join parts over the borders of blocks, to count their pixels, and
to say where the small ones are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.components import Components, TiledComponents
from segstudio.labels.paint.objects.extent import ids_in
from segstudio.labels.paint.objects.parts import Report, changed_tile, whole
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import writable_copy

__all__ = ["Specks", "find_specks", "speck_steps", "without_specks"]

_BLOCK = 8 * TILE
_PASSES = 3

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Specks:
    """What was found in all planes of an image: how many, their pixels, the tiles they lie in.

    `boxes` are those of one plane, the first `most` of them.
    """

    below: int
    number: int
    pixels: int
    tiles: int
    boxes: tuple[Rect, ...] = ()


def _ignore(_tiles: int) -> None:
    """The step of a caller that does not count them."""


def find_specks(
    document: Document,
    changeable: NDArray[np.bool_],
    below: int,
    plane: int,
    most: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Specks:
    """The specks of fewer than `below` pixels; `changeable` says by id of which objects. Cancelled: what it has."""
    count, pixels, tiles = 0, 0, 0
    boxes: dict[int, Rect] = {}
    for each in range(len(document.raster.sizes)):
        names: set[int] = set()
        for block in _blocks(document, each, changeable, below):
            if cancelled():
                break
            if block is None:
                continue
            names.update(block.found.names[block.small].tolist())
            where = block.small[block.found.labels]
            pixels += int(np.count_nonzero(where))
            tiles += sum(bool(_part(where, block.rect, *place).any()) for place in tiles_of(block.rect))
            if each == plane and len(boxes) < most:
                _add_boxes(boxes, block)
        count += len(names)
    return Specks(below, count, pixels, tiles, tuple(list(boxes.values())[:most]))


def without_specks(
    document: Document, changeable: NDArray[np.bool_], below: int, report: Report, step: Step = _ignore
) -> Iterator[Part]:
    """Specks of fewer than `below` pixels become unknown in all planes; `step` is told how many tiles are done."""
    yield from whole(document, _erased(document, changeable, below, report, step))


def speck_steps(document: Document) -> int:
    """How many tiles `without_specks` tells of."""
    return _PASSES * sum(1 for plane in range(len(document.raster.sizes)) for _key in document.raster.keys(plane))


def _erased(
    document: Document, changeable: NDArray[np.bool_], below: int, report: Report, step: Step
) -> Iterator[Part]:
    for plane in range(len(document.raster.sizes)):
        names: set[int] = set()
        for block in _blocks(document, plane, changeable, below, step):
            if block is None:
                continue
            names.update(block.found.names[block.small].tolist())
            where = block.small[block.found.labels]
            report.pixels += int(np.count_nonzero(where))
            for place in tiles_of(block.rect):
                mask = _part(where, block.rect, *place)
                if mask.any():
                    key = (plane, *place)
                    before = document.raster.glance(key)
                    ids, origins = writable_copy(before)
                    ids[: mask.shape[0], : mask.shape[1]][mask] = 0
                    origins[: mask.shape[0], : mask.shape[1]][mask] = 0
                    yield from changed_tile(key, before, ids, origins)
        report.number += len(names)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block that has specks: `small` says by number of a part whether it is one."""

    rect: Rect
    found: Components
    small: NDArray[np.bool_]


def _blocks(
    document: Document, plane: int, changeable: NDArray[np.bool_], below: int, step: Step = _ignore
) -> Iterator[_Block | None]:
    """The blocks of a plane, None for one without specks, or that is only looked at."""
    raster, bounds = document.raster, document.raster.bounds(plane)
    rects = [
        Rect(x, y, _BLOCK, _BLOCK).intersected(bounds)
        for y in range(0, bounds.h, _BLOCK)
        for x in range(0, bounds.w, _BLOCK)
    ]
    parts, sizes = TiledComponents(bounds.w), dict[int, int]()

    def ids_of(rect: Rect) -> NDArray[np.uint32]:
        step(sum(1 for _ in tiles_of(rect)))
        ids = ids_in(raster, plane, rect)
        return np.where(changeable[ids], ids, np.uint32(0)) if ids.any() else ids

    for rect in rects:
        parts.add(rect, ids_of(rect))
        yield None
    parts.begin_again()
    for rect in rects:
        found = parts.of(rect, ids_of(rect))
        pixels = np.bincount(found.labels.reshape(-1), minlength=len(found.names))
        for name, more in zip(found.names[1:].tolist(), pixels[1:].tolist(), strict=True):
            sizes[name] = sizes.get(name, 0) + more
        yield None
    parts.begin_again()
    for rect in rects:
        found = parts.of(rect, ids_of(rect))
        small = np.array([bool(name) and sizes[name] < below for name in found.names.tolist()], np.bool_)
        yield _Block(rect, found, small) if small.any() else None


def _add_boxes(boxes: dict[int, Rect], block: _Block) -> None:
    numbers = np.where(block.small, np.arange(len(block.small), dtype=np.int32), np.int32(0))
    for number, box in boxes_of(numbers[block.found.labels]).items():
        name, moved = int(block.found.names[number]), box.moved(block.rect.x, block.rect.y)
        boxes[name] = boxes[name].united(moved) if name in boxes else moved


def _part(mask: NDArray[np.bool_], rect: Rect, ty: int, tx: int) -> NDArray[np.bool_]:
    """What a mask of a block says of one of its tiles."""
    part = tile_rect(ty, tx).intersected(rect)
    return mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]

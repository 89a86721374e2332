"""Objects cut in two by a line, and objects of several parts made several objects."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.components import mask_parts
from segstudio.labels.paint.nearest import nearest_set
from segstudio.labels.paint.objects.extent import crop_of, extents
from segstudio.labels.paint.objects.parts import NewObjects, Painted, Report, painted, whole
from segstudio.labels.paint.stroke import Point
from segstudio.labels.tiles.streamed import Part

__all__ = ["crossed", "cut", "line_mask", "separated", "split"]

Mask = NDArray[np.bool_]


def line_mask(line: Sequence[Point], rect: Rect) -> Mask:
    """The pixels (h, w) of a rectangle that a line through points (image coordinates) passes through.

    They hang together by their sides, so that what lies on either side does not touch, not even at a corner.
    """
    mask = np.zeros((rect.h, rect.w), np.bool_)
    for (ax, ay), (bx, by) in zip(line, [*line[1:], line[-1]], strict=True):
        top, bottom = min(ay, by), max(ay, by)
        rows = np.arange(max(int(np.floor(top)), rect.y), min(int(np.floor(bottom)) + 1, rect.bottom))
        if by == ay:
            first, last = np.full(len(rows), min(ax, bx)), np.full(len(rows), max(ax, bx))
        else:
            ends = [ax + (bx - ax) * (np.clip(rows + step, top, bottom) - ay) / (by - ay) for step in (0, 1)]
            first, last = np.minimum(*ends), np.maximum(*ends)
        left = np.clip(np.floor(first), rect.x, rect.right).astype(np.int64) - rect.x
        right = np.clip(np.floor(last) + 1, rect.x, rect.right).astype(np.int64) - rect.x
        for row, start, stop in zip((rows - rect.y).tolist(), left.tolist(), right.tolist(), strict=True):
            mask[row, start:stop] = True
    return mask


def crossed(document: Document, plane: int, line: Sequence[Point]) -> set[int]:
    """The objects that have a pixel on a line."""
    bounds = document.raster.bounds(plane)
    found: set[int] = set()
    for a, b in zip(line, [*line[1:], line[-1]], strict=True):
        rect = Rect.of_edges(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
        for piece in _bands(rect.grown(1).intersected(bounds)):
            ids = document.raster.read(plane, piece)[0]
            found.update(np.unique(ids[line_mask((a, b), piece)]).tolist())
    return found - {0}


def _bands(rect: Rect) -> Iterator[Rect]:
    """A rectangle in pieces that can be read at once."""
    side = 1024
    for y in range(rect.y, rect.bottom, side):
        for x in range(rect.x, rect.right, side):
            yield Rect(x, y, side, side).intersected(rect)


def cut(mask: Mask, on_line: Mask) -> NDArray[np.int32]:
    """The pieces (h, w) that a line cuts the 8-connected parts of a mask into, numbered from 1, the largest first.

    A pixel on the line goes to the nearest piece of its part (by pixel centres; of equally near ones to the larger). A
    part that the line does not cut is no piece: it is 0, as what is not in the mask.
    """
    parts, _count = mask_parts(mask)
    numbers, count = mask_parts(mask & ~on_line)
    owner = np.zeros(count + 1, np.int64)
    owner[numbers] = parts
    owner[0] = 0
    sizes, boxes = np.bincount(numbers.reshape(-1), minlength=count + 1), boxes_of(numbers)
    pieces = np.zeros(mask.shape, np.int32)
    for part in np.flatnonzero(np.bincount(owner[1:]) > 1).tolist():
        members = [n for n in np.argsort(-sizes, kind="stable").tolist() if owner[n] == part]
        pieces[np.isin(numbers, members)] = numbers[np.isin(numbers, members)]
        points = np.argwhere((parts == part) & on_line)
        nearest = nearest_set(points, [_edge_pixels(numbers, n, boxes[n]) for n in members])
        pieces[tuple(points.T)] = np.array(members, np.int32)[nearest]
    return _ranked(pieces)


def _ranked(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Numbers by size, the largest 1; of equal ones the lower number first."""
    sizes = np.bincount(pieces.reshape(-1))
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    rank = np.zeros(len(sizes), np.int32)
    kept = order[sizes[order] > 0]
    rank[kept] = np.arange(1, len(kept) + 1)
    return rank[pieces]


def split(
    document: Document, plane: int, ids: Iterable[ObjectId], line: Sequence[Point], report: Report
) -> Iterator[Part]:
    """Objects cut along a line: the largest piece and what the line leaves whole keep the id, others are new objects.

    `report.number` is how many objects are cut. Raises `UserError` for an object that is too large.
    """
    made = NewObjects(document)
    layers: list[Painted] = []
    for object_id, box in extents(document.raster, plane, list(ids), len(document.class_lookup())).items():
        crop = crop_of(document.raster, plane, object_id, box)
        pieces = cut(crop.mask, line_mask(line, crop.rect))
        if pieces.any():
            report.number += 1
            report.selects.add(ObjectId(object_id))
            layers += _as_objects(document, ObjectId(object_id), crop.rect, pieces, made)
    yield from _made(document, plane, made, layers, report)


def separated(document: Document, plane: int, ids: Iterable[ObjectId], report: Report) -> Iterator[Part]:
    """Each 8-connected part of these objects an object of its own; the largest keeps the id.

    `report.number` is how many objects had several parts. Raises `UserError` for an object that is too large.
    """
    made = NewObjects(document)
    layers: list[Painted] = []
    for object_id, box in extents(document.raster, plane, list(ids), len(document.class_lookup())).items():
        crop = crop_of(document.raster, plane, object_id, box)
        numbers, count = mask_parts(crop.mask)
        if count < 2:
            continue
        report.number += 1
        report.selects.add(ObjectId(object_id))
        layers += _as_objects(document, ObjectId(object_id), crop.rect, _ranked(numbers), made)
    yield from _made(document, plane, made, layers, report)


def _as_objects(
    document: Document, object_id: ObjectId, rect: Rect, pieces: NDArray[np.int32], made: NewObjects
) -> Iterator[Painted]:
    """Each numbered piece but the first as a new object of the same class."""
    for number, box in boxes_of(pieces).items():
        if number > 1:
            mask = pieces[box.y : box.bottom, box.x : box.right] == number
            yield Painted(box.moved(rect.x, rect.y), mask, made.make(document.objects[object_id]))


def _made(document: Document, plane: int, made: NewObjects, layers: list[Painted], report: Report) -> Iterator[Part]:
    report.selects.update(made.ids)
    report.pixels += sum(int(np.count_nonzero(layer.mask)) for layer in layers)
    yield from made.take_rows()
    yield from whole(document, painted(document, plane, layers))


def _edge_pixels(numbers: NDArray[np.int32], number: int, box: Rect) -> NDArray[np.integer[Any]]:
    """The pixels (n, 2) of a piece with a neighbour outside: its nearest to one outside is among them."""
    piece = numbers[box.y : box.bottom, box.x : box.right] == number
    padded = np.pad(piece, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.add(np.argwhere(piece & ~inner), (box.y, box.x))

"""Labels interpolated between planes: each object goes linearly from one plane in which somebody labelled it to the
next; it keeps its id, and only what is unlabelled is filled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassTable, Origin
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.objects.extent import crop_of, ids_in
from segstudio.labels.paint.objects.parts import Painted, Report, painted, whole
from segstudio.labels.paint.objects.rights import changeable
from segstudio.labels.paint.planes.shape_between import edge_distances
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import Constant, expanded

__all__ = ["Span", "interpolated", "spans_of", "steps_of_interpolation"]

Step = Callable[[int], None]
Distances = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """An object that is labelled in planes `first` and `last` and in none between; in both it lies within `rect`."""

    object_id: int
    first: int
    last: int
    rect: Rect


def steps_of_interpolation(document: Document) -> int:
    """How many planes `interpolated` tells its step of."""
    return 2 * len(document.raster.sizes)


def spans_of(document: Document, run: int = 0, step: Step = lambda _planes: None) -> list[Span]:
    """Every object between two planes in which it is labelled.

    A plane counts for an object where a pixel of it was not computed, so that what was interpolated before ends no
    span; and a plane without an unlabelled pixel ends those of all objects that are not in it. Spans end at multiples
    of `run` planes (0 = never): the next point in time begins there. `step` is told of each plane.
    """
    raster, spans = document.raster, list[Span]()
    seen: dict[int, tuple[int, Rect]] = {}
    for plane in range(len(raster.sizes)):
        step(1)
        if run and plane % run == 0:
            seen.clear()
        if not raster.held(plane):
            continue
        boxes, full = _labelled(raster, plane)
        if full:
            seen = {id_: place for id_, place in seen.items() if id_ in boxes}
        for id_, box in boxes.items():
            first, rect = seen.get(id_, (plane, box))
            if plane - first > 1:
                spans.append(Span(id_, first, plane, rect.united(box)))
            seen[id_] = plane, box
    return spans


def interpolated(
    document: Document,
    classes: ClassTable,
    report: Report,
    *,
    run: int = 0,
    around: int | None = None,
    step: Step = lambda _planes: None,
) -> Iterator[Part]:
    """Fill what is unlabelled between the planes of each object that is not locked; all spans, or those around a plane.

    Where shapes of several objects meet, a pixel is that of which it lies deepest inside. `report.number` are the
    planes filled, `report.left` the objects passed over because they are locked. Raises `UserError` for an object that
    is too large.
    """
    raster, may = document.raster, changeable(document, classes)
    spans = [span for span in spans_of(document, run, step) if around is None or span.first < around < span.last]
    report.left = len({span.object_id for span in spans if not may[span.object_id]})
    spans = [span for span in spans if may[span.object_id] and _same_size(raster, span)]
    yield from whole(document, _filled(document, spans, report, step))


def _filled(document: Document, spans: list[Span], report: Report, step: Step) -> Iterator[Part]:
    raster = document.raster
    ends: dict[Span, tuple[Distances, Distances]] = {}
    for plane in range(len(raster.sizes)):
        step(1)
        here = [span for span in spans if span.first < plane < span.last]
        ends = {span: ends.get(span) or _ends(raster, span) for span in here}
        if not here:
            continue
        layers = _layers(raster, plane, ends)
        found = sum(int(np.count_nonzero(layer.mask)) for layer in layers)
        report.pixels += found
        report.number += found > 0
        yield from painted(document, plane, layers)


def _ends(raster: Raster, span: Span) -> tuple[Distances, Distances]:
    """The distances from the object's edge in both planes, over its rectangle grown by a pixel within the image."""
    first, last = (crop_of(raster, plane, span.object_id, span.rect, 1) for plane in (span.first, span.last))
    return edge_distances(first.mask), edge_distances(last.mask)


def _around(raster: Raster, span: Span) -> Rect:
    return span.rect.grown(1).intersected(raster.bounds(span.first))


def _layers(raster: Raster, plane: int, ends: dict[Span, tuple[Distances, Distances]]) -> list[Painted]:
    """What each object gets in a plane: of its unlabelled pixels those that lie deepest inside of it."""
    area = _around(raster, next(iter(ends)))
    for span in ends:
        area = area.united(_around(raster, span))
    depth = np.zeros((area.h, area.w), np.float32)
    owner = np.zeros((area.h, area.w), np.uint32)
    for span, (first, last) in ends.items():
        rect = _around(raster, span)
        fraction = np.float32((plane - span.first) / (span.last - span.first))
        mixed = (1 - fraction) * first + fraction * last
        part = np.s_[rect.y - area.y : rect.bottom - area.y, rect.x - area.x : rect.right - area.x]
        deeper = mixed > depth[part]
        depth[part][deeper] = mixed[deeper]
        owner[part][deeper] = span.object_id
    owner[ids_in(raster, plane, area) != 0] = 0
    return [
        Painted(box.moved(area.x, area.y), owner[box.y : box.bottom, box.x : box.right] == id_, id_, Origin.COMPUTED)
        for id_, box in boxes_of(owner).items()
    ]


def _same_size(raster: Raster, span: Span) -> bool:
    return len({raster.sizes[plane] for plane in range(span.first, span.last + 1)}) == 1


def _labelled(raster: Raster, plane: int) -> tuple[dict[int, Rect], bool]:
    """The box of each object that somebody labelled in a plane, and whether no pixel of the plane is unlabelled."""
    boxes: dict[int, Rect] = {}
    by_hand: set[int] = set()
    keys = raster.held(plane)
    full = len(keys) == sum(1 for _key in raster.keys(plane))
    for key in keys:
        rect, ids, origins = _tile(raster, key)
        full = full and bool(ids.all())
        by_hand.update(np.unique(ids[origins != Origin.COMPUTED]).tolist())
        for id_, box in boxes_of(ids).items():
            moved = box.moved(rect.x, rect.y)
            boxes[id_] = boxes[id_].united(moved) if id_ in boxes else moved
    return {id_: box for id_, box in boxes.items() if id_ in by_hand}, full


def _tile(raster: Raster, key: TileKey) -> tuple[Rect, NDArray[np.uint32], NDArray[np.uint8]]:
    """A tile as far as it lies within its plane."""
    rect = tile_rect(*key[1:]).intersected(raster.bounds(key[0]))
    tile = raster.glance(key)
    if isinstance(tile, Constant):
        return rect, np.full((rect.h, rect.w), tile.id, np.uint32), np.full((rect.h, rect.w), tile.origin, np.uint8)
    ids, origins = expanded(tile)
    return rect, ids[: rect.h, : rect.w], origins[: rect.h, : rect.w]

"""Probable mistakes: whether the labels are still those that were doubted, and what makes them what they look like."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.lint.rims import rim
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId, Origin
from segstudio.labels.paint.components import mask_parts
from segstudio.labels.paint.objects.extent import ids_in, tiles_with
from segstudio.labels.paint.objects.parts import NewObjects, Painted, Report, painted
from segstudio.labels.paint.policy import effective_lookup, locked_lookup
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import expanded

__all__ = ["accepted", "mistake", "still_doubted"]

Mask = NDArray[np.bool_]
Ids = NDArray[np.uint32]
_Place = tuple[LabelClass, Rect, Ids, Mask]

_FARTHEST_PX = 2048
"""A mistake that is larger is not looked around: what is read grows with the square."""


def mistake(image: ImageId, plane: int, rect: Rect, mask: Mask, labelled: ClassId, said: ClassId) -> Finding:
    """The finding that the pixels of a mask (h, w) over `rect` are labelled with one class and look like another."""
    pixels, bits = int(np.count_nonzero(mask)), np.packbits(mask).tobytes()
    return Finding(LintKind.MISTAKE, image, plane, labelled, None, rect, pixels, said, bits)


def still_doubted(document: Document, classes: ClassTable, found: Finding) -> bool:
    """Whether all its pixels still have the class that was doubted, and the class that they look like is in use."""
    return _place(document, classes, found, effective_lookup(document, classes)) is not None


def accepted(
    document: Document, classes: ClassTable, findings: Sequence[Finding], report: Report, step: Callable[[int], None]
) -> Iterator[Part]:
    """The parts that give the pixels of mistakes the class that they look like.

    An instance most of which is doubted, of an instance class that looks like another one, becomes of that class as it
    is, with its id. Other pixels go to the one object of the class, or, of an instance class, to the object of it with
    which they share most edges, else to a new one. Of a class that has one object an image, a connected part of which
    at least three quarters are doubted goes whole: its rim would stay behind as crumbs. `report.left` counts those that
    are locked, or have changed.
    """
    new = NewObjects(document)
    accepting = _Accepting(document, classes, new)
    layers: list[list[Painted]] = [[] for _size in document.raster.sizes]
    rows: list[RowChange] = []
    for found in findings:
        step(0)
        if pixels := accepting.add(found, layers, rows):
            report.number += 1
            report.pixels += pixels
        else:
            report.left += 1
    yield from (*rows, *new.take_rows())
    for plane, here in enumerate(layers):
        yield from painted(document, plane, here)


class _Accepting:
    """Takes one mistake after the other, over the document as it was before all of them."""

    def __init__(self, document: Document, classes: ClassTable, new: NewObjects) -> None:
        self._document, self._classes, self._new = document, classes, new
        self._owner, self._locked = effective_lookup(document, classes), locked_lookup(document, classes)
        self._made: dict[ClassId, ObjectId] = {}

    def add(self, found: Finding, layers: list[list[Painted]], rows: list[RowChange]) -> int:
        """How many pixels accepting a mistake paints, and what it changes; 0, and nothing, where it is locked or has
        changed.
        """
        place = _place(self._document, self._classes, found, self._owner)
        if place is None:
            return 0
        target, wide, ids, mask = self._with_rims(found, place)
        if target.locked or self._locked[ids[mask]].any():
            return 0
        whole = self._mostly_in(ids[mask], target)
        rest = mask & ~np.isin(ids, whole)
        into = self._into(target, ids, rest, whole) if rest.any() else None
        if into is not None and into < len(self._locked) and self._locked[into]:
            return 0
        objects = self._document.objects
        rows += [
            RowChange(Table.OBJECTS, id_, {"class_id": objects[id_]}, {"class_id": target.id})
            for id_ in whole
            if objects[id_] != target.id
        ]
        here = layers[found.plane or 0]
        here += [Painted(wide, mask & (ids == id_), id_, Origin.PAINTED) for id_ in whole]
        if into is not None:
            here.append(Painted(wide, rest, into, Origin.PAINTED))
        return int(np.count_nonzero(mask))

    def _with_rims(self, found: Finding, place: "_Place") -> "_Place":
        """With the rest of each connected part of which at least three quarters are doubted, where the class before has
        one object an image; a part that reaches far beyond the mistake is none of them.
        """
        target, wide, ids, mask = place
        before = self._classes.effective(ClassId(int(self._owner[ids[mask][0]])))
        reach = max(wide.w, wide.h)
        if before is None or before.kind is Kind.INSTANCE or reach > _FARTHEST_PX:
            return place
        plane = found.plane or 0
        bounds = self._document.raster.bounds(plane)
        around = wide.grown(reach).intersected(bounds)
        all_ids = ids_in(self._document.raster, plane, around)
        doubted = np.zeros(all_ids.shape, np.bool_)
        y, x = wide.y - around.y, wide.x - around.x
        doubted[y : y + wide.h, x : x + wide.w] = mask
        numbers, count = mask_parts((self._owner[all_ids] == before.id) & ~self._locked[all_ids])
        inside, every = (np.bincount(one, minlength=count + 1) for one in (numbers[doubted], numbers.ravel()))
        goes = (inside > 0) & (4 * inside >= 3 * every)
        goes[0] = False
        goes[_cut_off(numbers, around, bounds)] = False
        return target, around, all_ids, doubted | goes[numbers]

    def _mostly_in(self, ids: Ids, target: LabelClass) -> list[ObjectId]:
        """The instances that have at least half of their pixels among `ids`, the largest first; none where the class
        before, or the one after, has one object an image.
        """
        before = self._classes.effective(ClassId(int(self._owner[ids[0]])))
        if target.kind is not Kind.INSTANCE or before is None or before.kind is not Kind.INSTANCE:
            return []
        inside = np.bincount(ids, minlength=len(self._owner))
        every = self._pixels(inside > 0)
        most = np.flatnonzero((inside > 0) & (2 * inside >= every))
        return [ObjectId(int(id_)) for id_ in most[np.argsort(-inside[most], kind="stable")]]

    def _pixels(self, wanted: Mask) -> NDArray[np.int64]:
        """By object id: how many pixels the wanted objects have, in all planes."""
        sums = np.zeros(len(wanted), np.int64)
        for plane in range(len(self._document.raster.sizes)):
            for _key, tile in tiles_with(self._document.raster, plane, wanted):
                sums += np.bincount(expanded(tile)[0].ravel(), minlength=len(wanted))
        return sums

    def _into(self, target: LabelClass, ids: Ids, mask: Mask, whole: Sequence[ObjectId]) -> ObjectId:
        """The object that takes these pixels."""
        if target.kind is not Kind.INSTANCE:
            single = self._document.single_object(target.id) or self._made.get(target.id)
            if single is None:
                single = self._made[target.id] = self._new.make(target.id)
            return single
        if whole:
            return whole[0]
        around = ids[rim(mask)]
        around = around[(self._owner[around] == target.id) & ~self._locked[around]]
        return ObjectId(int(np.bincount(around).argmax())) if len(around) else self._new.make(target.id)


def _cut_off(numbers: NDArray[np.int32], rect: Rect, bounds: Rect) -> NDArray[np.int32]:
    """The parts of a rectangle that may go on outside it."""
    sides = (
        (rect.y > bounds.y, numbers[0]),
        (rect.bottom < bounds.bottom, numbers[-1]),
        (rect.x > bounds.x, numbers[:, 0]),
        (rect.right < bounds.right, numbers[:, -1]),
    )
    return np.unique(np.concatenate([np.zeros(1, np.int32), *(side for inner, side in sides if inner)]))


def _place(document: Document, classes: ClassTable, found: Finding, owner: NDArray[np.int32]) -> "_Place | None":
    """The class that a mistake looks like, its box with a pixel more on each side, and there the objects and its own
    pixels; None where the labels are no longer those that were doubted.
    """
    assert found.rect is not None
    assert found.plane is not None
    assert found.class_id is not None
    assert found.said is not None
    before, target = classes.effective(found.class_id), classes.effective(found.said)
    if before is None or target is None or before.id == target.id or found.plane >= len(document.raster.sizes):
        return None
    bounds, rect = document.raster.bounds(found.plane), found.rect
    if rect.intersected(bounds) != rect:
        return None
    wide = rect.grown(1).intersected(bounds)
    mask = np.zeros((wide.h, wide.w), np.bool_)
    bits = np.unpackbits(np.frombuffer(found.mask, np.uint8), count=rect.area).reshape(rect.h, rect.w)
    mask[rect.y - wide.y : rect.bottom - wide.y, rect.x - wide.x : rect.right - wide.x] = bits
    ids = ids_in(document.raster, found.plane, wide)
    return (target, wide, ids, mask) if (owner[ids[mask]] == before.id).all() else None

"""What was found, mended: the parts of one edit of an image. A finding that is no longer there is left alone.

A speck becomes what surrounds it, the object (or unknown) that shares most edges with it and is no speck itself; a
pinhole becomes the object around it; unlabelled pixels of a done plane become background; probable mistakes become what
they look like (`mistaken`). What is locked neither gives nor takes a pixel.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.lint.mistaken import accepted
from segstudio.labels.lint.part_sums import PartSums
from segstudio.labels.lint.plane import blocks_of, within_picture
from segstudio.labels.lint.rims import rim
from segstudio.labels.model import ClassTable, ObjectId, Origin
from segstudio.labels.paint.components import TiledComponents, mask_parts
from segstudio.labels.paint.fill import OutsideOf
from segstudio.labels.paint.objects.extent import ids_in
from segstudio.labels.paint.objects.parts import NewObjects, Painted, Report, changed_tile, painted, whole
from segstudio.labels.paint.policy import effective_lookup, locked_lookup
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import writable_copy

__all__ = ["mended"]

Mask = NDArray[np.bool_]
Ids = NDArray[np.uint32]
Step = Callable[[int], None]
_Places = tuple[NDArray[np.intp], NDArray[np.intp]]

_TOGETHER = 256
"""So many findings are a step of progress, at which the work can be cancelled."""


def _ignore(_steps: int) -> None:
    """The step of a caller that does not count them."""


def mended(
    document: Document,
    classes: ClassTable,
    findings: Sequence[Finding],
    report: Report,
    step: Step = _ignore,
    outside: OutsideOf | None = None,
) -> Iterator[Part]:
    """Mend findings of one kind in an image: specks, pinholes, unlabelled areas, or probable mistakes.

    Nothing `outside` the picture is filled. `report.number` counts what was mended, `left` what is locked or not there
    any more. `step` is called from time to time, and may raise.
    """
    yield from whole(document, _parts(document, classes, findings, report, step, outside))


def _parts(
    document: Document,
    classes: ClassTable,
    findings: Sequence[Finding],
    report: Report,
    step: Step,
    outside: OutsideOf | None,
) -> Iterator[Part]:
    mistakes = [found for found in findings if found.kind is LintKind.MISTAKE]
    if mistakes:
        yield from accepted(document, classes, mistakes, report, step)
        return
    mender = _Mender(effective_lookup(document, classes), locked_lookup(document, classes), classes.background.id)
    background = _Background(document, classes, mender, outside)
    for plane in range(len(document.raster.sizes)):
        here = [found for found in findings if found.plane == plane]
        areas = {(found.rect, found.pixels) for found in here if found.kind is LintKind.UNKNOWN_IN_DONE and found.rect}
        if areas:
            yield from background.parts(plane, areas, report, step)
        elif here:
            yield from painted(document, plane, _small_layers(document, plane, mender, here, report, step))


def _small_layers(
    document: Document, plane: int, mender: "_Mender", findings: Sequence[Finding], report: Report, step: Step
) -> list[Painted]:
    bounds, parts = document.raster.bounds(plane), list[_Small]()
    for n, found in enumerate(findings):
        if n % _TOGETHER == 0:
            step(0)
        assert found.rect is not None
        wide = found.rect.grown(1).intersected(bounds)
        part = mender.small(found, wide, ids_in(document.raster, plane, wide)) if not wide.empty else None
        if part is not None:
            parts.append(part)
    targets = _targets(parts, bounds.w, step)
    layers = [part.painted(target) for part, target in zip(parts, targets, strict=True) if target != _UNDECIDED]
    report.number += len(layers)
    report.left += len(findings) - len(layers)
    report.pixels += sum(int(layer.mask.sum()) for layer in layers)
    return layers


_UNDECIDED = -1


@dataclass(frozen=True, slots=True, eq=False)
class _Small:
    """A small part that is there and may be mended: its mask (h, w) over `wide`; of each edge (n,) that may take it the
    place of the pixel beyond, in `wide`, and the object there, 0 for unknown.
    """

    wide: Rect
    mask: Mask
    beside: _Places
    ids: Ids

    def painted(self, target: int) -> Painted:
        """It, as what it becomes."""
        return Painted(self.wide, self.mask, target, Origin.PAINTED if target else None)

    @property
    def places(self) -> _Places:
        """Where its own pixels are in `wide`."""
        y, x = np.nonzero(self.mask)
        return y, x

    def numbers(self, places: _Places, width: int) -> NDArray[np.int64]:
        """Places in `wide`, as numbers of the pixels of a plane of this width."""
        y, x = places
        return (y + self.wide.y).astype(np.int64) * width + x + self.wide.x


def _targets(parts: Sequence[_Small], width: int, step: Step) -> NDArray[np.int64]:
    """What each part becomes: the object that shares most edges with it. Small parts that touch do not become each
    other: one that has others around it waits for what they become. `_UNDECIDED` where there is nothing around.
    """
    targets = np.full(len(parts), _UNDECIDED)
    if not parts:
        return targets
    own = [part.numbers(part.places, width) for part in parts]
    owners, pixels = np.repeat(np.arange(len(parts)), [len(each) for each in own]), np.concatenate(own)
    order = np.argsort(pixels)
    pixels, owners = pixels[order], owners[order]
    waiting, waits_for, looked_at = deque(range(len(parts))), defaultdict[int, list[int]](list), 0
    while waiting:
        n = waiting.popleft()
        if targets[n] != _UNDECIDED:
            continue
        if looked_at % _TOGETHER == 0:
            step(0)
        looked_at += 1
        beside = parts[n].numbers(parts[n].beside, width)
        at = np.minimum(np.searchsorted(pixels, beside), len(pixels) - 1)
        small = pixels[at] == beside
        around = np.where(small, targets[owners[at]], parts[n].ids)
        ids, edges = np.unique(around[around != _UNDECIDED], return_counts=True)
        if len(ids):
            targets[n] = ids[edges.argmax()]
            waiting.extend(waits_for.pop(n, ()))
        else:
            for other in np.unique(owners[at[small]]).tolist():
                waits_for[other].append(n)
    return targets


@dataclass(frozen=True, slots=True, eq=False)
class _Mender:
    """By object id: the class, whether it is locked; and the id of the background class."""

    owner: NDArray[np.int32]
    locked: NDArray[np.bool_]
    background: int

    def small(self, found: Finding, wide: Rect, ids: Ids) -> _Small | None:
        """A small finding, with the objects `ids` (h, w) around it; None where it is locked, or gone."""
        classes = self.owner[ids]
        speck = found.kind is LintKind.SPECK
        of_kind = classes == found.class_id if speck else (classes == 0) | (classes == self.background)
        mask = _part(of_kind, found, wide, 8 if speck else 4)
        if mask is None or self.locked[ids[mask]].any():
            return None
        y, x = rim(mask)
        takes = ~self.locked[ids[y, x]]
        if not speck:
            takes &= classes[y, x] == found.class_id
        beside = y[takes], x[takes]
        return _Small(wide, mask, beside, np.where(classes[beside] > 0, ids[beside], 0))


def _part(of_kind: Mask, found: Finding, wide: Rect, connectivity: int) -> Mask | None:
    """The connected part of a mask over `wide` that has the finding's box and pixels; None where there is none."""
    assert found.rect is not None
    numbers, _count = mask_parts(of_kind, connectivity)
    x, y = found.rect.x - wide.x, found.rect.y - wide.y
    for number in np.unique(numbers[y, x : x + found.rect.w]).tolist():
        mask = numbers == number
        if number and np.count_nonzero(mask) == found.pixels:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            if (columns[0], columns[-1] + 1) == (x, x + found.rect.w) and rows[-1] + 1 == y + found.rect.h:
                return mask
    return None


class _Background:
    """Gives unlabelled areas to the background, in blocks of whole tiles: they may be as large as the plane."""

    def __init__(self, document: Document, classes: ClassTable, mender: _Mender, outside: OutsideOf | None) -> None:
        self._document, self._new, self._mender = document, NewObjects(document), mender
        self._class, self._outside = classes.background, outside

    def parts(self, plane: int, areas: Collection[tuple[Rect, int]], report: Report, step: Step) -> Iterator[Part]:
        """Fill the areas of these boxes and pixels."""
        target = self._document.single_object(self._class.id)
        if self._class.locked or (target is not None and self._mender.locked[target]):
            report.left += len(areas)
            return
        bounds = self._document.raster.bounds(plane)
        rects = blocks_of(_tiles_around((rect for rect, _pixels in areas), bounds))
        sums = PartSums(TiledComponents(bounds.w))
        for rect in rects:
            step(0)
            sums.add(rect, self._unknown(plane, rect))
        found = sums.whole()
        wanted = np.array(
            [(found.rect(n), pixels) in areas for n, pixels in enumerate(found.pixels.tolist())], np.bool_
        )
        report.number += int(wanted.sum())
        report.left += len(areas) - int(wanted.sum())
        report.pixels += int(found.pixels[wanted].sum())
        if not wanted.any():
            return
        if target is None:
            target = self._new.ids[0] if self._new.ids else self._new.make(self._class.id)
            yield from self._new.take_rows()
        sums.components.begin_again()
        for rect in rects:
            step(0)
            here = sums.components.of(rect, self._unknown(plane, rect))
            yield from self._filled(plane, rect, np.isin(here.names, found.names[wanted])[here.labels], target)

    def _filled(self, plane: int, rect: Rect, fill: Mask, target: ObjectId) -> Iterator[Part]:
        for place in tiles_of(rect):
            tile = tile_rect(*place).intersected(rect)
            mask = fill[tile.y - rect.y : tile.bottom - rect.y, tile.x - rect.x : tile.right - rect.x]
            if mask.any():
                key = (plane, *place)
                before = self._document.raster.glance(key)
                ids, origins = writable_copy(before)
                ids[: tile.h, : tile.w][mask] = target
                origins[: tile.h, : tile.w][mask] = Origin.FILLED
                yield from changed_tile(key, before, ids, origins)

    def _unknown(self, plane: int, rect: Rect) -> NDArray[np.uint8]:
        unknown = self._mender.owner[ids_in(self._document.raster, plane, rect)] == 0
        return within_picture(unknown, self._outside, plane, rect).view(np.uint8)


def _tiles_around(rects: Iterable[Rect], bounds: Rect) -> Rect:
    """Whole tiles around all of them, with a pixel more on each side, as far as the plane goes."""
    around = Rect(0, 0, 0, 0)
    for rect in rects:
        around = around.united(rect.grown(1).intersected(bounds))
    x, y = around.x // TILE * TILE, around.y // TILE * TILE
    right, bottom = -(-around.right // TILE) * TILE, -(-around.bottom // TILE) * TILE
    return Rect(x, y, right - x, bottom - y).intersected(bounds)

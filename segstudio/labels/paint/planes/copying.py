"""The labels of one plane copied into another one of the same image: objects keep their ids."""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.geometry import tile_rect
from segstudio.labels.document import Document
from segstudio.labels.edit import TileChange, TileKey
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import ClassId, ClassTable, Origin
from segstudio.labels.paint.objects.extent import tiles_with
from segstudio.labels.paint.objects.parts import Report, changed_tile, whole
from segstudio.labels.paint.objects.rights import changeable, permitted
from segstudio.labels.paint.policy import MayTouch, Samples, effective_lookup, paintable
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import expanded, writable_copy
from segstudio.text import _

__all__ = ["copied_plane"]


def copied_plane(
    document: Document,
    planes: tuple[int, int],
    classes: ClassTable,
    may: MayTouch,
    report: Report,
    *,
    only: Collection[ClassId] = (),
    samples: Samples | None = None,
) -> Iterator[Part]:
    """What is labelled in the first of two planes, in the same place of the second; of these classes, or of all.

    The policy says what may be covered there; `samples` are that plane's stored values, for RANGE. What is locked is
    neither copied nor covered. `report.number` are the objects copied, `report.left` those that are locked. Raises
    `UserError` where the planes differ in size.
    """
    source, target = planes
    raster = document.raster
    if raster.sizes[source] != raster.sizes[target]:
        raise UserError(_("The planes differ in size, so nothing can be copied between them."))
    owner = effective_lookup(document, classes)
    wanted = np.isin(owner, list(only)) if only else owner != 0
    report.left = _labelled(document, source, wanted & ~changeable(document, classes))
    copying = _Copying(document, classes, may, samples, wanted & changeable(document, classes))
    yield from whole(document, copying.tiles(source, target))
    report.number = len(copying.copied)


def _labelled(document: Document, plane: int, wanted: NDArray[np.bool_]) -> int:
    """How many of these objects have a pixel in a plane."""
    found: set[int] = set()
    for _key, tile in tiles_with(document.raster, plane, wanted):
        ids = np.unique(expanded(tile)[0])
        found.update(ids[wanted[ids]].tolist())
    return len(found)


class _Copying:
    """`copied` are the objects of which a pixel was written."""

    def __init__(
        self,
        document: Document,
        classes: ClassTable,
        may: MayTouch,
        samples: Samples | None,
        wanted: NDArray[np.bool_],
    ) -> None:
        self._document, self._classes, self._may, self._samples = document, classes, may, samples
        self._wanted, self._owner = wanted, effective_lookup(document, classes)
        self._allowed: dict[int, Paintable] = {}
        self.copied: set[int] = set()

    def tiles(self, source: int, target: int) -> Iterator[tuple[TileKey, TileChange]]:
        raster = self._document.raster
        for key, tile in tiles_with(raster, source, self._wanted):
            place = key[1:]
            rect = tile_rect(*place).intersected(raster.bounds(target))
            there = (target, *place)
            before = raster.glance(there)
            ids, origins = writable_copy(before)
            inside = np.s_[: rect.h, : rect.w]
            theirs, now = expanded(tile)[0][inside], ids[inside].copy()
            for class_id in np.unique(self._owner[np.unique(theirs)]).tolist():
                mask = self._wanted[theirs] & (self._owner[theirs] == class_id)
                mask = permitted(mask, target, rect, now, self._of(class_id)) if mask.any() else mask
                if mask.any():
                    ids[inside][mask] = theirs[mask]
                    origins[inside][mask] = Origin.PAINTED
                    self.copied.update(np.unique(theirs[mask]).tolist())
            yield from changed_tile(there, before, ids, origins)

    def _of(self, class_id: int) -> Paintable:
        """What the policy lets pixels of a class cover."""
        if class_id not in self._allowed:
            document, classes = self._document, self._classes
            self._allowed[class_id] = paintable(document, classes, self._may, ClassId(class_id), self._samples)
        return self._allowed[class_id]

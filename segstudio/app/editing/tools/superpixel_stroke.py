"""A stroke over superpixels: which ones a disc touches on its way, each painted once, as a whole."""

from collections.abc import Iterable
from math import ceil, hypot
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segstudio.app.editing.tools.areas import covered
from segstudio.app.editing.tools.superpixel_tiles import SuperpixelTiles
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.paint.region import Place, Region
from segstudio.labels.paint.stroke import Point, Spans, capsule_spans

__all__ = ["Segment", "SuperpixelStroke", "pieces"]

Segment: TypeAlias = tuple[Point, Point]

_SMALLEST_PX = 0.75
"""A disc of this radius always holds the centre of a pixel."""


def pieces(start: Point, to: Point) -> Iterable[Segment]:
    """The way between two points in steps for each of which all superpixels can be kept; none where it is no way."""
    (x0, y0), (x1, y1) = start, to
    number = ceil(hypot(x1 - x0, y1 - y0) / TILE)
    at = start
    for n in range(1, number + 1):
        share = n / number
        end = to if n == number else (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
        yield at, end
        at = end


class SuperpixelStroke:
    """The superpixels under a disc of `radius` pixels that were not taken yet, segment by segment."""

    def __init__(self, tiles: SuperpixelTiles, radius: float) -> None:
        self.tiles, self.radius = tiles, max(radius, _SMALLEST_PX)
        self._taken = np.zeros(0, np.int64)

    def needed(self, segment: Segment) -> list[Place]:
        """The tiles in which the superpixels under a segment may lie."""
        spans = self._spans(segment)
        return [] if spans.bounds.empty else list(tiles_of(self._reach(spans)))

    def missing(self, segment: Segment) -> list[Place]:
        """Those of them that are not computed."""
        return self.tiles.missing(self.needed(segment))

    def shown(self, segment: Segment) -> Region:
        """The pixels of all superpixels under a segment."""
        spans = self._spans(segment)
        return Region({}) if spans.bounds.empty else self._region(spans, self._under(spans))

    def take(self, segment: Segment) -> Region:
        """The pixels of those under a segment that are new."""
        spans = self._spans(segment)
        new = np.setdiff1d(self._under(spans), self._taken, assume_unique=True)
        if not len(new):
            return Region({})
        self._taken = np.union1d(self._taken, new)
        return self._region(spans, new)

    def _spans(self, segment: Segment) -> Spans:
        return capsule_spans(*segment, self.radius, self.tiles.bounds)

    def _reach(self, spans: Spans) -> Rect:
        """Where the superpixels under spans may lie."""
        return spans.bounds.grown(2 * self.tiles.step).intersected(self.tiles.bounds)

    def _under(self, spans: Spans) -> NDArray[np.int64]:
        """The numbers of the superpixels under spans."""
        found = [np.zeros(0, np.int64)]
        for place in tiles_of(spans.bounds):
            rect = tile_rect(*place).intersected(self.tiles.bounds)
            part = rect.intersected(spans.bounds)
            mask = np.zeros((rect.h, rect.w), np.bool_)
            mask[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x] = covered(spans, part)
            found.append(self.tiles.of(place).under(mask))
        return np.unique(np.concatenate(found))

    def _region(self, spans: Spans, numbers: NDArray[np.int64]) -> Region:
        masks = ((place, self.tiles.mask(place, numbers)) for place in tiles_of(self._reach(spans)))
        return Region.of_tiles((place, mask) for place, mask in masks if mask is not None)

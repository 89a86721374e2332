"""Spots: the areas of a plane that are most worth a look, ranked by how much is in doubt there.

A spot is an 8-connected area of cells of 4 x 4 pixels within one tile, so that it fits into a view and a plane of any
size is searched tile by tile. Its weight is the sum of its cells' weights: of doubt where no difference is looked at,
else of what differs, times the confidence of the model.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.model import Origin
from segstudio.labels.proposal import CONFIDENCE_SIDE, Proposal
from segstudio.labels.proposal_views import CONFIDENCE_LEVELS, DifferenceTiles
from segstudio.labels.tiles.tile import Constant, expanded

__all__ = ["MOST_SPOTS", "Spot", "Weigh", "different_cells", "doubtful_cells", "find_spots"]

MOST_SPOTS = 500
"""So many of the heaviest are kept: nobody steps through more."""

_CELL = TILE // CONFIDENCE_SIDE
_DOUBT = 0.3
"""Surer cells are no spot: a boundary averaged over four pixels is never quite sure."""
_DIFFERS = 0.5
"""Cells with a smaller share of different pixels are none: two versions never agree on the last pixel of a boundary."""
_LEAST = 1.0
"""A spot weighs at least as much as one cell in full doubt."""

Place = tuple[int, int]
Weigh = Callable[[Place], NDArray[np.float32] | None]
"""Weights >= 0 of the cells (64, 64) of a tile; None where nothing is worth a look."""


class Spot(NamedTuple):
    """Where to look, in image pixels, and how much is in doubt there."""

    rect: Rect
    weight: float


def doubtful_cells(
    proposal: Proposal,
    document: Document,
    doubts: Mapping[Place, NDArray[np.uint8]] | None = None,
    least: float = _DOUBT,
) -> Weigh:
    """Weigh cells by the model's doubt, but for what a person painted or imported: 1 - confidence, or where `doubts`
    are given, theirs (by tile, levels 0..15 (64, 64)). What is surer than `least` weighs nothing.
    """
    decided = (int(Origin.PAINTED), int(Origin.IMPORTED))

    def weigh(place: Place) -> NDArray[np.float32] | None:
        found = proposal.tiles.get(place)
        if found is None:
            return None
        levels = CONFIDENCE_LEVELS - 1 - found.confidence if doubts is None else doubts.get(place)
        if levels is None:
            return None
        doubt = (levels / (CONFIDENCE_LEVELS - 1)).astype(np.float32)
        doubt[doubt < least] = 0
        if not doubt.any():
            return None
        tile = document.raster.glance((proposal.plane, *place))
        if isinstance(tile, Constant):
            return None if tile.origin in decided else doubt
        doubt *= _shares(np.isin(expanded(tile)[1], decided, invert=True))
        return doubt

    return weigh


def different_cells(proposal: Proposal, tiles: DifferenceTiles) -> Weigh:
    """Weigh cells by the share of pixels that differ, if it is half of them, times the confidence of the proposal."""

    def weigh(place: Place) -> NDArray[np.float32] | None:
        found = proposal.tiles.get(place)
        if found is None:
            return None
        tile = tiles.look((proposal.plane, *place))
        if isinstance(tile, Constant) and not tile.id:
            return None
        sure = (found.confidence / (CONFIDENCE_LEVELS - 1)).astype(np.float32)
        share = _shares(expanded(tile)[0] > 0)
        sure *= np.where(share < _DIFFERS, np.float32(0), share)
        return sure

    return weigh


def find_spots(
    places: Iterable[Place], weigh: Weigh, bounds: Rect, late: Callable[[], bool] = lambda: False
) -> tuple[Spot, ...]:
    """The heaviest spots within `bounds`, the heaviest first; none where it is too `late`, which is asked every tile.

    Costs some 0.1 ms a tile that has any.
    """
    found: list[tuple[float, int, int, int, Spot]] = []
    number = count()  # of two that weigh the same in one place, the one found first comes later
    for place in places:
        if late():
            return ()
        weights = weigh(place)
        if weights is None:
            continue
        for spot in _of_tile(place, weights, bounds):
            heapq.heappush(found, (spot.weight, -spot.rect.y, -spot.rect.x, next(number), spot))
            if len(found) > MOST_SPOTS:
                heapq.heappop(found)
    return tuple(entry[-1] for entry in sorted(found, reverse=True))


def _of_tile(place: Place, weights: NDArray[np.float32], bounds: Rect) -> Iterable[Spot]:
    import cv2

    corner = tile_rect(*place)
    number, labels, stats, _centres = cv2.connectedComponentsWithStats(
        (weights > 0).astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    sums = np.bincount(labels.ravel(), weights.ravel(), number)
    for part in range(1, number):
        if sums[part] < _LEAST:
            continue
        x, y, w, h = (int(value) * _CELL for value in stats[part, :4])
        rect = Rect(corner.x + x, corner.y + y, w, h).intersected(bounds)
        if not rect.empty:
            yield Spot(rect, float(sums[part]))


def _shares(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share (64, 64) of pixels of each cell that are set in a mask (256, 256)."""
    cells = mask.reshape(CONFIDENCE_SIDE, _CELL, CONFIDENCE_SIDE, _CELL)
    return cells.mean((1, 3), dtype=np.float32)

"""Areas of matching pixels, tile by tile: those that hang together with a seed, or all there are. Pure functions.

What matches is asked of one tile at a time, so an area may be of labels or of image values, and a plane need not be in
memory. A tile that matches as a whole costs next to nothing, whatever the size of the plane.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.paint.region import Place, Region
from segstudio.labels.tiles.tile import Constant, Tile
from segstudio.text import _

__all__ = ["LARGEST_TILES", "Cancelled", "Mask", "Matches", "everywhere", "flooded", "never", "of_label"]

Mask: TypeAlias = NDArray[np.bool_]
Matches: TypeAlias = Callable[[Place], Mask | bool]
"""Which pixels of a tile match, (TILE, TILE); True or False where all or none do."""
Cancelled: TypeAlias = Callable[[], bool]

_Kind = TypeVar("_Kind", bound=np.generic)

LARGEST_TILES = 1024
"""How many tiles an area may fill in part; those filled as a whole do not count. Each is 320 KB of labels to keep."""
_PARTS_KEPT = 512


def never() -> bool:
    """Not cancelled."""
    return False


def of_label(look: Callable[[TileKey], Tile], plane: int, object_id: int) -> Matches:
    """Matches pixels of one object; 0 = unknown."""

    def matches(place: Place) -> Mask | bool:
        tile = look((plane, *place))
        return tile.id == object_id if isinstance(tile, Constant) else tile.ids == object_id

    return matches


def flooded(
    seed: tuple[int, int],
    bounds: Rect,
    matches: Matches,
    cancelled: Cancelled = never,
    *,
    largest_tiles: int = LARGEST_TILES,
) -> Region | None:
    """The 4-connected area of matching pixels around `seed` (x, y), which is in it if it matches; None if cancelled.

    Raises `UserError` where it fills more than `largest_tiles` tiles in part.
    """
    flood = _Flood(bounds, matches)
    flood.start(*seed)
    while flood.step():
        if cancelled():
            return None
        if flood.partly > largest_tiles:
            raise _too_ragged()
    return Region(flood.reached)


def everywhere(
    bounds: Rect, matches: Matches, cancelled: Cancelled = never, *, largest_tiles: int = LARGEST_TILES
) -> Region | None:
    """Every matching pixel of `bounds`; None if cancelled. Raises `UserError` as `flooded` does."""
    found: dict[Place, Mask | None] = {}
    partly = 0
    for place in tiles_of(bounds):
        if cancelled():
            return None
        mask = _clipped(matches(place), place, bounds)
        if mask is None or mask.any():
            found[place] = mask
            partly += mask is not None
        if partly > largest_tiles:
            raise _too_ragged()
    return Region(found)


def _too_ragged() -> UserError:
    return UserError(
        _("This area is too large and too scattered for one step. Lower the tolerance, or label it with a proposal.")
    )


def _clipped(found: Mask | bool, place: Place, bounds: Rect) -> Mask | None:
    """The matching pixels of a tile that lie in `bounds`; None for every pixel of the tile."""
    part = tile_rect(*place).intersected(bounds)
    if found is False:
        return np.zeros((TILE, TILE), np.bool_)
    if part.area == TILE * TILE:
        return None if found is True or found.all() else found
    y, x = part.y - place[0] * TILE, part.x - place[1] * TILE
    inside = np.s_[y : y + part.h, x : x + part.w]
    mask = np.zeros((TILE, TILE), np.bool_)
    mask[inside] = True if found is True else found[inside]
    return mask


class _Flood:
    """Tiles wait with the pixels of their four edges from which the area comes in, and are taken first come, first
    served: what is near the seed is known first. The components within a tile are kept while it may be entered again.
    """

    def __init__(self, bounds: Rect, matches: Matches) -> None:
        self._bounds, self._matches = bounds, matches
        self._rows = range(bounds.y // TILE, -(-bounds.bottom // TILE))
        self._columns = range(bounds.x // TILE, -(-bounds.right // TILE))
        self._whole: set[Place] = set()
        self._waiting: OrderedDict[Place, Mask] = OrderedDict()
        self._parts: OrderedDict[Place, tuple[int, NDArray[np.uint16]]] = OrderedDict()
        self._entered: dict[Place, set[int]] = {}
        self.reached: dict[Place, Mask | None] = {}
        self.partly = 0

    def start(self, x: int, y: int) -> None:
        """Enter at a pixel."""
        if Rect(x, y, 1, 1).intersected(self._bounds).empty:
            return
        place = (y // TILE, x // TILE)
        at = (y % TILE, x % TILE)
        mask = _clipped(self._matches(place), place, self._bounds)
        if mask is None:
            self._fill(place)
        elif mask[at]:
            parts = self._parts_of(place, mask)
            self._enter(place, parts, {int(parts[1][at])})

    def step(self) -> bool:
        """Enter the tile that has waited longest; False where none waits."""
        if not self._waiting:
            return False
        place, edges = self._waiting.popitem(last=False)
        if place in self._whole:
            return True
        parts = self._parts.get(place)
        if parts is None:
            mask = _clipped(self._matches(place), place, self._bounds)
            if mask is None:
                self._fill(place)
                return True
            parts = self._parts_of(place, mask)
        labels = parts[1]
        touched = np.concatenate([side[edge] for side, edge in zip(_sides(labels), edges, strict=True)])
        self._enter(place, parts, set(np.unique(touched).tolist()) - {0})
        return True

    def _parts_of(self, place: Place, mask: Mask) -> tuple[int, NDArray[np.uint16]]:
        """How many components a tile has, 0 (= none) included, and which one each pixel is."""
        import cv2

        # 16 bits hold them all: a tile has no more than 32,768 components.
        count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4, ltype=cv2.CV_16U)
        self._parts[place] = found = (count, np.asarray(labels, np.uint16))
        if len(self._parts) > _PARTS_KEPT:
            self._parts.popitem(last=False)
        return found

    def _fill(self, place: Place) -> None:
        self._reach(place, None)
        for neighbour, opposite in _neighbours(place):
            if self._is_open(neighbour):
                self._let_in(neighbour, opposite, True)

    def _enter(self, place: Place, parts: tuple[int, NDArray[np.uint16]], numbers: set[int]) -> None:
        new = numbers - self._entered.setdefault(place, set())
        if not new:
            return
        self._entered[place] |= new
        count, labels = parts
        chosen = np.zeros(count, np.bool_)
        chosen[list(new)] = True
        mask: Mask = np.take(chosen, labels)
        before = self.reached.get(place)
        whole = mask if before is None else before | mask
        self._reach(place, None if whole.all() else whole)
        for (neighbour, opposite), edge in zip(_neighbours(place), _sides(mask), strict=True):
            if self._is_open(neighbour) and edge.any():
                self._let_in(neighbour, opposite, edge)

    def _reach(self, place: Place, mask: Mask | None) -> None:
        had = place in self.reached and self.reached[place] is not None
        self.reached[place] = mask
        self.partly += (mask is not None) - had
        if mask is None:
            self._whole.add(place)

    def _is_open(self, place: Place) -> bool:
        """Whether a tile lies in the plane and is not yet filled as a whole."""
        return place[0] in self._rows and place[1] in self._columns and place not in self._whole

    def _let_in(self, place: Place, side: int, edge: Mask | bool) -> None:
        edges = self._waiting.get(place)
        if edges is None:
            edges = self._waiting[place] = np.zeros((4, TILE), np.bool_)
        edges[side] |= edge


def _neighbours(place: Place) -> tuple[tuple[Place, int], ...]:
    """The four tiles beside one, in the order of `_sides`, and which of their sides faces it."""
    ty, tx = place
    return ((ty - 1, tx), 1), ((ty + 1, tx), 0), ((ty, tx - 1), 3), ((ty, tx + 1), 2)


def _sides(array: NDArray[_Kind]) -> tuple[NDArray[_Kind], ...]:
    """Upper, lower, left and right edge of a tile."""
    return array[0], array[-1], array[:, 0], array[:, -1]

"""How touching objects are best taken apart, chosen on objects that are held out and never on those trained on.

Predicted objects match those that people drew where their IoU is above 0.5; the setting with the highest F1 is chosen.
Objects that are not known whole count neither way.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.touching import separated
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.gate import HeldOut, HeldOutTile
from segstudio.metrics import ObjectCounts
from segstudio.runs import ObjectFigures, Separation

__all__ = ["LEAST_OBJECTS", "HeldOutObjects"]

LEAST_OBJECTS = 10
"""With fewer held-out objects than this nothing is chosen."""

_MOST_PX = 1 << 20
"""Predicted pixels that are looked at: taking apart a million takes half a second of one core."""

_TOGETHER, _TOGETHER_OF_MANY = 4, 2
"""Tiles a side of what is looked at as one, where one image is held out and where several are, of which each is to have
its say: objects that its edge cuts are left out.
"""

_GAIN = 0.01
"""F1 by which a setting must beat the default: what is less says nothing of other objects."""

_SHARES = (0.05, 0.1, 0.2, 0.45, 0.7, 1.0)
_SMOOTHS = (0.5, 2.0)
_LEASTS = (0.05, 0.15)


_Place = tuple[int, int, int, int]
"""Image, plane, and the tile in it (ty, tx)."""
_Square = tuple[int, int, int, int]
"""Image, plane, and the square in it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part (h, w) of a plane: the pixels predicted as a class, the objects drawn of it that are known whole (0 where
    there is none), and what counts neither way.
    """

    predicted: NDArray[np.bool_]
    drawn: NDArray[np.uint32]
    left_out: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    tile: HeldOutTile
    known: NDArray[np.bool_]
    truth: NDArray[np.int16]
    predicted: NDArray[np.int16]


class HeldOutObjects:
    """What a version predicts of held-out objects of instance classes: `see` takes it in, tile by tile, as the version
    is measured, so that nothing more goes through the network. Of many tiles it keeps those that are looked at.
    """

    def __init__(self, data: Dataset, target: HeldOut) -> None:
        instances = {entry.id for entry in data.classes() if entry.instances}
        self._places = [place for place, (id_, _name) in enumerate(target.classes) if id_ in instances]
        self._data = data
        self._square_of = _squares(target.tiles) if self._places else {}
        self._tiles: list[_Seen] = []

    def see(self, tile: HeldOutTile, truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> None:
        """Take in a tile: places in the classes, -1 for none, of what is known and of what is predicted."""
        if _place(tile) in self._square_of:
            self._tiles.append(_Seen(tile, truth >= 0, truth.astype(np.int16), predicted.astype(np.int16)))

    def tuned(self) -> Generator[None, None, tuple[Separation, ObjectFigures | None]]:
        """The setting for these objects, and how well they match; yields between pieces of work of half a second.

        The default stays where fewer than `LEAST_OBJECTS` are held out, and where no other is better by a point. None
        without an instance class.
        """
        best = usual = Separation()
        parts = list(self._parts())
        drawn = sum(len(np.unique(part.drawn[part.drawn > 0])) for part in parts)
        if not self._places:
            return usual, None
        at_first = highest = yield from _f1(parts, usual)
        if drawn < LEAST_OBJECTS:
            return usual, ObjectFigures(drawn, at_first, at_first, tuned=False)
        for name, values in (("share", _SHARES), ("smooth_px", _SMOOTHS), ("least", _LEASTS)):
            for tried in [msgspec.structs.replace(best, **{name: value}) for value in values]:
                found = yield from _f1(parts, tried)
                if found >= at_first + _GAIN and found > highest:
                    best, highest = tried, found
        return best, ObjectFigures(drawn, highest, at_first, tuned=True)

    def _parts(self) -> Iterator[_Part]:
        squares: dict[_Square, list[_Seen]] = {}
        for seen in self._tiles:
            squares.setdefault(self._square_of[_place(seen.tile)], []).append(seen)
        for tiles in squares.values():
            yield from self._of(tiles)

    def _of(self, tiles: Sequence[_Seen]) -> Iterator[_Part]:
        """A part for each instance class."""
        entry, rect = tiles[0].tile.entry, _around(tiles)
        truth, predicted = (np.full((rect.h, rect.w), -1, np.int16) for _ in range(2))
        known = np.zeros((rect.h, rect.w), np.bool_)
        for seen in tiles:
            own = seen.tile.rect
            to = np.s_[own.y - rect.y : own.bottom - rect.y, own.x - rect.x : own.right - rect.x]
            truth[to], predicted[to], known[to] = seen.truth, seen.predicted, seen.known
        ids = self._data.objects(entry.image, entry.plane, rect)
        edge = _beside_unknown(known, rect, entry)
        for place in self._places:
            drawn = np.where(truth == place, ids, 0).astype(np.uint32)
            cut = np.isin(drawn, np.unique(drawn[edge])) & (drawn > 0)
            left_out = cut | ~known | ((truth == place) & (drawn == 0))
            drawn[cut] = 0
            yield _Part(predicted == place, drawn, left_out)


def _place(tile: HeldOutTile) -> _Place:
    return tile.entry.image, tile.entry.plane, tile.ty, tile.tx


def _squares(tiles: Sequence[HeldOutTile]) -> dict[_Place, _Square]:
    """The tiles to look at, each with its square: squares of the images by turns, until enough pixels are together."""
    squares: dict[int, dict[_Square, list[HeldOutTile]]] = {}
    several = len({tile.entry.image for tile in tiles}) > 1
    side = _TOGETHER_OF_MANY if several else _TOGETHER
    for tile in tiles:
        at = tile.entry.plane, tile.ty // side, tile.tx // side
        squares.setdefault(tile.entry.image, {}).setdefault((tile.entry.image, *at), []).append(tile)
    found: dict[_Place, _Square] = {}
    pixels = 0
    turns = zip_longest(*(each.items() for each in squares.values()))
    for square, together in filter(None, chain.from_iterable(turns)):
        pixels += sum(tile.rect.area for tile in together)
        if pixels > _MOST_PX:
            break
        found |= dict.fromkeys(map(_place, together), square)
    return found


def _f1(parts: Sequence[_Part], how: Separation) -> Generator[None, None, float]:
    counts = ObjectCounts()
    for part in parts:
        n, found = separated(part.predicted, how)
        pixels = np.bincount(found.ravel(), minlength=n + 1)
        outside = np.bincount(found[part.left_out], minlength=n + 1)
        counted = (2 * outside <= pixels)[found] & ~part.left_out
        counts.add(part.drawn, np.where(counted, found, 0).astype(np.uint32))
        counts.close_image()
        yield None
    return counts.figures().f1


def _around(tiles: Sequence[_Seen]) -> Rect:
    rects = [seen.tile.rect for seen in tiles]
    x, y = min(rect.x for rect in rects), min(rect.y for rect in rects)
    return Rect(x, y, max(rect.right for rect in rects) - x, max(rect.bottom for rect in rects) - y)


def _beside_unknown(known: NDArray[np.bool_], rect: Rect, entry: PlaneEntry) -> NDArray[np.bool_]:
    """The pixels (h, w) of a part beside one that is not known, or that lies in the plane but not in the part."""
    framed = np.pad((~known).astype(np.uint8), 1)
    framed[0], framed[-1] = rect.y > 0, rect.bottom < entry.height
    framed[:, 0] |= np.uint8(rect.x > 0)
    framed[:, -1] |= np.uint8(rect.right < entry.width)
    return np.asarray(cv2.dilate(framed, np.ones((3, 3), np.uint8)))[1:-1, 1:-1] > 0

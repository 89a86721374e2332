"""Other views of a proposal, as tiles: how sure the model is, and where it differs from other classes.

Tiles are computed when they are looked at, so that a view of any size costs what is seen of it. Their ids are codes of
this module, not objects.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE
from segstudio.labels.class_lookup import class_lookup, object_lookup
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassTable, Kind, LabelClass
from segstudio.labels.proposal import CONFIDENCE_SIDE, Proposal
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile, expanded, frozen

__all__ = [
    "CONFIDENCE_LEVELS",
    "ClassTiles",
    "ConfidenceTiles",
    "DifferenceTiles",
    "LabelledClasses",
    "ProposedClasses",
    "gained",
    "lost",
]

CONFIDENCE_LEVELS = 16
"""Levels of confidence, the least sure of which has the highest code, so that it is seen however small it is drawn."""

_CELL = TILE // CONFIDENCE_SIDE

Place = tuple[int, int]


def gained(class_id: int) -> int:
    """The code of a pixel that would become this class, which is not background."""
    return 2 * class_id


def lost(class_id: int) -> int:
    """The code of a pixel of this class that would become background."""
    return 2 * class_id + 1


class ClassTiles(Protocol):
    """Where the classes of a plane come from, tile by tile, as what they count as today; ignore counts as none."""

    def classes(self, place: Place, /) -> NDArray[np.int32] | int:
        """Class ids (256, 256) of a tile, or one for all of it; 0 where there is none."""
        ...

    def places(self) -> Iterable[Place]:
        """The tiles that may have a class."""
        ...

    def stamp(self, place: Place, /) -> int:
        """A number that changes with the tile."""
        ...


class ProposedClasses:
    """The classes of a proposal."""

    def __init__(self, proposal: Proposal, classes: ClassTable) -> None:
        self._tiles = proposal.tiles
        today = _today(classes)
        self._class_of = object_lookup({id_: int(row.class_id) for id_, row in proposal.rows.items()}, today)

    def classes(self, place: Place) -> NDArray[np.int32] | int:
        """Class ids of a tile."""
        found = self._tiles.get(place)
        return 0 if found is None else _classes(found.labels, self._class_of)

    def places(self) -> Iterable[Place]:
        """The tiles that were proposed for."""
        return self._tiles.keys()

    def stamp(self, _place: Place) -> int:
        """A proposal does not change."""
        return 0


class LabelledClasses:
    """The classes of the labels of a plane, as they are whenever they are looked at.

    `passing`: each tile is looked at once, and is not kept in memory for that.
    """

    def __init__(self, document: Document, plane: int, classes: ClassTable, *, passing: bool = False) -> None:
        self._document, self._plane, self._today = document, plane, _today(classes)
        self._tile = document.raster.glance if passing else document.raster.look

    def classes(self, place: Place) -> NDArray[np.int32] | int:
        """Class ids of a tile, which is loaded where it is not in memory."""
        made = self._document.class_lookup()
        by_object = np.append(np.take(self._today, made, mode="clip"), 0)
        return _classes(self._tile((self._plane, *place)), by_object)

    def places(self) -> Iterable[Place]:
        """The tiles that hold labels."""
        return [key[1:] for key in self._document.raster.held(self._plane)]

    def stamp(self, place: Place) -> int:
        """That of the raster; what is painted in place does not change it."""
        return self._document.raster.stamp((self._plane, *place))


class ConfidenceTiles:
    """How sure a proposal is: code 1 for the surest of 16 levels to 16 for the least sure, 0 where it has no tile."""

    def __init__(self, proposal: Proposal) -> None:
        self._tiles = proposal.tiles
        self._constants: dict[TileKey, Constant] = {}

    def held(self, plane: int) -> list[TileKey]:
        """Every tile of the proposal."""
        return [(plane, *place) for place in self._tiles]

    def look(self, key: TileKey) -> Tile:
        """The codes of a tile."""
        found = self._tiles.get(key[1:])
        if found is None:
            return EMPTY
        codes = (CONFIDENCE_LEVELS - found.confidence).astype(np.uint32)
        tile = _of_codes(np.repeat(np.repeat(codes, _CELL, 0), _CELL, 1))
        if isinstance(tile, Constant):
            self._constants[key] = tile
        return tile

    def peek(self, key: TileKey) -> Tile | None:
        """A tile that is known to be constant; None for one to be computed."""
        return self._constants.get(key) if key[1:] in self._tiles else EMPTY

    def stamp(self, _key: TileKey) -> int:
        """A proposal does not change."""
        return 0

    def forget(self, _keys: Iterable[TileKey] | None = None) -> None:
        """Labels have changed, which it does not depend on."""


class DifferenceTiles:
    """Where `now` has another class than `before`; where either has none, nobody said anything, and nothing differs.

    The code is `gained(class)` or, where background would take its place, `lost(class)`.
    """

    def __init__(self, now: ClassTiles, before: ClassTiles, classes: ClassTable) -> None:
        self._now, self._before = now, before
        self._background = int(classes.background.id)
        self._constants: dict[TileKey, tuple[int, Constant]] = {}

    def held(self, plane: int) -> list[TileKey]:
        """The tiles that may differ."""
        others = set(self._before.places())
        return [(plane, *place) for place in self._now.places() if place in others]

    def look(self, key: TileKey) -> Tile:
        """The codes of a tile."""
        tile = self._compared(self._now.classes(key[1:]), self._before.classes(key[1:]))
        if isinstance(tile, Constant):
            self._constants[key] = self.stamp(key), tile
        return tile

    def peek(self, key: TileKey) -> Tile | None:
        """A tile that is known to be constant; None for one to be computed."""
        stamp, tile = self._constants.get(key, (None, None))
        return tile if stamp == self.stamp(key) else None

    def stamp(self, key: TileKey) -> int:
        """A number that changes with either side."""
        return self._now.stamp(key[1:]) + self._before.stamp(key[1:])

    def forget(self, keys: Iterable[TileKey] | None = None) -> None:
        """Labels within these tiles, or anywhere, have changed in place, which no stamp shows."""
        for key in list(self._constants) if keys is None else keys:
            self._constants.pop(key, None)

    def _compared(self, now: NDArray[np.int32] | int, before: NDArray[np.int32] | int) -> Tile:
        if isinstance(now, int) and isinstance(before, int):
            return Constant(self._code(now, before), 0)
        if (isinstance(now, int) and not now) or (isinstance(before, int) and not before):
            return EMPTY
        return _of_codes(self._codes(np.asarray(now), np.asarray(before)))

    def _code(self, now: int, before: int) -> int:
        if not now or not before or now == before:
            return 0
        return lost(before) if now == self._background else gained(now)

    def _codes(self, now: NDArray[np.int32], before: NDArray[np.int32]) -> NDArray[np.uint32]:
        codes = np.where(now == self._background, 2 * before + 1, 2 * now)
        differ = (now != before) & (now > 0) & (before > 0)
        return np.broadcast_to(codes * differ, (TILE, TILE)).astype(np.uint32)


def _of_codes(codes: NDArray[np.uint32]) -> Tile:
    return frozen(codes, np.zeros((TILE, TILE), np.uint8))


def _classes(tile: Tile, by_object: NDArray[np.int32]) -> NDArray[np.int32] | int:
    """Class ids of a tile of object ids; the last entry stands for every id beyond the look-up."""
    if isinstance(tile, Constant):
        return int(by_object[min(tile.id, len(by_object) - 1)])
    return np.take(by_object, expanded(tile)[0], mode="clip")


def _today(classes: ClassTable) -> NDArray[np.int32]:
    """Class ids by class id, as they count today."""

    def counted(label_class: LabelClass) -> int:
        return 0 if label_class.kind is Kind.IGNORE else int(label_class.id)

    return class_lookup(classes, counted)

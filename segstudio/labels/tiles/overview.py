"""Overviews of labels: small pictures of tiles for low zoom, kept until their tile changes.

A *mark* is a small number for what a pixel shows (0 = nothing labelled), found from its object id by a look-up table.
Level k has one mark for 2**k x 2**k pixels: the highest of them, so a labelled pixel wins over none, and a class with
a higher mark over one with a lower (give background the lowest). The highest is also what makes a level the same
whether it comes from pixels or from the level below. No colours, no view, no disk.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.edit import TileKey
from segstudio.labels.tiles.lookup import looked_up
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, Tile

__all__ = ["FACTOR", "LEVELS", "Marks", "Overviews", "TileSource", "marks_of", "reduced"]

Marks = NDArray[np.uint8 | np.uint16]

FACTOR = 2
"""Side of a level's pixel in pixels of the level below."""

LEVELS = 8
"""The coarsest level: one mark a tile."""

_BUDGET_BYTES = 96 << 20

_BYTE = 256
_FEW_IDS = 3
_LEAST_PX = 32768
"""Fewer pixels are looked up sooner than a table is made."""


def reduced(marks: Marks, factor: int) -> Marks:
    """The highest mark of each block of `factor` x `factor`; (h, w) must be multiples of it, a power of two."""
    out = marks
    while factor > 1:
        rows = np.maximum(out[0::2], out[1::2])
        out = np.maximum(rows[:, 0::2], rows[:, 1::2])
        factor //= 2
    return out


def marks_of(ids: NDArray[np.uint32], lookup: Marks) -> Marks:
    """Marks of object ids (h, w); `lookup` is by id, and its last entry stands for every id beyond it."""
    highest = int(ids.max()) if ids.size >= _LEAST_PX and lookup.dtype == np.uint8 else _BYTE
    if highest >= _BYTE:
        return np.take(lookup, ids, mode="clip")
    # Ids that fit into a byte are looked up twice as fast, and a few of them, each on its own, four times.
    table = np.full(_BYTE, lookup[-1], np.uint8)
    table[: min(len(lookup), _BYTE)] = lookup[:_BYTE]
    small = ids.astype(np.uint8)
    if highest <= _FEW_IDS and not table[0]:
        marks: Marks = np.zeros(ids.shape, np.uint8)
        for id_ in range(1, highest + 1):
            marks += (small == id_) * table[id_]
        return marks
    return looked_up(small, table)


_MANY_TILES = 4096
"""More tiles than that in view are not asked one by one: a plane of 100000 x 100000 has 152,881."""

_NOWHERE = Rect(0, 0, 0, 0)


@dataclass(slots=True)
class _Entry:
    """What is known of one tile since it had this stamp; the tile itself is not held.

    `touched`, counted from the tile's corner, is where it has changed since.
    """

    stamp: int
    levels: dict[int, Marks] = field(default_factory=dict[int, Marks])
    touched: Rect = _NOWHERE


class TileSource(Protocol):
    """Where tiles come from, as a raster gives them to views."""

    def held(self, plane: int, /) -> Iterable[TileKey]: ...
    def look(self, key: TileKey, /) -> Tile: ...
    def peek(self, key: TileKey, /) -> Tile | None: ...
    def stamp(self, key: TileKey, /) -> int: ...


class Overviews:
    """Marks of tiles by level, computed when looked at and kept, tile in memory or not, while it has the same stamp.

    Of a tile that has changed within a rectangle, as `touch` was told, only that is computed again: a brush touches a
    small part of its tiles, and paints in place, which no stamp shows.
    """

    def __init__(self, budget_bytes: int = _BUDGET_BYTES) -> None:
        self._lookup: Marks = np.zeros(1, np.uint8)
        self._entries: OrderedDict[TileKey, _Entry] = OrderedDict()
        self._budget_bytes = budget_bytes
        self._bytes = 0

    @property
    def bytes_held(self) -> int:
        """Memory of all marks that are kept."""
        return self._bytes

    def set_lookup(self, lookup: Marks) -> bool:
        """Marks by object id; ids beyond it are 0. True where an id known before means something else now.

        Then everything kept was dropped, and all views of it are out of date.
        """
        padded: Marks = np.concatenate([lookup, np.zeros(1, lookup.dtype)])
        common = min(len(self._lookup), len(padded)) - 1
        changed = (
            padded.dtype != self._lookup.dtype
            or not np.array_equal(padded[:common], self._lookup[:common])
            or bool(self._lookup[common:].any())
        )
        self._lookup = padded
        if changed:
            self.clear()
        return changed

    def clear(self) -> None:
        """Drop everything that is kept."""
        self._entries.clear()
        self._bytes = 0

    def forget(self, keys: Iterable[TileKey]) -> None:
        """Drop what is kept of these tiles."""
        for key in keys:
            self._drop(key)

    def touch(self, key: TileKey, rect: Rect) -> None:
        """Since it was looked at, a tile has changed within a rectangle counted from its corner, and nowhere else."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.touched = entry.touched.united(rect)

    def region(
        self,
        source: TileSource,
        plane: int,
        rect: Rect,
        level: int,
        deadline: float = inf,
    ) -> tuple[Marks, list[TileKey]]:
        """Marks of a rectangle of level pixels (h, w), and the keys of the tiles there was no time for.

        After `deadline` (of `time.perf_counter`) only tiles whose marks are kept, or that are known to be constant, are
        shown; the others are 0 and named. At least one is computed in any call. Costs 50 microseconds a dense tile that
        is new, a millisecond one that has to be loaded, one or two microseconds any other.
        """
        side = TILE // FACTOR**level
        out: Marks = np.zeros((rect.h, rect.w), self._lookup.dtype)
        late: list[TileKey] = []
        computed = 0
        rows = range(rect.y // side, -(-rect.bottom // side))
        columns = range(rect.x // side, -(-rect.right // side))
        blank, peek = not self._lookup[0], source.peek
        for key in _keys(source, plane, rows, columns):
            tile = peek(key)
            if blank and tile is EMPTY:
                continue  # most tiles of a large image
            marks = self._kept(key, tile, source, level)
            if marks is None:
                if not isinstance(tile, Constant):
                    if computed and perf_counter() > deadline:
                        late.append(key)
                        continue
                    computed += 1
                    tile = source.look(key)
                marks = self._marks_of(key, tile, source, level)
                if marks is None:
                    continue
            _placed(out, marks, key[2] * side - rect.x, key[1] * side - rect.y, side)
        return out, late

    def _marks_of(self, key: TileKey, tile: Tile, source: TileSource, level: int) -> Marks | None:
        """Marks of a tile, one for all its pixels where it is constant; None where none would be seen."""
        if isinstance(tile, Constant):
            mark = self._lookup[min(tile.id, len(self._lookup) - 1)]
            return np.asarray(mark) if mark else None
        return self._computed(key, tile, source, level)

    def _kept(self, key: TileKey, tile: Tile | None, source: TileSource, level: int) -> Marks | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.touched.empty:
            if not isinstance(tile, Dense):
                self._drop(key)
                return None
            self._follow(entry, tile)
            entry.stamp = source.stamp(key)
        elif entry.stamp != source.stamp(key):
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.levels.get(level)

    def _follow(self, entry: _Entry, tile: Dense) -> None:
        """Compute again what was touched."""
        side = FACTOR ** max(entry.levels)
        part, entry.touched = entry.touched, _NOWHERE
        x, y = part.x // side * side, part.y // side * side
        right, bottom = -(-part.right // side) * side, -(-part.bottom // side) * side
        marks = marks_of(tile.ids[y:bottom, x:right], self._lookup)
        for level, kept in entry.levels.items():
            f = FACTOR**level
            kept[y // f : bottom // f, x // f : right // f] = reduced(marks, f)

    def _computed(self, key: TileKey, tile: Dense, source: TileSource, level: int) -> Marks:
        entry = self._entries.setdefault(key, _Entry(source.stamp(key)))
        below = max((known for known in entry.levels if known < level), default=None)
        if below is None:
            marks = reduced(marks_of(tile.ids, self._lookup), FACTOR**level)
        else:
            marks = reduced(entry.levels[below], FACTOR ** (level - below))
        entry.levels[level] = marks
        self._bytes += marks.nbytes
        while self._bytes > self._budget_bytes and len(self._entries) > 1:
            self._drop(next(iter(self._entries)))
        return marks

    def _drop(self, key: TileKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= sum(marks.nbytes for marks in entry.levels.values())


def _placed(out: Marks, marks: Marks, x: int, y: int, side: int) -> None:
    """Put the marks of a tile, or the one that it has everywhere, with their corner at (x, y), which may be outside."""
    height, width = out.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    part = marks if marks.ndim == 0 else marks[top - y : bottom - y, left - x : right - x]
    out[top:bottom, left:right] = part


def _keys(source: TileSource, plane: int, rows: range, columns: range) -> Iterable[TileKey]:
    """The tiles in a part of a plane; where these are very many, only those that may hold a label."""
    if len(rows) * len(columns) <= _MANY_TILES:
        return ((plane, ty, tx) for ty in rows for tx in columns)
    return (key for key in source.held(plane) if key[1] in rows and key[2] in columns)

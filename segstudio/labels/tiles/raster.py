"""The live raster of one image: a cache of tiles over the store, by plane, within a byte budget.

Tiles that are not in memory are fetched by the given loader: at once for the hand (`tile`), and without displacing
others for views (`look`). A dense tile may leave memory, least recently used first, only when the edit that made it is
durable; those of a gesture under way, or of an edit that the disk refuses, stay. Only one thread may use a raster.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.tiles.streamed import TILE_BYTES
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, Tile, expanded

__all__ = ["Memento", "Raster", "TileBudget", "read_tiles"]

Size = tuple[int, int]

_BUDGET_BYTES = 96 << 20


class TileBudget:
    """How much memory the dense tiles of several rasters may hold, and which one goes next: one owner for all."""

    def __init__(self, limit_bytes: int = _BUDGET_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes_held = 0
        """Of all dense tiles, those that must stay included."""
        self._used: OrderedDict[tuple[Raster, TileKey], None] = OrderedDict()

    @property
    def has_room(self) -> bool:
        """Whether one more tile fits without another going."""
        return self.bytes_held + TILE_BYTES <= self.limit_bytes

    def touch(self, raster: "Raster", key: TileKey) -> None:
        """Note that a tile is in use, where it is one of those that may go."""
        if (raster, key) in self._used:
            self._used.move_to_end((raster, key))

    def may_go(self, raster: "Raster", key: TileKey) -> None:
        """From now on this tile may leave memory."""
        self._used[raster, key] = None

    def must_stay(self, raster: "Raster", key: TileKey) -> None:
        """From now on this tile may not leave memory."""
        self._used.pop((raster, key), None)

    def make_room(self) -> None:
        """Let tiles go, least recently used first, until the rest fits, or has to stay."""
        while self.bytes_held > self.limit_bytes and self._used:
            raster, key = self._used.popitem(last=False)[0]
            raster.drop(key)


@dataclass(frozen=True, slots=True)
class Memento:
    """A tile as a gesture found it, and the number of the edit that has to be durable before it may go."""

    tile: Tile
    pin: float | None


class Raster:
    """Tiles by (plane, ty, tx); `sizes` are (width, height) of each plane in pixels.

    `stored` are the keys that the loader has something for; None where it has to be asked for each.
    """

    def __init__(
        self,
        sizes: Sequence[Size],
        load: Callable[[TileKey], Tile] | None = None,
        stored: Collection[TileKey] | None = None,
    ) -> None:
        self.sizes = tuple(sizes)
        self._tiles: dict[TileKey, Tile] = {}
        self._load = load
        self._stored = None if stored is None else set(stored)
        self._budget = TileBudget(1 << 62)
        self._pins: dict[TileKey, float] = {}
        self._written: deque[tuple[float, tuple[TileKey, ...]]] = deque()
        self._durable: float = -1
        self._clock = 0
        self._oldest = 0
        self._stamps: dict[TileKey, int] = {}

    def bounds(self, plane: int) -> Rect:
        """The pixels of a plane."""
        return Rect(0, 0, *self.sizes[plane])

    def is_whole(self, key: TileKey) -> bool:
        """Whether all pixels of a tile belong to the image."""
        plane, ty, tx = key
        width, height = self.sizes[plane]
        return (tx + 1) * TILE <= width and (ty + 1) * TILE <= height

    # -- reading -----------------------------------------------------------------------------------------------------

    def tile(self, key: TileKey) -> Tile:
        """The tile of this key, kept in memory from now on; `EMPTY` where nothing is labelled."""
        found = self.peek(key)
        if found is None:
            found = self._fetch(key)
            self._hold(key, found)
        elif isinstance(found, Dense):
            self._budget.touch(self, key)
        return found

    def look(self, key: TileKey) -> Tile:
        """The tile of this key for a view: where memory is full it is not kept."""
        found = self.peek(key)
        if found is None:
            found = self._fetch(key)
            if isinstance(found, Constant) or self._budget.has_room:
                self._hold(key, found)
        return found

    def glance(self, key: TileKey) -> Tile:
        """The tile of this key for a single pass over many, which is not kept in memory for that."""
        found = self.peek(key)
        return self._fetch(key) if found is None else found

    def peek(self, key: TileKey) -> Tile | None:
        """The tile of this key where that is known without asking the store."""
        found = self._tiles.get(key)
        if found is None and (self._load is None or (self._stored is not None and key not in self._stored)):
            return EMPTY
        return found

    def stamp(self, key: TileKey) -> int:
        """A number that rises whenever the tile's content is replaced; what is painted in place does not count."""
        return self._stamps.get(key, self._oldest)

    def read(self, plane: int, rect: Rect) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Ids (uint32) and origins (uint8) of a rectangle as fresh arrays (h, w); zero outside the image."""
        inside = rect.intersected(self.bounds(plane))
        keys = ((plane, ty, tx) for ty, tx in tiles_of(inside))
        return read_tiles({key[1:]: self.look(key) for key in keys}, rect)

    def keys(self, plane: int) -> Iterator[TileKey]:
        """Every tile of a plane, row by row, in memory or not."""
        return ((plane, ty, tx) for ty, tx in tiles_of(self.bounds(plane)))

    @property
    def stored(self) -> Collection[TileKey]:
        """The tiles that the loader has something for, as far as it was told; empty where it was not."""
        return self._stored or ()

    def held(self, plane: int) -> list[TileKey]:
        """The tiles of a plane that may hold a label, row by row: stored ones and those in memory."""
        if self._load is not None and self._stored is None:
            return list(self.keys(plane))
        return sorted({key for key in (*self.stored, *self._tiles) if key[0] == plane})

    def in_memory(self) -> Mapping[TileKey, Tile]:
        """The tiles that are in memory."""
        return self._tiles

    def copy(self) -> "Raster":
        """Another raster of the same tiles, without a budget: to compute on, also on another thread."""
        other = Raster(self.sizes, self._load, self._stored)
        other._tiles = dict(self._tiles)
        other._enter()
        return other

    # -- changing ----------------------------------------------------------------------------------------------------

    def put(self, key: TileKey, tile: Tile) -> None:
        """Replace a tile; it stays in memory until `written` and `saved` say that its edit is durable."""
        self._pins[key] = inf
        self._replace(key, tile)
        # A constant tile that becomes dense takes room, which another one has to give.
        self._budget.make_room()

    def put_all(self, tiles: Mapping[TileKey, Tile]) -> None:
        """Replace tiles, as `put` does each."""
        for key, tile in tiles.items():
            self._pins[key] = inf
            self._replace(key, tile)
        self._budget.make_room()

    def memento(self, key: TileKey) -> Memento:
        """The tile as it is, for `restore`."""
        return Memento(self.tile(key), self._pins.get(key))

    def restore(self, key: TileKey, memento: Memento) -> None:
        """Put a tile back as it was."""
        self._pins.pop(key, None)
        if memento.pin is not None and memento.pin > self._durable:
            self._pins[key] = memento.pin
        self._replace(key, memento.tile)
        self._budget.make_room()

    def prime(self, tiles: Mapping[TileKey, Tile]) -> None:
        """Take in tiles read in bulk; those already in memory stay."""
        for key, tile in tiles.items():
            if key not in self._tiles:
                self._hold(key, tile)

    def written(self, keys: Iterable[TileKey], seq: int) -> None:
        """The content of these tiles belongs to the edit of this number; numbers rise."""
        held = tuple(key for key in keys if key in self._pins)
        for key in held:
            self._pins[key] = seq
        self._written.append((seq, held))

    def saved(self, seq: int) -> None:
        """Edits up to this number are durable: what they made may leave memory."""
        self._durable = max(self._durable, seq)
        while self._written and self._written[0][0] <= seq:
            for key in self._written.popleft()[1]:
                if self._pins.get(key, inf) <= seq:
                    del self._pins[key]
                    self._settle(key)
        self._budget.make_room()

    def share(self, budget: TileBudget) -> None:
        """Count the tiles of this raster in a budget that it has in common with others."""
        self._leave()
        self._budget = budget
        self._enter()

    def forget(self, stored: Collection[TileKey]) -> None:
        """Everything is to be read again from the store, which holds these tiles: another part has changed it."""
        self.become(Raster(self.sizes, self._load, stored))

    def become(self, other: "Raster") -> None:
        """Hold what another raster of the same planes holds, and nothing else; the other one is used up."""
        self._leave()
        other.leave()
        self._tiles, self._pins, self._written = other._tiles, other._pins, other._written
        self._stored = None if other._stored is None else set(other._stored)
        self._stamps.clear()
        self._clock += 1
        self._oldest = self._clock
        self._enter()

    def drop(self, key: TileKey) -> None:
        """Release a tile that the store has; for the budget alone."""
        del self._tiles[key]
        self._budget.bytes_held -= TILE_BYTES
        if self._stored is not None:
            self._stored.add(key)

    # -- within ------------------------------------------------------------------------------------------------------

    def _fetch(self, key: TileKey) -> Tile:
        return EMPTY if self._load is None else self._load(key)

    def _hold(self, key: TileKey, tile: Tile) -> None:
        self._exchange(key, tile)
        self._budget.make_room()

    def _replace(self, key: TileKey, tile: Tile) -> None:
        self._clock += 1
        self._stamps[key] = self._clock
        self._exchange(key, tile)

    def _exchange(self, key: TileKey, tile: Tile) -> None:
        held = isinstance(self._tiles.get(key), Dense)
        self._tiles[key] = tile
        dense = isinstance(tile, Dense)
        self._budget.bytes_held += TILE_BYTES * (dense - held)
        self._settle(key)

    def _settle(self, key: TileKey) -> None:
        """Tell the budget whether a tile may go."""
        if key not in self._pins and isinstance(self._tiles.get(key), Dense) and self._load is not None:
            self._budget.may_go(self, key)
        else:
            self._budget.must_stay(self, key)

    def _enter(self) -> None:
        """Count the tiles in the budget."""
        for key, tile in self._tiles.items():
            if isinstance(tile, Dense):
                self._budget.bytes_held += TILE_BYTES
                self._settle(key)
        self._budget.make_room()

    def _leave(self) -> None:
        for key, tile in self._tiles.items():
            if isinstance(tile, Dense):
                self._budget.bytes_held -= TILE_BYTES
                self._budget.must_stay(self, key)

    def leave(self) -> None:
        """Count no more in the budget that is shared: this raster is let go."""
        self._leave()
        self._budget = TileBudget(1 << 62)


def read_tiles(tiles: Mapping[tuple[int, int], Tile], rect: Rect) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Ids and origins of a rectangle of (ty, tx) -> tile as fresh arrays (h, w); missing tiles are zero."""
    ids = np.zeros((rect.h, rect.w), np.uint32)
    origins = np.zeros((rect.h, rect.w), np.uint8)
    for ty, tx in tiles_of(rect):
        tile = tiles.get((ty, tx), EMPTY)
        if tile == EMPTY:
            continue
        part = rect.intersected(tile_rect(ty, tx))
        target = np.s_[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
        if isinstance(tile, Constant):
            ids[target], origins[target] = tile.id, tile.origin
        else:
            tile_ids, tile_origins = expanded(tile)
            source = np.s_[part.y - ty * TILE : part.bottom - ty * TILE, part.x - tx * TILE : part.right - tx * TILE]
            ids[target], origins[target] = tile_ids[source], tile_origins[source]
    return ids, origins

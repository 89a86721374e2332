"""Labels of a view by class: every tile packed as on disk, the last used ones unpacked as well.

An unpacked tile takes 320 KiB, a packed one a few; a run over hundreds of large images cannot keep them all unpacked.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.tiles.codec import decode_tile, encode_tile
from segstudio.labels.tiles.tile import Constant, Tile, frozen

__all__ = ["KNOWN_BYTES", "Known", "KnownTiles", "Place"]

KNOWN_BYTES = 256 << 20
"""Unpacked labels that a view keeps: 54 million pixels."""

Place = tuple[int, int, int, int]
"""Image, plane, row and column of a tile."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A label tile by class: ids int32 and origins uint8, (256, 256) each or (1, 1) for a constant one."""

    classes: NDArray[np.int32]
    origins: NDArray[np.uint8]


class KnownTiles:
    """Tiles by place. `get` returns the same whether a tile was already unpacked or not."""

    def __init__(self, budget_bytes: int = KNOWN_BYTES) -> None:
        self.packed_bytes = self.unpacked_bytes = 0
        self._budget = budget_bytes
        self._packed: dict[Place, bytes] = {}
        self._unpacked: OrderedDict[Place, Known] = OrderedDict()

    def put(self, place: Place, tile: Tile, class_by_object: NDArray[np.int32]) -> bool:
        """Take in a tile of object ids; whether it holds a known pixel; otherwise it is not kept."""
        if isinstance(tile, Constant):
            known: Tile = Constant(int(class_by_object[tile.id]), tile.origin)
        else:
            known = frozen(class_by_object[tile.ids].astype(np.uint32), tile.origins)
        if isinstance(known, Constant) and known.id == 0:
            return False
        packed = self._packed[place] = encode_tile(known)
        self.packed_bytes += len(packed)
        self._open(place, known)  # a tile just read is usually needed next
        return True

    def get(self, place: Place) -> Known | None:
        """The tile at a place; None if nothing is known. The caller must not write into it."""
        found = self._unpacked.get(place)
        if found is None:
            packed = self._packed.get(place)
            if packed is None:
                return None
            return self._open(place, decode_tile(packed))
        self._unpacked.move_to_end(place)
        return found

    def _open(self, place: Place, tile: Tile) -> Known:
        found = self._unpacked[place] = _opened(tile)
        self.unpacked_bytes += _bytes(found)
        while self.unpacked_bytes > self._budget and self._unpacked:
            _, oldest = self._unpacked.popitem(last=False)
            self.unpacked_bytes -= _bytes(oldest)
        return found


def _opened(tile: Tile) -> Known:
    if isinstance(tile, Constant):
        return Known(np.array([[tile.id]], np.int32), np.array([[tile.origin]], np.uint8))
    return Known(tile.ids.astype(np.int32), tile.origins)


def _bytes(tile: Known) -> int:
    return tile.classes.nbytes + tile.origins.nbytes

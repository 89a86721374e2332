"""Two tiles of labels into one, pixel by pixel. Pure functions of arrays.

What only one side knows is taken. Copies of one project are compared with their last common edit, and a side that
changed alone wins. Where both know and differ A stays, and the pixel is in conflict.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.tiles.tile import Constant, Tile, expanded, frozen

__all__ = ["Meaning", "Verdict", "compared", "merged_tile"]

Mask = NDArray[np.bool_]
_ONE = (1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What the objects of both sides mean in C, as tables by object id.

    `a`, `b` (int64): 0 unknown, -class where the class has one object an image, else a number of the object that is the
    same on both sides for the same object. `moved_a`, `moved_b`: its class was changed since the last common edit.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    moved_a: Mask
    moved_b: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Where B's pixel is taken, where the two are in conflict, and where they mean the same; (256, 256), or (1, 1) of
    tiles that are all constant."""

    take: Mask
    conflict: Mask
    alike: Mask


def compared(a: Tile, b: Tile, base: Tile | None, meaning: Meaning) -> Verdict:
    """The verdict over one tile; without `base` the sides have no common past."""
    (ids_a, origins_a), (ids_b, origins_b), (ids_0, origins_0) = _arrays(a, b, b if base is None else base)
    means_a, means_b = meaning.a[ids_a], meaning.b[ids_b]
    known_a, known_b, alike = means_a != 0, means_b != 0, means_a == means_b
    if base is None:
        return Verdict(known_b & ~known_a, known_a & known_b & ~alike, alike)
    changed_a = (ids_a != ids_0) | (origins_a != origins_0) | meaning.moved_a[ids_a]
    changed_b = (ids_b != ids_0) | (origins_b != origins_0) | meaning.moved_b[ids_b]
    # A pixel of a class that is removed in C says nothing, and must not wipe out what A knows.
    says = changed_b & ((ids_b == 0) | known_b)
    take = says & (~changed_a | (known_b & ~known_a)) & (~alike | (known_b & (origins_a != origins_b)))
    return Verdict(take, says & changed_a & known_a & known_b & ~alike, alike)


def _arrays(*tiles: Tile) -> list[tuple[NDArray[np.uint32], NDArray[np.uint8]]]:
    """Ids and origins of each tile, of one pixel where every tile is constant."""
    if all(isinstance(tile, Constant) for tile in tiles):
        return [
            (np.full(_ONE, tile.id, np.uint32), np.full(_ONE, tile.origin, np.uint8))
            for tile in tiles
            if isinstance(tile, Constant)
        ]
    return [expanded(tile) for tile in tiles]


def merged_tile(a: Tile, b: Tile, verdict: Verdict, target: NDArray[np.uint32]) -> Tile:
    """The tile of C; `target` is the object in C of each object of B."""
    (ids_a, origins_a), (ids_b, origins_b) = _arrays(a, b) if verdict.take.shape == _ONE else (expanded(a), expanded(b))
    ids = np.where(verdict.take, np.where(verdict.alike, ids_a, target[ids_b]), ids_a)
    origins = np.where(verdict.take, origins_b, origins_a)
    if ids.shape == _ONE:
        return Constant(int(ids[0, 0]), int(origins[0, 0]))
    return frozen(ids, origins)

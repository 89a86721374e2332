"""Edits that are too large for memory: a header, and parts that are taken one by one while they are written.

Everything smaller is an `Edit`. What counts is the memory that its dense tiles would hold, before and after; a constant
costs next to nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from segstudio.geometry import TILE
from segstudio.labels.edit import Edit, RowChange, TileChange, TileKey
from segstudio.labels.tiles.tile import Dense, Tile

__all__ = ["LARGEST_EDIT_BYTES", "TILE_BYTES", "Part", "StreamedEdit", "collected", "edit_bytes", "tile_bytes"]

TILE_BYTES = TILE * TILE * 5
"""Ids and origins of a dense tile."""

LARGEST_EDIT_BYTES = 192 << 20
"""Above this an edit is streamed, as a job with progress and cancel."""

Part = tuple[TileKey, TileChange] | RowChange


@dataclass(frozen=True, slots=True, eq=False)
class StreamedEdit:
    """`header` is an edit without tiles and rows; `parts` are taken once, on the writer's thread.

    Each tile comes at most once. A row may come anywhere; the row of an object that is made, before the edit ends.
    """

    header: Edit
    parts: Iterable[Part]


def collected(header: Edit, parts: Iterable[Part]) -> Edit | None:
    """The edit of these parts, all in memory; `header` has neither tiles nor rows. None where there is no part."""
    tiles: dict[TileKey, TileChange] = {}
    rows: list[RowChange] = []
    for part in parts:
        if isinstance(part, RowChange):
            rows.append(part)
        else:
            tiles[part[0]] = part[1]
    return replace(header, tiles=tiles, rows=tuple(rows)) if tiles or rows else None


def tile_bytes(tile: Tile) -> int:
    """Memory of a tile's pixels: nothing for a constant."""
    return TILE_BYTES if isinstance(tile, Dense) else 0


def edit_bytes(edit: Edit) -> int:
    """Memory that the tiles of an edit hold, before and after."""
    return sum(tile_bytes(change.before) + tile_bytes(change.after) for change in edit.tiles.values())

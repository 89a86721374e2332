"""A proposal: what a model draws, kept apart from the labels until a person accepts it.

A raster like the labels (object ids with rows: class and score), with confidence at quarter size in 16 levels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.errors import ProjectDamaged
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.model import ClassId, ClassTable, ImageId
from segstudio.labels.tiles.raster import read_tiles
from segstudio.labels.tiles.tile import Tile
from segstudio.text import _

__all__ = [
    "CONFIDENCE_SIDE",
    "Proposal",
    "ProposalRow",
    "ProposalTile",
    "decode_confidence",
    "encode_confidence",
    "quantised_confidence",
]

CONFIDENCE_SIDE = TILE // 4


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """Class and mean score (0..1) of one proposed object."""

    class_id: ClassId
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class ProposalTile:
    """Proposed object ids (origin 0 throughout) and confidence uint8 (64, 64) in 0..15."""

    labels: Tile
    confidence: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """One plane's proposal; `number` names it in the cache, `version` the model that made it ('embedded' = a guess)."""

    image: ImageId
    plane: int
    number: int
    version: str
    rows: Mapping[int, ProposalRow]
    tiles: Mapping[tuple[int, int], ProposalTile]

    def class_ids(self, rect: Rect) -> NDArray[np.int32]:
        """Class id of each pixel of a rectangle (h, w); 0 where nothing is proposed."""
        return self.class_lookup()[self._ids(rect)]

    def class_lookup(self) -> NDArray[np.int32]:
        """Class id by proposed object id."""
        lookup = np.zeros(max(self.rows, default=0) + 1, np.int32)
        for id_, row in self.rows.items():
            lookup[id_] = row.class_id
        return lookup

    def reader(self, classes: ClassTable) -> Callable[[Rect], NDArray[np.int32]]:
        """`class_ids`, to be asked for one rectangle after another; 0 also where the making of a class was undone."""
        lookup = self.class_lookup()
        lookup[~np.isin(lookup, [c.id for c in classes.all])] = 0
        return lambda rect: lookup[self._ids(rect)]

    def _ids(self, rect: Rect) -> NDArray[np.uint32]:
        found = {key: self.tiles[key].labels for key in tiles_of(rect) if key in self.tiles}
        return read_tiles(found, rect)[0]

    def confidence(self, rect: Rect) -> NDArray[np.uint8]:
        """Confidence of each pixel of a rectangle (h, w), 0..255 (17 a level); 0 where nothing is proposed."""
        out = np.zeros((rect.h, rect.w), np.uint8)
        for ty, tx in tiles_of(rect):
            tile = self.tiles.get((ty, tx))
            if tile is None:
                continue
            whole = tile_rect(ty, tx)
            part = rect.intersected(whole)
            full = np.repeat(np.repeat(tile.confidence, 4, 0), 4, 1) * np.uint8(17)
            out[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x] = full[
                part.y - whole.y : part.bottom - whole.y, part.x - whole.x : part.right - whole.x
            ]
        return out


def quantised_confidence(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Levels 0..15 (64, 64) of the winning class's probability in 0..1, averaged over 4 x 4 pixels.

    A tile at the image's edge is given without what lies outside, (h, w) of up to 256 each: there its last row and
    column go on, so that the edge is as sure as the pixels along it.
    """
    import cv2

    missing = TILE - probability.shape[0], TILE - probability.shape[1]
    if any(missing):
        probability = np.pad(probability, ((0, missing[0]), (0, missing[1])), mode="edge")
    quarter = cv2.resize(probability, (CONFIDENCE_SIDE, CONFIDENCE_SIDE), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(quarter * 15), 0, 15).astype(np.uint8)


def encode_confidence(levels: NDArray[np.uint8]) -> bytes:
    """Levels 0..15 (64, 64) as bytes: two a byte, zstd."""
    pairs = levels.reshape(-1, 2)
    return zstandard.ZstdCompressor(level=3).compress((pairs[:, 0] << 4 | pairs[:, 1]).astype(np.uint8).tobytes())


def decode_confidence(blob: bytes) -> NDArray[np.uint8]:
    """The levels of these bytes. Raises `ProjectDamaged` where they are none."""
    size = CONFIDENCE_SIDE * CONFIDENCE_SIDE // 2
    try:
        if zstandard.frame_content_size(blob) > size:
            raise ProjectDamaged(_("A proposal's confidence is damaged and cannot be decoded."))
        raw = np.frombuffer(zstandard.ZstdDecompressor().decompress(blob, max_output_size=size), np.uint8)
    except zstandard.ZstdError as error:
        raise ProjectDamaged(_("A proposal's confidence is damaged and cannot be decoded.")) from error
    if len(raw) != size:
        raise ProjectDamaged(_("A proposal's confidence is damaged and cannot be decoded."))
    return np.stack([raw >> 4, raw & 15], 1).reshape(CONFIDENCE_SIDE, CONFIDENCE_SIDE).astype(np.uint8)

"""Values for tests of the canvas: a table of classes, masks of spans, proposals of class ids."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass
from segstudio.labels.paint.stroke import Spans
from segstudio.labels.proposal import Proposal, ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import frozen

__all__ = ["CLASSES", "SPECS", "proposal_of", "spans_mask", "with_columns"]

CLASSES = ClassTable(
    [
        LabelClass(ClassId(1), "background", "#9aa0a6", Kind.BACKGROUND, 0, 0),
        LabelClass(ClassId(2), "nucleus", "#e69f00", Kind.SEMANTIC, 1, 1),
        LabelClass(ClassId(3), "cell", "#56b4e9", Kind.INSTANCE, 2, 2),
    ]
)

SPECS = ("nucleus:#e69f00", "cell:#56b4e9:instance")
"""The same for a new project, which has a background by itself."""


def with_columns(table: ClassTable, id_: int, columns: dict[str, object]) -> ClassTable:
    """A table in which some columns of one class are changed."""
    return table.with_class(replace(table[ClassId(id_)], **columns))  # type: ignore[arg-type]


def spans_mask(spans: Spans, rect: Rect) -> NDArray[np.bool_]:
    """The covered pixels of a rectangle as a bool array (h, w)."""
    mask = np.zeros((rect.h, rect.w), np.bool_)
    for y, (left, right) in enumerate(zip(spans.left, spans.right, strict=True), start=spans.top):
        if rect.y <= y < rect.bottom:
            mask[y - rect.y, max(int(left) - rect.x, 0) : max(int(right) - rect.x, 0)] = True
    return mask


def proposal_of(class_ids: np.ndarray) -> Proposal:
    """A proposal with one object a class (the object's id is the class's) from class ids (h, w)."""
    h, w = class_ids.shape
    tiles = {}
    for ty, tx in tiles_of(Rect(0, 0, w, h)):
        ids = np.zeros((TILE, TILE), np.uint32)
        part = class_ids[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
        ids[: part.shape[0], : part.shape[1]] = part
        tile = frozen(ids, np.zeros((TILE, TILE), np.uint8))
        tiles[ty, tx] = ProposalTile(tile, np.full((64, 64), 12, np.uint8))
    rows = {int(c): ProposalRow(ClassId(int(c)), 0.9) for c in np.unique(class_ids) if c}
    return Proposal(ImageId(1), 0, 1, "embedded", rows, tiles)

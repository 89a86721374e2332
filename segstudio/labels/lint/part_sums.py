"""Pixels and boxes of the components of a plane, added up block by block; for many small ones at once."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.paint.boxes import box_edges
from segstudio.labels.paint.components import ClassIds, TiledComponents

__all__ = ["Block", "PartSums", "WholeParts"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The parts of one block: their numbers (h, w) int32, 0 for none; pixels and value by number, 0 for none.

    `first` is added to a number to make it a provisional label.
    """

    labels: NDArray[np.int32]
    pixels: NDArray[np.int64]
    values: NDArray[Any]
    first: int


@dataclass(frozen=True, slots=True, eq=False)
class WholeParts:
    """The components of a plane: names (n,), rising, their pixels and values (n,), and edges (n, 4) as `box_edges`
    gives them; `rank` gives the place of a component by provisional label."""

    names: NDArray[np.int64]
    pixels: NDArray[np.int64]
    values: NDArray[np.int64]
    edges: NDArray[np.intp]
    rank: NDArray[np.intp]

    def rect(self, place: int) -> Rect:
        """The box of one of them."""
        left, top, right, bottom = self.edges[place].tolist()
        return Rect(left, top, right - left, bottom - top)


@dataclass(slots=True, eq=False)
class PartSums:
    """Sums over `components`: `add` every block of the plane in their order, then take the `whole`."""

    components: TiledComponents
    _pixels: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    _values: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    _edges: list[NDArray[np.intp]] = field(default_factory=list[NDArray[np.intp]])

    def add(self, rect: Rect, values: ClassIds) -> Block:
        """Take in a block (h, w) of values, 0 left out."""
        labels, first = self.components.add(rect, values)
        owners = self.components.owners
        if labels.strides == (0, 0):  # one part, or none, all over the block
            pixels = np.array([0, labels.size] if len(owners) > 1 else [0], np.int64)
            edges = np.array([[0, 0, rect.w, rect.h]] if len(owners) > 1 else np.zeros((0, 4)), np.intp)
        else:
            pixels = np.bincount(labels.reshape(-1)).astype(np.int64)
            pixels[0] = 0
            edges = box_edges(labels)[1]
        if len(edges):
            self._pixels.append(pixels[1:])
            self._values.append(owners[1:])
            self._edges.append(edges + np.array([rect.x, rect.y, rect.x, rect.y]))
        return Block(labels, pixels, owners, first)

    def whole(self) -> WholeParts:
        """All blocks were added: the parts of one component together."""
        if not self._pixels:
            none = np.zeros(0, np.int64)
            return WholeParts(none, none, none, np.zeros((0, 4), np.intp), np.zeros(1, np.intp))
        pixels, edges = np.concatenate(self._pixels), np.concatenate(self._edges)
        roots = np.array([self.components.name(label) for label in range(1, len(pixels) + 1)], np.int64)
        names, which = np.unique(roots, return_inverse=True)
        summed = np.zeros(len(names), np.int64)
        np.add.at(summed, which, pixels)
        values = np.zeros(len(names), np.int64)
        values[which] = np.concatenate(self._values)
        boxes = np.zeros((len(names), 4), np.intp)
        boxes[:, :2] = np.iinfo(np.intp).max
        np.minimum.at(boxes[:, 0], which, edges[:, 0])
        np.minimum.at(boxes[:, 1], which, edges[:, 1])
        np.maximum.at(boxes[:, 2], which, edges[:, 2])
        np.maximum.at(boxes[:, 3], which, edges[:, 3])
        return WholeParts(names, summed, values, boxes, np.concatenate([[0], which]))

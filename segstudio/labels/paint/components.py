"""Connected components of a plane that is never whole in memory: labelled block by block, joined at the borders.

Blocks tile the plane row by row and are given twice: first to `add` each, then to `of` each. After Rosenfeld & Pfaltz
(1966): provisional labels first, equivalences by union and find, final labels in the second pass.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.paint.boxes import boxes_of

__all__ = ["Components", "TiledComponents", "mask_parts", "numbered_parts"]

Labels = NDArray[np.int64]
ClassIds = NDArray[np.integer[Any]]
"""Class ids, or ids of objects."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The components within one block.

    `labels` (h, w) int32 number its parts from 1, 0 for none; `names` and `class_ids` are indexed by them. Two parts of
    one name, also in different blocks, are one component.
    """

    labels: NDArray[np.int32]
    names: Labels
    class_ids: ClassIds


class TiledComponents:
    """Components of equal ids, of classes or objects, 0 left out, over a plane `width` pixels wide.

    `connectivity` is 8 or 4.
    """

    def __init__(self, width: int, connectivity: int = 8) -> None:
        self._connectivity = connectivity
        self._parent: list[int] = [0]
        self._provisional = 0
        self._above = _Row(width)
        self._here = _Row(width)
        self._left: tuple[Labels, ClassIds] | None = None
        self._row = -1
        self._last: tuple[Rect, NDArray[np.int32], ClassIds] | None = None

    def add(self, rect: Rect, class_ids: ClassIds) -> tuple[NDArray[np.int32], int]:
        """Take in the class ids (h, w) of a block; its parts numbered from 1, 0 for none, and what is added to a number
        to make it a provisional label, of which `name` knows the component once all blocks were added."""
        first = self._provisional
        labels, _ = self._labelled(rect, class_ids)
        self._parent.extend(range(len(self._parent), self._provisional + 1))
        if rect.y != self._row:
            self._above, self._here, self._left, self._row = self._here, self._above, None, rect.y
        if rect.y > 0:
            self._join_row(rect, _named(labels[0], first), class_ids[0])
        if self._left is not None:
            self._join_column(*self._left, _named(labels[:, 0], first), class_ids[:, 0])
        self._here.put(rect, _named(labels[-1], first), class_ids[-1])
        self._left = _named(labels[:, -1], first), class_ids[:, -1].copy()
        return labels, first

    @property
    def owners(self) -> ClassIds:
        """The id by number of each part of the block that was added, or asked for, last; 0 for none."""
        return np.zeros(1, np.int64) if self._last is None else self._last[2]

    def name(self, provisional: int) -> int:
        """The name of the component that a provisional label belongs to."""
        return self._root(provisional)

    def begin_again(self) -> None:
        """All blocks were added; now each is asked for in the same order."""
        self._provisional = 0

    def of(self, rect: Rect, class_ids: ClassIds) -> Components:
        """The components in the next block, of the same class ids as when it was added."""
        first = self._provisional
        labels, owners = self._labelled(rect, class_ids)
        names = [0, *(self._root(label) for label in range(first + 1, self._provisional + 1))]
        return Components(labels, np.array(names, np.int64), owners)

    def _labelled(self, rect: Rect, class_ids: ClassIds) -> tuple[NDArray[np.int32], ClassIds]:
        """Parts within the block, numbered from 1, and the class id by number; a plane of one block is cut up once."""
        if self._last is None or self._last[0] != rect:
            self._last = (rect, *numbered_parts(class_ids, self._connectivity))
        _, labels, owners = self._last
        self._provisional += len(owners) - 1
        return labels, owners

    def _join_row(self, rect: Rect, labels: Labels, class_ids: ClassIds) -> None:
        for shift in (-1, 0, 1) if self._connectivity == 8 else (0,):
            x0, x1 = max(rect.x + shift, 0), min(rect.right + shift, len(self._above.labels))
            own = slice(x0 - shift - rect.x, x1 - shift - rect.x)
            self._join(self._above.labels[x0:x1], self._above.class_ids[x0:x1], labels[own], class_ids[own])

    def _join_column(self, left: Labels, left_ids: ClassIds, labels: Labels, class_ids: ClassIds) -> None:
        self._join(left, left_ids, labels, class_ids)
        if self._connectivity == 4:
            return
        self._join(left[1:], left_ids[1:], labels[:-1], class_ids[:-1])
        self._join(left[:-1], left_ids[:-1], labels[1:], class_ids[1:])

    def _join(self, a: Labels, a_ids: ClassIds, b: Labels, b_ids: ClassIds) -> None:
        touching = (a_ids == b_ids) & (a > 0) & (b > 0)
        for one, other in np.unique(np.stack([a[touching], b[touching]], 1), axis=0):
            roots = self._root(int(one)), self._root(int(other))
            self._parent[max(roots)] = min(roots)

    def _root(self, label: int) -> int:
        parent = self._parent
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label


class _Row:
    """The last row of pixels of a row of blocks."""

    def __init__(self, width: int) -> None:
        self.labels = np.zeros(width, np.int64)
        self.class_ids = np.zeros(width, np.int64)

    def put(self, rect: Rect, labels: Labels, class_ids: ClassIds) -> None:
        self.labels[rect.x : rect.right] = labels
        self.class_ids[rect.x : rect.right] = class_ids


def _named(labels: NDArray[np.int32], first: int) -> Labels:
    """Numbers within a block as provisional labels of the plane."""
    wide = labels.astype(np.int64)
    wide[wide > 0] += first
    return wide


def mask_parts(mask: NDArray[np.bool_], connectivity: int = 8) -> tuple[NDArray[np.int32], int]:
    """Connected parts of a mask (h, w), numbered from 1 in reading order, 0 for none; and how many there are."""
    import cv2

    count, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
    return np.asarray(numbers, np.int32), int(count) - 1


def numbered_parts(class_ids: ClassIds, connectivity: int = 8) -> tuple[NDArray[np.int32], ClassIds]:
    """Connected parts of equal id within an array: their numbers (h, w), 0 for none; the id by number."""
    if not class_ids.any():
        return np.broadcast_to(np.int32(0), class_ids.shape), np.zeros(1, class_ids.dtype)
    if (class_ids == class_ids[0, 0]).all():  # the inside of something large
        return np.broadcast_to(np.int32(1), class_ids.shape), np.array([0, class_ids[0, 0]], class_ids.dtype)
    labels = np.zeros(class_ids.shape, np.int32)
    owners: list[ClassIds] = [np.zeros(1, class_ids.dtype)]
    found = 0
    for class_id, box in boxes_of(class_ids).items():
        place = np.s_[box.y : box.bottom, box.x : box.right]
        mask = class_ids[place] == class_id
        numbers, count = mask_parts(mask, connectivity)
        np.add(numbers, found, out=labels[place], where=mask)
        owners.append(np.full(count, class_id, class_ids.dtype))
        found += count
    return labels, np.concatenate(owners)

"""8-connected components of a plane that is never whole in memory: labelled tile by tile, joined at the borders.

Tiles are given twice, row by row: first to `add` each, then to `of` each. After Rosenfeld & Pfaltz (1966): provisional
labels first, equivalences by union and find, final labels in the second pass.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["TiledComponents"]

Labels = NDArray[np.int64]
ClassIds = NDArray[np.int32]


class TiledComponents:
    """Components of equal class ids, 0 left out, over a plane `width` pixels wide."""

    def __init__(self, width: int) -> None:
        self._parent: list[int] = [0]
        self._provisional = 0
        self._above = _Row(width)
        self._here = _Row(width)
        self._left: tuple[Labels, ClassIds] | None = None
        self._row = -1

    def add(self, rect: Rect, class_ids: ClassIds) -> None:
        """Take in the class ids (h, w) of a tile."""
        labels = self._labelled(class_ids)
        self._parent.extend(range(len(self._parent), self._provisional + 1))
        if rect.y != self._row:
            self._above, self._here, self._left, self._row = self._here, self._above, None, rect.y
        if rect.y > 0:
            self._join_row(rect, labels, class_ids)
        if self._left is not None:
            self._join_column(*self._left, labels[:, 0], class_ids[:, 0])
        self._here.put(rect, labels[-1], class_ids[-1])
        self._left = labels[:, -1].copy(), class_ids[:, -1].copy()

    def begin_again(self) -> None:
        """All tiles were added; now each is asked for in the same order."""
        self._provisional = 0

    def of(self, class_ids: ClassIds) -> Labels:
        """The component of each pixel (h, w) of the next tile, 0 for none: numbers that name it, not in a row."""
        labels = self._labelled(class_ids)
        if not labels.any():
            return labels
        present = np.unique(labels)
        roots = np.array([self._root(int(label)) for label in present], np.int64)
        return roots[np.searchsorted(present, labels)]

    def _labelled(self, class_ids: ClassIds) -> Labels:
        """Provisional labels, going on from the tile before."""
        import cv2

        labels = np.zeros(class_ids.shape, np.int64)
        for class_id in np.flatnonzero(np.bincount(class_ids.ravel())):
            if class_id:
                mask = (class_ids == class_id).astype(np.uint8)
                local = np.asarray(cv2.connectedComponents(mask, connectivity=8)[1], np.int64)
                labels += np.where(local > 0, local + self._provisional, 0)
                self._provisional += int(local.max())
        return labels

    def _join_row(self, rect: Rect, labels: Labels, class_ids: ClassIds) -> None:
        for shift in (-1, 0, 1):
            x0, x1 = max(rect.x + shift, 0), min(rect.right + shift, len(self._above.labels))
            own = slice(x0 - shift - rect.x, x1 - shift - rect.x)
            self._join(self._above.labels[x0:x1], self._above.class_ids[x0:x1], labels[0, own], class_ids[0, own])

    def _join_column(self, left: Labels, left_ids: ClassIds, labels: Labels, class_ids: ClassIds) -> None:
        self._join(left, left_ids, labels, class_ids)
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
    """The last row of pixels of a row of tiles."""

    def __init__(self, width: int) -> None:
        self.labels = np.zeros(width, np.int64)
        self.class_ids = np.zeros(width, np.int32)

    def put(self, rect: Rect, labels: Labels, class_ids: ClassIds) -> None:
        self.labels[rect.x : rect.right] = labels
        self.class_ids[rect.x : rect.right] = class_ids

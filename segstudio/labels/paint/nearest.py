"""Which of several sets of pixels is nearest to each of some points, exactly. A pure function."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_set"]

_SINGLE_KD_TREE = 4
"""OpenCV's number of the exact search (FLANN's KDTreeSingleIndex)."""
_ALL = -1
_AT_ONCE = 1 << 20


def nearest_set(points: NDArray[np.integer[Any]], sets: Sequence[NDArray[np.integer[Any]]]) -> NDArray[np.intp]:
    """For each point (n, 2) the index of the set (m, 2) that has the nearest pixel; of equal distances the first."""
    import cv2

    best = np.full(len(points), np.inf, np.float32)
    found = np.zeros(len(points), np.intp)
    origin = points.min(axis=0) if len(points) else np.zeros(2, np.int64)
    for number, pixels in enumerate(sets):
        index = cv2.flann.Index((pixels - origin).astype(np.float32), {"algorithm": _SINGLE_KD_TREE})
        for start in range(0, len(points), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            wanted = (points[some] - origin).astype(np.float32)
            squares = np.asarray(index.knnSearch(wanted, 1, params={"checks": _ALL})[1], np.float32)[:, 0]
            nearer = squares < best[some]
            best[some][nearer] = squares[nearer]
            found[some][nearer] = number
    return found

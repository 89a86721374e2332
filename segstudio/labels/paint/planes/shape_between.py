"""The shape between two shapes: shape-based interpolation after Raya and Udupa (1990).

Each shape is turned into distances from its edge, positive inside, which are mixed linearly; what is positive then is
inside. A shape that is empty at one end has no edge to go to, and nothing lies between it and the other.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["edge_distances", "shape_between"]

_FAR = np.float32(1 << 20)


def edge_distances(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance in pixels of each pixel's centre from the edge of a mask (h, w), positive inside.

    What lies beyond the array counts as no part of the edge: an object cut by the border of its image goes on there.
    """
    import cv2

    if mask.all():
        return np.full(mask.shape, _FAR, np.float32)
    if not mask.any():
        return np.full(mask.shape, -_FAR, np.float32)
    inside = np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    outside = np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    return np.where(mask, inside - np.float32(0.5), np.float32(0.5) - outside).astype(np.float32)


def shape_between(first: NDArray[np.bool_], last: NDArray[np.bool_], fraction: float) -> NDArray[np.bool_]:
    """The shape (h, w) that lies at a fraction (0..1) of the way from one mask to another of its size."""
    if not (first.any() and last.any()):
        return np.zeros(first.shape, np.bool_)
    return (1 - fraction) * edge_distances(first) + fraction * edge_distances(last) > 0

"""Reduced images for views that show them small: level n is 2**n times smaller, box filtered."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["halved"]


def halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image (h, w, 3) at half the size, each pixel the mean of 2 x 2, h and w at least 1.

    A last odd row or column counts twice and makes a pixel of its own, so that every level begins at the same corner
    and its pixels lie on those of the level below.
    """
    import cv2

    h, w = pixels.shape[:2]
    if h % 2 or w % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, h % 2, 0, w % 2, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)

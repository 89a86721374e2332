"""Images at other sizes. Those for views that show them small: level n is 2**n times smaller, box filtered."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["halved", "resized"]

_MOST_CHANNELS = 4
"""OpenCV resizes no more at once."""

Sample = TypeVar("Sample", np.uint8, np.uint16, np.float32)


def resized(pixels: NDArray[Sample], width: int, height: int) -> NDArray[Sample]:
    """Pixels (h, w, c), any number of channels, at another size (height, width, c): each the mean of those that it
    covers where the image shrinks, bilinear where it grows.
    """
    import cv2

    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    parts = [
        cv2.resize(np.ascontiguousarray(pixels[:, :, i : i + _MOST_CHANNELS]), (width, height), interpolation=how)
        for i in range(0, pixels.shape[2], _MOST_CHANNELS)
    ]
    shaped = [np.asarray(part, pixels.dtype).reshape(height, width, -1) for part in parts]
    return shaped[0] if len(shaped) == 1 else np.concatenate(shaped, 2)


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
    return resized(pixels, *size)

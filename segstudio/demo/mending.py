"""What is wrong with a mask, and the strokes that mend it."""

import numpy as np
from numpy.typing import NDArray

from segstudio.demo.hand import HandStroke, strokes_for

__all__ = ["iou_of", "wrong_strokes"]

_SPOT_PX = 6


def iou_of(truth: NDArray[np.uint8], found: NDArray[np.integer]) -> float:
    """IoU of the foreground, value 1."""
    both = int(((truth == 1) & (found == 1)).sum())
    either = int(((truth == 1) | (found == 1)).sum())
    return both / either if either else 0.0


def wrong_strokes(
    truth: NDArray[np.uint8], found: NDArray[np.integer], most: int = 1000
) -> tuple[list[HandStroke], list[HandStroke]]:
    """The strokes for objects that `found` (h, w) misses, and those for background where it has too much.

    Background is not counted where nothing was found (255), because it is filled in one step.
    """
    objects = strokes_for((truth == 1) & ~_widened(found == 1), truth == 1, most, _SPOT_PX)
    ground = strokes_for((found == 1) & ~_widened(truth == 1), truth == 0, most, _SPOT_PX)
    return objects, ground


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels around it, so that an edge that is off by one counts as right."""
    import cv2

    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0

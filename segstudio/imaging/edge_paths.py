"""Paths along the edges of an image: intelligent scissors (Mortensen and Barrett, SIGGRAPH 1995), by OpenCV."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["EdgeMap"]

Cell: TypeAlias = tuple[int, int]

_FLAT = 6.0
"""Steepness (shades of 255 a pixel, mean along a path) below which there is no edge worth following."""
_STEEPEST = 200.0
_CANNY = (32.0, 100.0)


class EdgeMap:
    """The best paths from one pixel to every other of a picture; to make it takes some 0.1 s for 600 x 600 pixels."""

    def __init__(self, colours: NDArray[np.uint8], start: Cell) -> None:
        """`colours` (h, w, 3), `start` (x, y)."""
        import cv2

        smooth = cv2.GaussianBlur(np.ascontiguousarray(colours), (0, 0), 1.0)
        grey = cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY)
        # Divided by 8, the weights of one side of Sobel's kernel twice over: shades from one pixel to the next.
        self._steepness = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
        self._start = start
        self._scissors = None
        if float(self._steepness.max(initial=0.0)) >= _FLAT and min(colours.shape[:2]) >= 3:
            self._scissors = cv2.segmentation.IntelligentScissorsMB()
            self._scissors.setEdgeFeatureCannyParameters(*_CANNY)
            self._scissors.setGradientMagnitudeMaxLimit(_STEEPEST)
            self._scissors.applyImage(smooth)
            self._scissors.buildMap(start)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self._steepness.shape[1], self._steepness.shape[0]

    def path(self, to: Cell) -> NDArray[np.int32]:
        """The way from the start to another pixel, as corners (n, 2), x and y; its two ends where there is no edge."""
        ends = np.array([self._start, to], np.int32)
        if self._scissors is None or self._start == to:
            return ends
        found = np.asarray(self._scissors.getContour(to), np.int32).reshape(-1, 2)
        if len(found) < 2 or float(self._steepness[found[:, 1], found[:, 0]].mean()) < _FLAT:
            return ends
        return _corners(found)


def _corners(path: NDArray[np.int32]) -> NDArray[np.int32]:
    """A path without the pixels at which it goes straight on."""
    steps = np.diff(path, axis=0)
    turns = (steps[1:] != steps[:-1]).any(axis=1)
    return path[np.concatenate([[True], turns, [True]])]

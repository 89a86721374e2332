"""Superpixels: small areas of similar pixels whose borders follow the edges of an image. Pure functions.

Waterpixels (Machairas et al., IEEE TIP 2015): a watershed from seeds on a grid, each moved to the flattest place near
by. The seeds are those of the whole plane, so a superpixel has the same number in every window in which it lies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["Superpixels", "superpixels"]

_BLUR = 1.0
_TRIES = ((0, 0), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Where a seed may go, in quarters of a grid step; it stays where nothing is flatter."""


@dataclass(frozen=True, slots=True, eq=False)
class Superpixels:
    """Those of a rectangle: `labels` (h, w) int32 are places in `numbers`, which name them in the whole plane."""

    labels: NDArray[np.int32]
    numbers: NDArray[np.int64]

    def under(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The numbers of the superpixels that have a pixel in `mask` (h, w)."""
        present = np.zeros(len(self.numbers), np.bool_)
        present[self.labels[mask]] = True
        return self.numbers[present]

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The pixels (h, w) of superpixels."""
        chosen = np.isin(self.numbers, numbers)
        return np.take(chosen, self.labels)


def superpixels(colours: Callable[[Rect], NDArray[np.uint8]], bounds: Rect, rect: Rect, step: int) -> Superpixels:
    """The superpixels of a rectangle of a plane, some `step` pixels wide; `colours` reads (h, w, 3) of a rectangle."""
    import cv2

    window = rect.grown(2 * step).intersected(bounds)
    rows, columns = _centres(window.y, window.bottom, bounds.h, step), _centres(window.x, window.right, bounds.w, step)
    # The watershed leaves a frame of one pixel alone.
    framed = cv2.copyMakeBorder(colours(window), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    image = np.asarray(cv2.GaussianBlur(framed, (0, 0), _BLUR), np.uint8)
    grid_y, grid_x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    numbers = (grid_y // step).astype(np.int64) * (-(-bounds.w // step)) + grid_x // step
    y, x = _settled(image, grid_y - window.y + 1, grid_x - window.x + 1, step)
    markers = np.zeros(image.shape[:2], np.int32)
    markers[y, x] = np.arange(1, len(numbers) + 1)
    labels = _without_lines(np.asarray(cv2.watershed(image, markers), np.int32)[1:-1, 1:-1])
    inside = np.s_[rect.y - window.y : rect.bottom - window.y, rect.x - window.x : rect.right - window.x]
    return Superpixels(labels[inside] - 1, numbers)


def _centres(first: int, end: int, size: int, step: int) -> NDArray[np.int64]:
    """The centres of grid cells in first ... end - 1; the last cell of a plane may be cut short."""
    cells = np.arange(first // step, -(-end // step))
    centres = np.minimum(cells * step + step // 2, size - 1)
    return centres[(centres >= first) & (centres < end)]


def _settled(
    image: NDArray[np.uint8], y: NDArray[np.int64], x: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seeds moved to the flattest of nine places around them, never onto one another."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    steep = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    tries = [
        (np.clip(y + dy * step // 4, 1, grey.shape[0] - 2), np.clip(x + dx * step // 4, 1, grey.shape[1] - 2))
        for dy, dx in _TRIES
    ]
    best = np.argmin([steep[at] for at in tries], axis=0)
    which = np.arange(len(y))
    return np.stack([at[0] for at in tries])[best, which], np.stack([at[1] for at in tries])[best, which]


def _without_lines(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The pixels of the lines between basins given to a basin beside them."""
    import cv2

    found = np.ascontiguousarray(labels, np.float32)  # exact: a window has far fewer than 2 ** 24 seeds
    while (lines := found < 1).any():  # also the pixels that lines alone surround
        found[lines] = cv2.dilate(found, np.ones((3, 3), np.uint8))[lines]
    return found.astype(np.int32)

"""The layer of the image: draws its samples, in their view, into rectangles of device pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, ViewTransform
from segstudio.imaging.display import is_plain
from segstudio.ui.canvas.compose import Grid, Pixels, coloured, grid_of, ground, resampled

__all__ = ["NEUTRAL", "ImageLayer"]

NEUTRAL = 0xFF2B2B2B
"""The colour around the image: a neutral dark grey in every theme."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What a view picks of the samples, at the pixels of a rectangle."""

    transform: ViewTransform
    rect: Rect
    picks: tuple[object, ...]
    samples: NDArray[Any]


class ImageLayer:
    """Draws 0xffRRGGBB. What was resampled last is kept, a view's size at most: between other levels, or in other
    colours, nothing but the look-up is new.
    """

    def __init__(self) -> None:
        self._pixels: Pixels | None = None
        self._kept: _Kept | None = None

    @property
    def pixels(self) -> Pixels | None:
        """What is drawn; None = the neutral grey alone."""
        return self._pixels

    @pixels.setter
    def pixels(self, pixels: Pixels | None) -> None:
        if pixels is None or self._pixels is None or pixels.stored is not self._pixels.stored:
            self._kept = None
        self._pixels = pixels

    def renewed(self) -> None:
        """The same pixels are sharper than they were drawn."""
        self._kept = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in pixels; (1, 1) if there is none."""
        return (1, 1) if self._pixels is None else self._pixels.size

    def draw(self, transform: ViewTransform, rect: Rect, out: NDArray[np.uint32]) -> None:
        """Draw into a rectangle of a whole buffer (h, w)."""
        out[rect.y : rect.bottom, rect.x : rect.right] = NEUTRAL
        pixels = self._pixels
        grid = None if pixels is None else grid_of(transform, pixels.size, rect)
        if pixels is None or grid is None:
            return
        part = grid.rect
        target = out[part.y : part.bottom, part.x : part.right]
        self._draw_picture(pixels, transform, grid, target)
        if pixels.beyond is not None:
            # Nothing is there: the ground is seen, as around the image.
            target[pixels.beyond.at(grid.xs, grid.ys)] = NEUTRAL

    def _draw_picture(self, pixels: Pixels, transform: ViewTransform, grid: Grid, target: NDArray[np.uint32]) -> None:
        part = grid.rect
        if grid.scale >= 1 or is_plain(pixels.dtype, pixels.view):
            ground(pixels, grid, target)
            return
        kept, picks = self._kept, pixels.view.picks
        if kept is None or (kept.transform, kept.rect, kept.picks) != (transform, part, picks):
            kept = self._kept = _Kept(transform, part, picks, resampled(pixels, grid))
        coloured(kept.samples, pixels.view, target)

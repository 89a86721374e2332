"""Rectangles, tile arithmetic and the transform between image and view. No pixels, no Qt."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

__all__ = ["TILE", "Rect", "ViewTransform", "tile_rect", "tiles_of"]

TILE = 256
"""Side of a label tile in pixels."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A half-open rectangle of whole pixels: x <= column < x + w, y <= row < y + h."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        """First column beyond the rectangle."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """First row beyond the rectangle."""
        return self.y + self.h

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.w <= 0 or self.h <= 0

    @property
    def area(self) -> int:
        """Number of pixels."""
        return 0 if self.empty else self.w * self.h

    @classmethod
    def of_edges(cls, left: float, top: float, right: float, bottom: float) -> "Rect":
        """The smallest rectangle of whole pixels that covers the given edges."""
        x, y = floor(left), floor(top)
        return cls(x, y, ceil(right) - x, ceil(bottom) - y)

    def intersected(self, other: "Rect") -> "Rect":
        """The part that both cover; of size 0 x 0 if they do not meet."""
        # Compared by hand, here and below: a stroke does this a thousand times a second.
        x = self.x if self.x > other.x else other.x
        y = self.y if self.y > other.y else other.y
        right, other_right = self.x + self.w, other.x + other.w
        bottom, other_bottom = self.y + self.h, other.y + other.h
        w = (right if right < other_right else other_right) - x
        h = (bottom if bottom < other_bottom else other_bottom) - y
        return Rect(x, y, w, h) if w > 0 and h > 0 else Rect(x, y, 0, 0)

    def united(self, other: "Rect") -> "Rect":
        """The smallest rectangle that covers both; an empty one counts for nothing."""
        if self.w <= 0 or self.h <= 0:
            return other
        if other.w <= 0 or other.h <= 0:
            return self
        x = self.x if self.x < other.x else other.x
        y = self.y if self.y < other.y else other.y
        right, other_right = self.x + self.w, other.x + other.w
        bottom, other_bottom = self.y + self.h, other.y + other.h
        return Rect(
            x,
            y,
            (right if right > other_right else other_right) - x,
            (bottom if bottom > other_bottom else other_bottom) - y,
        )

    def grown(self, margin: int) -> "Rect":
        """The rectangle with a margin on every side."""
        return Rect(self.x - margin, self.y - margin, self.w + 2 * margin, self.h + 2 * margin)

    def moved(self, dx: int, dy: int) -> "Rect":
        """The rectangle shifted."""
        return Rect(self.x + dx, self.y + dy, self.w, self.h)


def tile_rect(ty: int, tx: int) -> Rect:
    """The pixels of tile (ty, tx); its edge tiles reach beyond the image."""
    return Rect(tx * TILE, ty * TILE, TILE, TILE)


def tiles_of(rect: Rect) -> Iterator[tuple[int, int]]:
    """Keys (ty, tx) of all tiles that a rectangle touches, row by row."""
    if rect.empty:
        return
    for ty in range(rect.y // TILE, (rect.bottom - 1) // TILE + 1):
        for tx in range(rect.x // TILE, (rect.right - 1) // TILE + 1):
            yield ty, tx


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """view = image * scale + offset, the same scale for x and y; scale is view pixels for one image pixel, > 0."""

    scale: float
    dx: float
    dy: float

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """View position of an image position; (0, 0) is the outer corner of the first pixel."""
        return x * self.scale + self.dx, y * self.scale + self.dy

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Image position of a view position."""
        return (x - self.dx) / self.scale, (y - self.dy) / self.scale

    def zoomed(self, factor: float, x: float, y: float) -> "ViewTransform":
        """Scale changed by a factor, the view position (x, y) staying over the same image position."""
        ix, iy = self.to_image(x, y)
        scale = self.scale * factor
        return ViewTransform(scale, x - ix * scale, y - iy * scale)

    def panned(self, dx: float, dy: float) -> "ViewTransform":
        """Shifted by view pixels."""
        return ViewTransform(self.scale, self.dx + dx, self.dy + dy)

    def image_rect(self, x: float, y: float, w: float, h: float) -> Rect:
        """The image pixels that a rectangle of the view shows, partly shown ones included."""
        left, top = self.to_image(x, y)
        right, bottom = self.to_image(x + w, y + h)
        return Rect.of_edges(left, top, right, bottom)

    @classmethod
    def fitting(cls, image: tuple[int, int], view: tuple[float, float], margin: float = 0.0) -> "ViewTransform":
        """The whole image (w, h), centred in the view (w, h)."""
        scale = min((view[0] - 2 * margin) / max(image[0], 1), (view[1] - 2 * margin) / max(image[1], 1))
        scale = max(scale, 1e-6)
        return cls(scale, (view[0] - image[0] * scale) / 2, (view[1] - image[1] * scale) / 2)

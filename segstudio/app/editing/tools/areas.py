"""What matches in an image or a proposal, tile by tile: the sources of wand, threshold and snap. Pure values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.paint.flood import Mask, Matches
from segstudio.labels.paint.region import Place
from segstudio.labels.paint.stroke import Spans
from segstudio.labels.proposal import Proposal
from segstudio.labels.tiles.tile import EMPTY, Constant

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.levels import Levels
    from segstudio.imaging.value_range import ValueRange

__all__ = [
    "LEVELS",
    "Sight",
    "covered",
    "level_for",
    "levels_of",
    "of_class",
    "of_range",
    "pixel_at",
    "sight_of",
    "value_at",
    "within_picture",
]


LEVELS = 9
"""A cell of the coarsest is a tile."""


def pixel_at(point: tuple[float, float], bounds: Rect) -> tuple[int, int] | None:
    """The pixel (x, y) under a point of the image; None outside."""
    x, y = int(point[0] // 1), int(point[1] // 1)
    return None if Rect(x, y, 1, 1).intersected(bounds).empty else (x, y)


def value_at(image: DisplayImage, x: int, y: int) -> NDArray[Any]:
    """The value (c,) of a pixel."""
    return image.samples(0, Rect(x, y, 1, 1))[0, 0]


def levels_of(image: DisplayImage) -> tuple[Levels, ...]:
    """The levels of each channel of the image, as it is shown."""
    view = image.automatic if image.view.formula is not None else image.view
    shown = {channel.index: channel.levels for channel in view.channels}
    return tuple(shown.get(channel, image.levels_of(channel)) for channel in range(image.channels))


def decoded_at(image: DisplayImage) -> Callable[[Place], bool]:
    """Whether the pixels of a tile are there, so that asking for them waits for nothing."""
    return lambda place: image.has(0, tile_rect(*place))


def of_range(image: DisplayImage, within: ValueRange) -> Matches:
    """Matches pixels whose values lie in a range."""

    def matches(place: Place) -> Mask | bool:
        mask = within.mask(image.samples(0, tile_rect(*place)))
        if mask.shape == (TILE, TILE):
            return mask
        padded = np.zeros((TILE, TILE), np.bool_)
        padded[: mask.shape[0], : mask.shape[1]] = mask
        return padded

    return matches


def within_picture(matches: Matches, image: DisplayImage | None) -> Matches:
    """The same without pixels outside the picture."""
    if image is None or image.beyond is None:
        return matches
    bounds = Rect(0, 0, *image.size)

    def inside(place: Place) -> Mask | bool:
        found = matches(place)
        part = tile_rect(*place).intersected(bounds)
        beyond = None if found is False else image.outside(part)
        if beyond is None:
            return found
        kept = np.zeros((TILE, TILE), np.bool_)
        kept[: part.h, : part.w] = ~beyond
        return kept if found is True else kept & found

    return inside


def of_class(proposal: Proposal, class_id: int) -> Matches:
    """Matches pixels for which this class is proposed."""
    chosen = proposal.class_lookup() == class_id

    def matches(place: Place) -> Mask | bool:
        tile = proposal.tiles.get(place)
        labels = EMPTY if tile is None else tile.labels
        return bool(chosen[labels.id]) if isinstance(labels, Constant) else chosen[labels.ids]

    return matches


def covered(spans: Spans, rect: Rect) -> Mask:
    """Which pixels (h, w) of a rectangle spans cover; it lies within their rows."""
    rows = slice(rect.y - spans.top, rect.bottom - spans.top)
    columns = np.arange(rect.x, rect.right)
    return (columns >= spans.left[rows, None]) & (columns < spans.right[rows, None])


class Sight:
    """The part of the image in view, at the level at which it is shown: where a preview is computed.

    `rect` is in image pixels and begins and ends at whole pixels of the level `level`, reduced by `step`.
    """

    def __init__(self, rect: Rect, level: int) -> None:
        self.level, self.step = level, 1 << level
        x, y = rect.x // self.step, rect.y // self.step
        self.cells = Rect(x, y, -(-rect.right // self.step) - x, -(-rect.bottom // self.step) - y)
        self.rect = Rect(x * self.step, y * self.step, self.cells.w * self.step, self.cells.h * self.step)

    def of_range(self, image: DisplayImage, within: ValueRange) -> Mask:
        """Which cells (h, w) of an image lie in a range."""
        mask = within.mask(image.samples(self.level, self.cells))
        out = np.zeros((self.cells.h, self.cells.w), np.bool_)
        out[: mask.shape[0], : mask.shape[1]] = mask
        return out

    def outside(self, image: DisplayImage) -> Mask:
        """Which cells (h, w) lie outside the picture, by their middle."""
        out = np.zeros((self.cells.h, self.cells.w), np.bool_)
        if image.beyond is not None:
            width, height = image.size
            xs = (np.arange(self.cells.x, self.cells.right) + 0.5) * self.step
            ys = (np.arange(self.cells.y, self.cells.bottom) + 0.5) * self.step
            found = image.beyond.at(xs[xs < width], ys[ys < height])
            out[: found.shape[0], : found.shape[1]] = found
        return out

    def of(self, matches: Matches) -> Mask:
        """Which cells (h, w) match, by one pixel of each."""
        out = np.zeros((self.cells.h, self.cells.w), np.bool_)
        for place in tiles_of(self.rect):
            tile = tile_rect(*place)
            part = tile.intersected(self.rect)
            if (found := matches(place)) is False:
                continue
            rows, columns = ((part.y - self.rect.y) // self.step, (part.x - self.rect.x) // self.step)
            target = np.s_[rows : rows + part.h // self.step, columns : columns + part.w // self.step]
            y, x = part.y - tile.y, part.x - tile.x
            cut = np.s_[y : y + part.h : self.step, x : x + part.w : self.step]
            out[target] = True if found is True else found[cut]
        return out

    def around(self, mask: Mask, x: int, y: int) -> Mask:
        """The 4-connected part of `mask` that holds the cell of a pixel, which counts as matching."""
        import cv2

        at = (y // self.step - self.cells.y, x // self.step - self.cells.x)
        if not (0 <= at[0] < mask.shape[0] and 0 <= at[1] < mask.shape[1]):
            return np.zeros_like(mask)
        mask[at] = True
        labels = np.asarray(cv2.connectedComponents(mask.view(np.uint8), connectivity=4)[1])
        return labels == labels[at]


def level_for(scale: float, levels: int = LEVELS) -> int:
    """The level of the image that is shown at `scale` (view pixels for one image pixel): the finest that is needed."""
    level = 0
    while level < min(levels, LEVELS) - 1 and scale * (1 << level) < 1:
        level += 1
    return level


def sight_of(view: Rect | None, bounds: Rect, scale: float, levels: int = LEVELS) -> Sight:
    """What is in view; all of the image where that is not known."""
    seen = bounds if view is None or view.intersected(bounds).empty else view.intersected(bounds)
    return Sight(seen, level_for(scale, levels))

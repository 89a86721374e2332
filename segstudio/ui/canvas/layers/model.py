"""The layer of the model's own view: how sure it is, or what it would change, drawn in the place of its proposal."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, ViewTransform, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassTable, Kind
from segstudio.labels.proposal_views import CONFIDENCE_LEVELS, gained, lost
from segstudio.labels.tiles.overview import Marks, Overviews, TileSource
from segstudio.ui.canvas.compose import Grid, edges, grid_of, marks_in_view
from segstudio.ui.canvas.palette import between, premultiplied

__all__ = ["SURE", "UNSURE", "ModelLayer", "ModelTiles", "confidence_colors"]

SURE, UNSURE = "#ffb000", "#dc267f"
"""From the surest to the least sure, which colour-blind people can tell apart (and which is also more opaque)."""

_UNSURE_ALPHA = 0.85
_CLEAR_LEVELS = 2
"""So many of the surest levels are not drawn at all."""

_STRIPE_PX = 3
_GAIN_ALPHA, _LOSS_ALPHA, _GAP_ALPHA, _RIM_ALPHA = 0.6, 0.8, 0.2, 1.0


class ModelTiles(TileSource, Protocol):
    """Codes by tile, as `labels.proposal_views` has them."""

    def forget(self, keys: list[TileKey] | None = None, /) -> None:
        """Labels within these tiles have changed, or may have everywhere."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Inks:
    """`mark_of` is indexed by code; `colors` by mark for pixels, stripes' gaps and rims: (3, marks), premultiplied.

    What is drawn `above` the labels hides them; the rest fills only what is bare.
    """

    mark_of: Marks
    colors: NDArray[np.uint32]
    above: bool
    striped_from: int


class ModelLayer:
    """Draws into the buffer of the labels. `size` is that of the image in pixels."""

    def __init__(self) -> None:
        self.shown = True
        self.line_px = 1
        self.size: tuple[int, int] = (1, 1)
        self._plane = 0
        self._tiles: ModelTiles | None = None
        self._inks: _Inks | None = None
        self._overviews = Overviews()

    @property
    def empty(self) -> bool:
        """Whether nothing is drawn."""
        return self._tiles is None or not self.shown

    def show_nothing(self) -> None:
        """Draw nothing."""
        self._tiles = self._inks = None
        self._overviews.clear()

    def show_confidence(self, tiles: ModelTiles, plane: int) -> None:
        """Draw how sure the model is where nothing is labelled."""
        self._show(tiles, plane, _confidence_inks())

    def show_difference(self, tiles: ModelTiles, plane: int, classes: ClassTable) -> None:
        """Draw what would change above the labels: filled in the class that would come, striped in one that would give
        way to background."""
        self._show(tiles, plane, _difference_inks(classes))

    def touched(self, rect: Rect) -> None:
        """Labels within a rectangle of image pixels may have changed."""
        if self._tiles is not None:
            keys = [(self._plane, *place) for place in tiles_of(rect)]
            self._tiles.forget(keys)
            self._overviews.forget(keys)

    def spoil(self) -> None:
        """Labels may have changed everywhere, or count as other classes."""
        if self._tiles is not None:
            self._tiles.forget()
            self._overviews.clear()

    def draw(
        self,
        transform: ViewTransform,
        rect: Rect,
        out: NDArray[np.uint32],
        labelled: Callable[[Grid], NDArray[np.bool_]],
        deadline: float = inf,
    ) -> list[TileKey]:
        """Draw into a rectangle of a whole buffer (h, w) that has the labels; returns the tiles that are late.

        `labelled` says which pixels of a grid show labels.
        """
        tiles, inks = self._tiles, self._inks
        wide = grid_of(transform, self.size, rect.grown(self.line_px))
        grid = grid_of(transform, self.size, rect)
        if tiles is None or inks is None or not self.shown or grid is None or wide is None:
            return []
        late: list[TileKey] = []
        marks = self._marks(tiles, wide, late, deadline)
        if not marks.any():
            return late
        part, x, y = grid.rect, grid.rect.x - wide.rect.x, grid.rect.y - wide.rect.y
        drawn = self._colored(marks, inks, (wide.rect.x - floor(transform.dx), wide.rect.y - floor(transform.dy)))
        cut = np.s_[y : y + part.h, x : x + part.w]
        target = out[part.y : part.bottom, part.x : part.right]
        np.copyto(target, drawn[cut], where=marks[cut] > 0 if inks.above else ~labelled(grid))
        return late

    def _show(self, tiles: ModelTiles, plane: int, inks: _Inks) -> None:
        if tiles is not self._tiles or plane != self._plane:
            self._overviews.clear()
        self._overviews.set_lookup(inks.mark_of)
        self._tiles, self._plane, self._inks = tiles, plane, inks

    def _marks(self, tiles: ModelTiles, grid: Grid, late: list[TileKey], deadline: float) -> Marks:
        def read(level: int, rect: Rect) -> Marks:
            marks, missing = self._overviews.region(tiles, self._plane, rect, level, deadline)
            late.extend(missing)
            return marks

        return marks_in_view(read, grid, self.size)

    def _colored(self, marks: Marks, inks: _Inks, origin: tuple[int, int]) -> NDArray[np.uint32]:
        fill, gap, rim = inks.colors
        drawn = np.take(fill, marks)
        if inks.above:
            striped = (marks >= inks.striped_from) & _stripes(marks.shape, origin)
            np.copyto(drawn, np.take(gap, marks), where=striped)
            np.copyto(drawn, np.take(rim, marks), where=edges(marks, self.line_px) & (marks > 0))
        return drawn


def confidence_colors() -> NDArray[np.uint32]:
    """The colour of each code of confidence, premultiplied ARGB: nothing, the surest level, ... the least sure."""
    colors = np.zeros(CONFIDENCE_LEVELS + 1, np.uint32)
    for code in range(1 + _CLEAR_LEVELS, CONFIDENCE_LEVELS + 1):
        share = (code - _CLEAR_LEVELS) / (CONFIDENCE_LEVELS - _CLEAR_LEVELS)
        colors[code] = premultiplied(between(SURE, UNSURE, share), _UNSURE_ALPHA * share)
    return colors


def _confidence_inks() -> _Inks:
    colors = confidence_colors()
    return _Inks(
        np.arange(CONFIDENCE_LEVELS + 1, dtype=np.uint8), np.stack([colors, colors, colors]), False, len(colors)
    )


def _difference_inks(classes: ClassTable) -> _Inks:
    """Marks of gains first, then of losses, which win where the view is too small for both."""
    seen = [c for c in classes if c.visible and c.kind is not Kind.IGNORE]
    highest = max((int(c.id) for c in classes.all), default=0)
    mark_of = np.zeros(lost(highest) + 1, np.uint16)
    colors = np.zeros((3, 2 * len(seen) + 1), np.uint32)
    for place, label_class in enumerate(seen, start=1):
        gain, loss = place, len(seen) + place
        mark_of[gained(label_class.id)], mark_of[lost(label_class.id)] = gain, loss
        colors[0, gain] = premultiplied(label_class.color, _GAIN_ALPHA)
        colors[0, loss] = premultiplied(label_class.color, _LOSS_ALPHA)
        colors[1, loss] = premultiplied("#000000", _GAP_ALPHA)
        colors[2, gain] = colors[2, loss] = premultiplied(label_class.color, _RIM_ALPHA)
    return _Inks(mark_of, colors, True, len(seen) + 1)


def _stripes(shape: tuple[int, ...], origin: tuple[int, int]) -> NDArray[np.bool_]:
    """Diagonal stripes (h, w), read-only, that lean the other way than those of proposals; `origin` is the position of
    the first pixel from the corner of the image."""
    h, w = shape
    along = (np.arange(h + w) + origin[0] - origin[1] - h) // _STRIPE_PX % 2 == 0
    return np.lib.stride_tricks.sliding_window_view(along, w)[h:0:-1]

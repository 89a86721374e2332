"""Brushes that paint only where something matches: values in a range, or one proposed class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segstudio.app.editing.tools.areas import covered
from segstudio.app.editing.tools.base import Answer, Context
from segstudio.app.editing.tools.overlay import Overlay, Patch, Words
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Pointer
from segstudio.app.editing.tools.stroke import StrokeTool
from segstudio.geometry import TILE, tile_rect, tiles_of
from segstudio.labels.edit import TileKey
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.flood import Mask, Matches
from segstudio.labels.paint.policy import MayTouch
from segstudio.labels.paint.region import Place
from segstudio.labels.paint.stroke import Point, capsule_spans

__all__ = ["WIDEST_PREVIEW_PX", "Limit", "LimitedBrush"]

WIDEST_PREVIEW_PX = 256.0


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """Where a brush may paint, and how that is called beside the pointer while it does. Where pixels are not `ready`,
    since they are still being decoded, it does not paint: the hand never waits.
    """

    matches: Matches
    words: str = ""
    ready: Callable[[Place], bool] = lambda _place: True


class LimitedBrush(StrokeTool):
    """A brush whose limit is found where it is pressed and lasts for the stroke. `find` gives it, or says why there is
    none. Before a press, the pixels under the brush that it would paint are shown.
    """

    def __init__(self, name: str, find: Callable[[Context, Pointer], Limit | str]) -> None:
        super().__init__(name)
        self._find = find
        self._limit: Limit | None = None
        self._masks: dict[Place, Mask | None] = {}

    def press(self, event: Pointer, context: Context) -> Answer:
        """Find the limit, and begin a stroke with it."""
        if self.active:
            return Answer()
        found = self._find(context, event)
        if isinstance(found, str):
            return Answer(says=found, overlay=())
        self._limit, self._masks = found, {}
        return self._with_words(super().press(event, context), event)

    def move(self, event: Pointer, context: Context) -> Answer:
        """Continue to a further point."""
        return self._with_words(super().move(event, context), event)

    def hover(self, event: Pointer, context: Context) -> Answer:
        """Show what a press would paint, or with Shift its line."""
        line = super().hover(event, context)
        if line.overlay:
            return line
        found = self._find(context, event)
        if isinstance(found, str):
            return Answer(overlay=())
        return Answer(overlay=_preview(context, event, found.matches))

    def leave(self, event: Pointer, context: Context) -> Answer:
        """Show nothing any more."""
        return Answer() if self.active else Answer(overlay=())

    def _begun(self, context: Context, at: Point, label_class: LabelClass | None, may: MayTouch | None) -> Painting:
        return Painting(context, self.name, at, label_class, within=self._within, may=may)

    def _within(self, key: TileKey) -> NDArray[np.bool_] | None:
        assert self._limit is not None
        place = key[1:]
        if place not in self._masks:
            if not self._limit.ready(place):
                return np.zeros((TILE, TILE), np.bool_)
            found = self._limit.matches(place)
            if isinstance(found, bool):
                found = None if found else np.zeros((TILE, TILE), np.bool_)
            self._masks[place] = found
        return self._masks[place]

    def _with_words(self, answer: Answer, event: Pointer) -> Answer:
        words = "" if self._limit is None else self._limit.words
        return replace(answer, overlay=(Words(event.x, event.y, words),)) if words and self.active else answer


def _preview(context: Context, event: Pointer, matches: Matches) -> Overlay:
    """The pixels under the brush that match; none where the brush is too wide to look at all of them in time."""
    radius = context.paint.radius
    if radius > WIDEST_PREVIEW_PX:
        return ()
    spans = capsule_spans(event.at, event.at, radius, context.document.raster.bounds(context.paint.plane))
    rect = spans.bounds
    if rect.empty:
        return ()
    mask = covered(spans, rect)
    for place in tiles_of(rect):
        part = tile_rect(*place).intersected(rect)
        inside = np.s_[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
        y, x = part.y % TILE, part.x % TILE
        found = matches(place)
        if found is not True:
            mask[inside] &= False if found is False else found[y : y + part.h, x : x + part.w]
    return (Patch(rect, mask, context.paint.label_class.color),)

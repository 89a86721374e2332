"""Picks the range of values that a stroke may change: a click, or a rectangle dragged over the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segstudio.app.editing.tools.base import Answer, Context, Cursor, Effect, End, Tool, ToolHandler
from segstudio.app.editing.tools.overlay import Polyline
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.geometry import Rect
from segstudio.labels.paint.limits import ValueRange
from segstudio.text import N_

if TYPE_CHECKING:
    from segstudio.app.editing.tool_state import ToolState
    from segstudio.labels.edit import Edit

__all__ = ["ValuePicker", "pick_values", "values_within"]

_CLICK_PX = 2
"""A click takes the pixels up to this far away as well: a single one would be a range of one value."""
_MOST_PX = 1 << 20


class ValuePicker(ToolHandler):
    """From the press of the left button to its release; `picked` gets the rectangle and the context."""

    def __init__(self, picked: Callable[[Rect, Context], None]) -> None:
        self._picked = picked
        self._from: tuple[float, float] | None = None

    @property
    def active(self) -> bool:
        """Whether a rectangle has been begun."""
        return self._from is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """One corner."""
        if event.button is Button.LEFT:
            self._from = event.at
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """The opposite corner, so far."""
        if self._from is None:
            return Answer()
        (x0, y0), (x1, y1) = self._from, event.at
        return Answer(overlay=(Polyline(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), closed=True, dashed=True),))

    def release(self, event: Pointer, context: Context) -> Answer:
        """The opposite corner: the values in between are picked."""
        if self._from is None:
            return Answer()
        (x0, y0), (x1, y1) = self._from, event.at
        rect = Rect.of_edges(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self._picked(rect.grown(_CLICK_PX) if event.at == self._from else rect, context)
        return Answer(ends=End.KEEP)

    def commit(self, context: Context) -> Edit | None:
        """Forget the rectangle; labels are never changed."""
        self._from = None
        return None

    def abort(self) -> dict[int, Rect]:
        """Forget the rectangle."""
        self._from = None
        return {}


def pick_values(tools: ToolState, *, grey: bool) -> None:
    """Lend the picker for one use: it sets the range of grey, or of every channel, and the tool before is back.

    A rectangle outside the image changes nothing.
    """

    def picked(rect: Rect, context: Context) -> None:
        image = context.seen.image
        if image is not None and not image.has(0, rect):
            image.at_once(0, rect)  # asked for, so that the next try finds it
            return
        found = values_within(rect, context, grey=grey)
        if found:
            tools.limit_values(found)
        tools.give_back()

    tools.borrow(
        Tool(
            "pick-values",
            N_("Pick values"),
            N_("Click, or drag a rectangle, to limit strokes to the values there"),
            "search",
            (),
            lambda _row: ValuePicker(picked),
            Cursor.CROSS,
            Effect.NOTHING,
            hint=N_("Click, or drag a rectangle over the values that strokes may change"),
        )
    )


def values_within(rect: Rect, context: Context, *, grey: bool) -> tuple[ValueRange, ...]:
    """The lowest and highest value in a rectangle: of grey, or of every channel; () where no image is.

    NaN does not count. Of a very large rectangle only every n-th pixel is looked at.
    """
    import numpy as np

    image = context.seen.image
    if image is None:
        return ()
    step = int(max(1.0, (rect.area / _MOST_PX) ** 0.5))
    samples = image.samples(0, rect)[::step, ::step].astype(np.float64)
    if grey:
        samples = samples.mean(axis=2, keepdims=True)
    found: list[ValueRange] = []
    for channel in range(samples.shape[2]):
        values = samples[..., channel]
        values = values[np.isfinite(values)]
        if values.size:
            found.append(ValueRange(float(values.min()), float(values.max()), None if grey else channel))
    return tuple(found)

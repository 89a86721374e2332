"""A polygon tool in one file, as another package might bring it: what the table and its protocol are measured by.

Clicks add corners, Backspace takes the last one, Enter or a double click closes, Escape drops all. The polygon of the
program (`tools.polygon`) can do more; this one, named 'sketch', stays small enough to be read as an example.
"""

import numpy as np

from segstudio.app.editing.tools.base import Answer, Context, End, Tool, ToolHandler
from segstudio.app.editing.tools.overlay import Handles, Overlay, Polyline
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.paint.stroke import Point, Spans

__all__ = ["POLYGON", "Polygon", "polygon_spans"]

_NEAR_PX = 8.0


def polygon_spans(corners: list[Point], bounds: Rect) -> list[Spans]:
    """The pixels whose centre lies inside, by the even-odd rule, as layers of one span a row."""
    a, b = np.array(corners), np.roll(corners, -1, axis=0)
    rows = []
    for y in np.arange(bounds.y, bounds.bottom) + 0.5:
        crosses = (a[:, 1] <= y) != (b[:, 1] <= y)
        (ax, ay), (bx, by) = a[crosses].T, b[crosses].T
        x = np.sort(ax + (y - ay) / (by - ay) * (bx - ax))
        rows.append(np.clip(np.ceil(x - 0.5).astype(np.int64), bounds.x, bounds.right))
    layers = []
    for n in range(0, max(len(row) for row in rows), 2):
        pairs = np.array([row[n : n + 2] if len(row) > n else (0, 0) for row in rows])
        layers.append(Spans(bounds.y, pairs[:, 0], pairs[:, 1]))
    return layers


class Polygon(ToolHandler):
    """Under way from the first corner on; its corners are no labels until it closes."""

    keys = frozenset({Key.ENTER, Key.BACKSPACE})

    def __init__(self) -> None:
        self._corners: list[Point] = []
        self._painting: Painting | None = None

    @property
    def active(self) -> bool:
        return bool(self._corners) or self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        if event.button is Button.LEFT:
            self._corners.append(event.at)
        return Answer(overlay=self._overlay(event, context))

    def hover(self, event: Pointer, context: Context) -> Answer:
        return Answer(overlay=self._overlay(event, context))

    def double_click(self, event: Pointer, context: Context) -> Answer:
        return self._closed(context)

    def key(self, event: KeyEvent, context: Context) -> Answer:
        if not event.down:
            return Answer()
        if event.key is Key.ENTER:
            return self._closed(context)
        self._corners.pop()
        return Answer(overlay=self._overlay(None, context)) if self._corners else Answer(ends=End.DROP)

    def interrupted(self, context: Context) -> Answer:
        return Answer()

    def commit(self, context: Context) -> Edit | None:
        if self._painting is None:
            self._paint(context)
        edit = None if self._painting is None else self._painting.commit()
        self._corners, self._painting = [], None
        return edit

    def abort(self) -> dict[int, Rect]:
        painting, self._corners, self._painting = self._painting, [], None
        return {} if painting is None else painting.abort()

    def _closed(self, context: Context) -> Answer:
        return Answer(self._paint(context), ends=End.KEEP)

    def _paint(self, context: Context) -> Rect:
        changed = Rect(0, 0, 0, 0)
        if len(self._corners) > 2:
            self._painting = Painting(context, "sketch", self._corners[0], context.paint.label_class)
            for spans in polygon_spans(self._corners, self._painting.bounds):
                changed = changed.united(self._painting.spans(spans))
        return changed

    def _overlay(self, pointer: Pointer | None, context: Context) -> Overlay:
        if not self._corners:
            return ()
        corners = tuple(self._corners)
        hot = -1
        shapes: Overlay = (Polyline(corners, closed=len(corners) > 2, fill=context.paint.label_class.color),)
        if pointer is not None:
            near = [np.hypot(x - pointer.x, y - pointer.y) * pointer.scale <= _NEAR_PX for x, y in corners]
            hot = near.index(True) if any(near) else -1
            shapes += (Polyline((corners[-1], pointer.at), dashed=True),)
        return (*shapes, Handles(corners, hot))


POLYGON = Tool(
    "sketch",
    "Sketch",
    "Click corners; Enter closes, Backspace takes the last one",
    "fit",
    ("F2",),
    lambda _: Polygon(),
)

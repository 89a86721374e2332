"""A gesture that paints one region which has to be computed first: at once where that is quick, else on a worker.

It is painted in slices, so that no event holds the hand; the labels on screen follow at the end, as a whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TypeAlias

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import NOWHERE, Answer, Context, End, Later
from segstudio.app.editing.tools.overlay import Overlay, Patch
from segstudio.app.editing.tools.painting import Painting
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.flood import Cancelled
from segstudio.labels.paint.region import Place, Region
from segstudio.labels.paint.stroke import Point

__all__ = ["HURRY_S", "SLICE_S", "Compute", "Next", "RegionPainting", "Wanted"]

Compute: TypeAlias = Callable[[Cancelled], Region | None]
"""Finds a region; None where it was cancelled. It raises `UserError` where there is none to be had."""

_AT_ONCE_S = 0.004
SLICE_S = 0.004
"""How long an event may paint what was computed before."""
HURRY_S = 0.03
"""How long the rest of a gesture that is kept from outside may take where it is, all slices together."""
_BATCH = 16
"""Tiles between two looks at the clock."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is to be painted: a class (None = unknown), from a first point on, in the region that `compute` finds.

    `compute` is given the labels on the thread of the window, or a copy of them on a worker, and what it returns runs
    on a worker.
    """

    tool: str
    at: Point
    label_class: LabelClass | None
    compute: Callable[[Document], Compute]

    def painting(self, context: Context) -> Painting:
        """Begin to paint it."""
        return Painting(context, self.tool, self.at, self.label_class)

    def later(self, context: Context) -> Later:
        """All of it as an edit, once it is computed."""
        return Later(context, self._made, self.label_class)

    def _made(self, context: Context, cancelled: Cancelled) -> Edit | None:
        region = self.compute(context.document)(cancelled)
        if region is None:
            return None
        painting = self.painting(context)
        painting.region(region)
        return painting.commit()


class Next:
    """Nothing was computed: it is time for the next slice."""


class RegionPainting:
    """Paints what `quick` finds in time on the thread of the window, else what the worker finds.

    `waiting` is shown meanwhile, and below it what `preview` has the worker find first: the part in view. It makes its
    work when that is needed, on the thread of the window: then the labels may be copied.
    """

    def __init__(
        self,
        wanted: Wanted,
        context: Context,
        *,
        quick: Compute | None = None,
        waiting: Overlay = (),
        preview: Callable[[], Callable[[], Patch]] | None = None,
    ) -> None:
        self._wanted, self._context = wanted, context
        self._painting, self._preview = wanted.painting(context), preview
        self._quick, self._waiting = quick, waiting
        self._left: Iterator[tuple[Place, object]] | None = None
        self._changed = NOWHERE

    def begin(self) -> Answer:
        """Compute and paint, as far as that is quick."""
        if self._found_at_once():
            return self._slice()
        if self._preview is None:
            return Answer(asks=self._question(), overlay=self._waiting)
        shows = self._preview()
        return Answer(asks=Computation(lambda _: shows()), overlay=self._waiting)

    def arrived(self, value: object) -> Answer:
        """A result of the worker: the part in view, the region, or the time for the next slice."""
        if isinstance(value, Patch):
            return Answer(asks=self._question(), overlay=(value, *self._waiting))
        if isinstance(value, Region):
            return self.paint(value)
        return self._slice() if isinstance(value, Next) else Answer()

    def paint(self, region: Region) -> Answer:
        """Begin to paint a region; its last slice ends the gesture."""
        self._left = iter(region.tiles.items())
        return self._slice()

    def unfinished(self) -> Later | None:
        """What is left to be computed; None where the rest was quick, and is painted now."""
        if (self._left is not None or self._found_at_once()) and self._painted(HURRY_S):
            return None
        return self._wanted.later(self._context)

    def commit(self) -> Edit | None:
        """End the gesture, of which nothing is unfinished."""
        return self._painting.commit()

    def abort(self) -> dict[int, Rect]:
        """End it as if it had never begun; what has to be drawn again, by plane."""
        return self._painting.abort()

    def _question(self) -> Computation:
        return Computation(self._wanted.compute(self._context.document))

    def _found_at_once(self) -> bool:
        ends = perf_counter() + _AT_ONCE_S
        region = None if self._quick is None else self._quick(lambda: perf_counter() > ends)
        if region is not None:
            self._left = iter(region.tiles.items())
        return region is not None

    def _slice(self) -> Answer:
        if not self._painted(SLICE_S):
            return Answer(asks=Computation(lambda _: Next()))
        return Answer(self._changed, ends=End.KEEP)

    def _painted(self, within_s: float) -> bool:
        """Paint for so long; whether all of it is painted now."""
        ends = perf_counter() + within_s
        while self._batch():
            if perf_counter() > ends:
                return False
        return True

    def _batch(self) -> bool:
        """Paint some tiles; whether there were any."""
        assert self._left is not None
        tiles = dict(islice(self._left, _BATCH))
        if tiles:
            self._changed = self._changed.united(self._painting.region(Region(tiles)))  # type: ignore[arg-type]
        return bool(tiles)

"""A gesture that paints one region which has to be computed first: at once where that is quick, else on a worker.

It is painted in slices, so that no event holds the hand; the labels on screen follow at the end, as a whole.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter
from typing import TypeAlias

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import NOWHERE, Answer, End
from segstudio.app.editing.tools.overlay import Overlay, Patch
from segstudio.app.editing.tools.painting import Painting
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.paint.flood import Cancelled, never
from segstudio.labels.paint.region import Place, Region

__all__ = ["Compute", "RegionPainting"]

Compute: TypeAlias = Callable[[Cancelled], Region | None]
"""Finds a region; None where it was cancelled. It raises `UserError` where there is none to be had."""

_AT_ONCE_S = 0.004
_SLICE_S = 0.004
_BATCH = 16
"""Tiles between two looks at the clock."""


class _Next:
    """Nothing was computed: it is time for the next slice."""


class RegionPainting:
    """Paints what `quick` finds in time on the thread of the window, else what `compute` has the worker find.

    `waiting` is shown meanwhile, and below it what `preview` has the worker find first: the part in view. Both make
    their work when it is needed, on the thread of the window: then the labels may be copied.
    """

    def __init__(
        self,
        painting: Painting,
        compute: Callable[[], Compute],
        *,
        quick: Compute | None = None,
        waiting: Overlay = (),
        preview: Callable[[], Callable[[], Patch]] | None = None,
    ) -> None:
        self._painting, self._compute, self._preview = painting, compute, preview
        self._quick, self._waiting = quick, waiting
        self._left: Iterator[tuple[Place, object]] | None = None
        self._region: Region | None = None
        self._changed = NOWHERE

    def begin(self) -> Answer:
        """Compute and paint, as far as that is quick."""
        ends = perf_counter() + _AT_ONCE_S
        region = None if self._quick is None else self._quick(lambda: perf_counter() > ends)
        if region is not None:
            return self.paint(region)
        if self._preview is None:
            return Answer(asks=Computation(self._compute()), overlay=self._waiting)
        shows = self._preview()
        return Answer(asks=Computation(lambda _: shows()), overlay=self._waiting)

    def arrived(self, value: object) -> Answer:
        """A result of the worker: the part in view, the region, or the time for the next slice."""
        if isinstance(value, Patch):
            return Answer(asks=Computation(self._compute()), overlay=(value, *self._waiting))
        if isinstance(value, Region):
            return self.paint(value)
        return self._slice() if isinstance(value, _Next) else Answer()

    def paint(self, region: Region) -> Answer:
        """Begin to paint a region; its last slice ends the gesture."""
        self._take(region)
        return self._slice()

    def commit(self) -> Edit | None:
        """Compute and paint whatever is still missing, and end the gesture."""
        if self._left is None:
            region = self._compute()(never)
            assert region is not None
            self._take(region)
        while self._batch():
            pass
        return self._painting.commit()

    def abort(self) -> dict[int, Rect]:
        """End it as if it had never begun; what has to be drawn again, by plane."""
        return self._painting.abort()

    def _take(self, region: Region) -> None:
        self._region, self._left = region, iter(region.tiles.items())

    def _slice(self) -> Answer:
        ends = perf_counter() + _SLICE_S
        while self._batch():
            if perf_counter() > ends:
                return Answer(asks=Computation(lambda _: _Next()))
        return Answer(self._changed, ends=End.KEEP)

    def _batch(self) -> bool:
        """Paint some tiles; whether there were any."""
        assert self._left is not None
        tiles = dict(islice(self._left, _BATCH))
        if tiles:
            self._changed = self._changed.united(self._painting.region(Region(tiles)))  # type: ignore[arg-type]
        return bool(tiles)

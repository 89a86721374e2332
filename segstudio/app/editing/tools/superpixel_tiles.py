"""Superpixels of the image on screen, computed tile by tile and kept while the image is shown as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.paint.region import Place

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.superpixels import Superpixels

__all__ = ["SuperpixelTiles"]

_KEPT = 256
"""Tiles; each takes a quarter of a megabyte."""


class SuperpixelTiles:
    """Those of one image in one view, `step` pixels wide. A worker fills it, the thread of the window reads."""

    def __init__(self, image: DisplayImage, step: int) -> None:
        self.image, self.step = image, step
        self.bounds = Rect(0, 0, *image.size)
        self._found: OrderedDict[Place, Superpixels] = OrderedDict()
        self._lock = Lock()

    def is_for(self, image: DisplayImage, step: int) -> bool:
        """Whether these are the superpixels of this image, as wide as this."""
        return self.image is image and self.step == step

    @property
    def at_once(self) -> int:
        """How many tiles may be asked for together: so many are all still there when the last is computed."""
        return _KEPT // 2

    def missing(self, places: Iterable[Place]) -> list[Place]:
        """Those tiles of `places` that are not computed."""
        with self._lock:
            return [place for place in places if place not in self._found]

    def compute(self, places: Sequence[Place], cancelled: Callable[[], bool]) -> None:
        """Compute the tiles that are missing; those that are there are kept as long. What is done when it is cancelled
        is kept.
        """
        from segstudio.imaging.superpixels import superpixels

        with self._lock:
            for place in places:
                if place in self._found:
                    self._found.move_to_end(place)
        for place in self.missing(places):
            if cancelled():
                return
            found = superpixels(self._colours, self.bounds, tile_rect(*place).intersected(self.bounds), self.step)
            with self._lock:
                self._found[place] = found
                if len(self._found) > _KEPT:
                    self._found.popitem(last=False)

    def of(self, place: Place) -> Superpixels:
        """Those of a tile of the plane, computed now where they are missing."""
        with self._lock:
            found = self._found.get(place)
            if found is not None:
                self._found.move_to_end(place)
                return found
        self.compute([place], lambda: False)
        return self.of(place)

    def mask(self, place: Place, numbers: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """The pixels (TILE, TILE) of superpixels that lie in a tile; None where none does."""
        found = self.of(place)
        if not np.isin(found.numbers, numbers).any():
            return None
        inside = found.of(numbers)
        mask = np.zeros((TILE, TILE), np.bool_)
        mask[: inside.shape[0], : inside.shape[1]] = inside
        return mask

    def _colours(self, rect: Rect) -> NDArray[np.uint8]:
        from segstudio.imaging.display import to_rgb

        return np.ascontiguousarray(to_rgb(self.image.samples(0, rect), self.image.view))

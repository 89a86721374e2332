"""The layer of selected objects: an outline around each, above labels and proposal.

It has a buffer of its own, in device pixels, which exists while something is selected. Of a tile only the levels that
are looked at are computed, and kept, as for the labels.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from segstudio.geometry import Rect, ViewTransform, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.tiles.overview import Marks, Overviews
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile
from segstudio.ui.canvas.compose import edges, grid_of, marks_in_view

__all__ = ["SelectionLayer"]

_KEPT_BYTES = 16 << 20
_FEW = 8
"""So many objects are looked for in a tile one by one; with more, the tile counts as one that may hold them."""
_INNER = np.uint32(0xFFFFFFFF)
_OUTER = np.uint32(0xFF101418)
_PLAIN, _LOCKED = 1, 2
"""Marks of selected objects."""
_DASH_PX = 4


class _Holders:
    """Which tiles hold a selected object; the others are not looked at.

    The lowest and highest id of each tile are kept, so that another selection need not look at most of them again. A
    tile that cannot be read holds none: the layer of labels reports it.
    """

    def __init__(self, raster: Raster) -> None:
        self._raster = raster
        self._ranges: dict[TileKey, tuple[int, int, int]] = {}
        """The stamp of a tile, and its lowest and highest id."""
        self._sorted: list[int] = []
        self._checked: set[TileKey] = set()
        self.keys: set[TileKey] = set()
        self.stamp, self.look, self.held = raster.stamp, raster.look, raster.held

    def peek(self, key: TileKey) -> Tile | None:
        """The tile where that costs nothing; one that holds no selected object is as good as empty."""
        return self._raster.peek(key) if key in self.keys or key not in self._checked else EMPTY

    def choose(self, ids: Collection[int]) -> None:
        """Ask for these objects from now on."""
        self._sorted = sorted(ids)
        self._checked.clear()
        self.keys.clear()

    def forget(self, keys: Collection[TileKey]) -> None:
        """These tiles have changed."""
        for key in keys:
            self._ranges.pop(key, None)
        self._checked.difference_update(keys)
        self.keys.difference_update(keys)

    def find(self, keys: set[TileKey], deadline: float) -> bool:
        """Look at these tiles; whether there was time for all. At least one is looked at."""
        for n, key in enumerate(keys - self._checked):
            if n and perf_counter() > deadline:
                return False
            self._checked.add(key)
            if self._holds(key):
                self.keys.add(key)
        return True

    def _holds(self, key: TileKey) -> bool:
        found, tile, stamp = self._ranges.get(key), None, self._raster.stamp(key)
        if found is None or found[0] != stamp:  # it may have changed while nothing was selected
            try:
                tile = self._raster.look(key)
            except Exception:  # noqa: BLE001 - reported where the labels are drawn, from the same tile
                return False
            found = stamp, *((tile.id, tile.id) if isinstance(tile, Constant) else _range(tile.ids))
            self._ranges[key] = found
        _, lowest, highest = found
        wanted = self._sorted[bisect_left(self._sorted, lowest) : bisect_right(self._sorted, highest)]
        if not wanted or len(wanted) > _FEW:
            return bool(wanted)
        tile = tile or self._raster.look(key)
        return isinstance(tile, Constant) or any(bool((tile.ids == id_).any()) for id_ in wanted)


def _range(ids: NDArray[np.uint32]) -> tuple[int, int]:
    """The lowest and the highest id that is not 0; of an array without one, a range that holds nothing."""
    return int((ids - np.uint32(1)).min()) + 1, int(ids.max())  # 0 becomes the highest number there is


class SelectionLayer:
    """White inside the border of the selected objects and black outside, so that it shows on every image; of locked
    ones the white is dashed.
    """

    def __init__(self) -> None:
        self._document: Document | None = None
        self._plane = 0
        self._ids: frozenset[int] = frozenset()
        self._locked: frozenset[int] = frozenset()
        self._holders = _Holders(Raster(((1, 1),)))
        self._marks = Overviews(_KEPT_BYTES)
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._image = QImage()
        self._drawn_for: tuple[ViewTransform, tuple[int, int], float] | None = None
        self._stale: Rect | None = None
        self._painted = Rect(0, 0, 0, 0)

    @property
    def empty(self) -> bool:
        """Whether nothing is selected."""
        return not self._ids or self._document is None

    def show(self, document: Document | None, plane: int, ids: Collection[int]) -> None:
        """Outline these objects of a document, and no others."""
        if document is not self._document or plane != self._plane:
            self._marks.clear()
            self._holders = _Holders(Raster(((1, 1),)) if document is None else document.raster)
        self._document, self._plane, self._ids = document, plane, frozenset(ids)
        lookup = np.zeros(max(self._ids, default=0) + 1, np.uint8)
        lookup[list(self._ids)] = _PLAIN
        self._locked = frozenset() if document is None else self._ids & document.locked
        lookup[list(self._locked)] = _LOCKED
        self._marks.set_lookup(lookup)
        self._holders.choose(self._ids)
        self._drawn_for = None
        if self.empty:
            self._pixels, self._image = np.zeros((1, 1), np.uint32), QImage()

    @property
    def outdated(self) -> bool:
        """Whether other ones of the selected objects are locked now: they are to be shown anew."""
        return self._document is not None and self._locked != self._ids & self._document.locked

    def touched(self, rect: Rect, device: Rect) -> None:
        """Labels changed within a rectangle of image pixels, seen in these device pixels."""
        if self.empty:
            return
        keys = [(self._plane, ty, tx) for ty, tx in tiles_of(rect)]
        self._marks.forget(keys)
        self._holders.forget(keys)
        self._stale = device if self._stale is None else self._stale.united(device)

    def catch_up(self, transform: ViewTransform, device: tuple[int, int], ratio: float, deadline: float = inf) -> bool:
        """Draw what is out of date; whether nothing is left to draw for lack of time."""
        if self.empty:
            return True
        now, whole = (transform, device, ratio), Rect(0, 0, *device)
        if now != self._drawn_for:
            if self._pixels.shape != (device[1], device[0]):
                self._pixels, self._painted = np.zeros((device[1], device[0]), np.uint32), Rect(0, 0, 0, 0)
            self._image = QImage(self._pixels.data, *device, device[0] * 4, QImage.Format.Format_ARGB32_Premultiplied)
            self._image.setDevicePixelRatio(ratio)
            self._drawn_for, self._stale = now, whole
        if self._stale is None:
            return True
        rect, self._stale = self._stale.intersected(whole), None
        if not self._draw(transform, rect, max(round(ratio), 1), deadline):
            self._stale = rect
        return self._stale is None

    def paint(self, painter: QPainter) -> None:
        """Paint what was drawn at the origin of the widget."""
        painter.drawImage(QPointF(0, 0), self._image)

    def _draw(self, transform: ViewTransform, rect: Rect, line: int, deadline: float) -> bool:
        """Draw the outlines within a rectangle of device pixels; whether there was time for all of it."""
        assert self._document is not None
        old = self._painted.intersected(rect)
        self._pixels[old.y : old.bottom, old.x : old.right] = 0
        raster, late = self._document.raster, list[TileKey]()
        size, plane = raster.sizes[self._plane], self._plane
        seen = transform.image_rect(rect.x, rect.y, rect.right, rect.bottom).grown(1).intersected(Rect(0, 0, *size))
        keys = {key for key in raster.held(plane) if not tile_rect(*key[1:]).intersected(seen).empty}
        whole = self._holders.find(keys, deadline)
        near = Rect(0, 0, 0, 0)
        for key in self._holders.keys & keys:
            near = near.united(tile_rect(*key[1:]))
        if near.empty:
            return whole
        left, top = transform.to_view(near.x, near.y)
        right, bottom = transform.to_view(near.right, near.bottom)
        rect = Rect.of_edges(left, top, right, bottom).grown(2 * line).intersected(rect)
        # A border depends on its neighbours, so it is drawn with a margin that is then cut off.
        wide = grid_of(transform, size, rect.grown(2 * line))
        if wide is None:
            return whole

        def read(level: int, part: Rect) -> Marks:
            marks, missing = self._marks.region(self._holders, plane, part, level, deadline)
            late.extend(missing)
            return marks

        marks = marks_in_view(read, wide, size)
        if not marks.any():
            return whole and not late
        inside, colors = _outlined(marks, line, (wide.rect.x, wide.rect.y))
        part = inside.moved(wide.rect.x, wide.rect.y).intersected(rect)
        x, y = part.x - wide.rect.x - inside.x, part.y - wide.rect.y - inside.y
        self._pixels[part.y : part.bottom, part.x : part.right] = colors[y : y + part.h, x : x + part.w]
        self._painted = self._painted.united(part)
        return whole and not late


def _outlined(marks: Marks, line: int, origin: tuple[int, int]) -> tuple[Rect, NDArray[np.uint32]]:
    """The outlines of what is marked: colours (h, w) of the part around it, and where in the array that is.

    `origin` is the device pixel of the first mark, so that dashes stay where they are when only a part is drawn.
    """
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    box = Rect.of_edges(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1).grown(line)
    near = box.intersected(Rect(0, 0, marks.shape[1], marks.shape[0]))
    part = marks[near.y : near.bottom, near.x : near.right]
    selected = part > 0
    colors = np.where(edges(part, 2 * line) & selected, _INNER, np.uint32(0))
    colors[edges(part, line) & ~selected] = _OUTER
    if (part == _LOCKED).any():
        ys, xs = np.ogrid[: near.h, : near.w]
        gap = ((xs + near.x + origin[0] + ys + near.y + origin[1]) // (_DASH_PX * line)) % 2 == 1
        colors[(part == _LOCKED) & gap & (colors == _INNER)] = _OUTER
    return near, colors

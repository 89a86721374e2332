"""The layer of labels: draws labels and proposal of an image into rectangles of device pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, ViewTransform, tile_rect, tiles_of
from segstudio.labels.colors import OBJECT_TINTS
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassTable
from segstudio.labels.proposal import Proposal, ProposalTile
from segstudio.labels.tiles.overview import Marks, Overviews
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant, Tile
from segstudio.ui.canvas.compose import (
    Grid,
    Seen,
    compose_codes,
    cut,
    edges,
    enlarged,
    grid_of,
    inked,
    laid_out,
    marks_seen,
)
from segstudio.ui.canvas.palette import Palette

__all__ = ["Drawn", "LabelLayer"]

_QUIET_SHARE = 0.2
_FEW = 1 << 16
"""Object ids below it fit into 16 bits."""


class _ProposalTiles:
    """The tiles of a proposal, which never change."""

    def __init__(self, tiles: Mapping[tuple[int, int], ProposalTile]) -> None:
        self._tiles = tiles

    def held(self, plane: int) -> list[TileKey]:
        return [(plane, *place) for place in self._tiles]

    def look(self, key: TileKey) -> Tile:
        found = self._tiles.get(key[1:])
        return EMPTY if found is None else found.labels

    peek = look

    def stamp(self, key: TileKey) -> int:
        return 0


class _Sight:
    """The tiles of a raster for one drawing; one that cannot be read shows nothing and is recorded."""

    def __init__(self, raster: Raster) -> None:
        self._raster = raster
        self.unread: dict[TileKey, Exception] = {}
        self.peek, self.stamp, self.held = raster.peek, raster.stamp, raster.held

    def look(self, key: TileKey) -> Tile:
        try:
            return EMPTY if key in self.unread else self._raster.look(key)
        except Exception as error:  # noqa: BLE001 - passed on, and the other tiles are drawn
            self.unread[key] = error
            return EMPTY

    def ids(self, plane: int, rect: Rect, kind: type[np.uint16] | type[np.uint32]) -> NDArray[np.uint16 | np.uint32]:
        """Object ids of a rectangle within the image (h, w), all of which fit into this type."""
        found = np.zeros((rect.h, rect.w), kind)
        for ty, tx in tiles_of(rect):
            tile = self.look((plane, ty, tx))
            if tile is EMPTY:
                continue
            part = rect.intersected(tile_rect(ty, tx))
            inside = part.moved(-tx * TILE, -ty * TILE)
            cut(found, part.moved(-rect.x, -rect.y))[...] = (
                tile.id if isinstance(tile, Constant) else cut(tile.ids, inside)
            )
        return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was not drawn, as image rectangles: tiles for which there was no time, and tiles that cannot be read."""

    late: list[Rect]
    unread: list[Rect]
    faults: tuple[Exception, ...]


class LabelLayer:
    """Draws 0xAARRGGBB, premultiplied. `size` is that of the image in pixels."""

    def __init__(self) -> None:
        self.size = (1, 1)
        self.document: Document | None = None
        self.plane = 0
        self.outlines = False
        self.show_labels = True
        self.show_proposal = True
        self.line_px = 1
        self._opacities = 0.45, 0.45
        self._classes: ClassTable | None = None
        self._tinted = self._quiet = False
        self._palette = Palette.of(None, *self._opacities)
        self._labels = Overviews()
        self._looked_up: tuple[Document, int, Palette] | None = None
        self._touched: dict[TileKey, Constant] = {}
        self._proposal: Proposal | None = None
        self._proposed = Overviews()

    def show(self, document: Document | None, plane: int, size: tuple[int, int]) -> None:
        """Show the labels of another image, without the old proposal."""
        if document is not self.document or plane != self.plane:
            self._labels.clear()
        self._touched.clear()
        self.document, self.plane, self.size = document, plane, size
        self.set_proposal(None)
        self.refresh_lookup()

    def set_classes(self, classes: ClassTable) -> None:
        """Use other classes."""
        self._classes = classes
        self._mix()

    def set_opacity(self, labels: float, proposals: float) -> None:
        """Set the opacity of labels and that of proposals, 0..1."""
        self._opacities = labels, proposals
        self._mix()

    def set_tinted(self, tinted: bool) -> None:
        """Draw each object of an instance class in a colour of its own, or in that of its class."""
        self._tinted = tinted
        self._mix()

    def set_quiet(self, quiet: bool) -> None:
        """Draw labels as outlines with hardly any filling, for as long as something above them is looked at."""
        if quiet is not self._quiet:
            self._quiet = quiet
            self._mix()

    def set_proposal(self, proposal: Proposal | None) -> None:
        """Show another proposal for this image, or none."""
        if proposal is not self._proposal:
            self._proposed.clear()
        self._proposal = proposal
        self._look_up_proposal()

    def refresh_lookup(self) -> bool:
        """Take in new objects; returns whether a known object changed its class, so that everything is out of date."""
        document, palette = self.document, self._palette
        if document is None or (document, document.rows_changed, palette) == self._looked_up:
            return False
        self._looked_up = document, document.rows_changed, palette
        return self._labels.set_lookup(palette.marks_by_object(document.class_lookup()))

    def touched(self, rect: Rect) -> list[Rect]:
        """Labels within a rectangle of image pixels may have changed; returns the parts that have to be drawn again.

        A tile that is the same constant as when it was last touched is left out: the inside of a large brush.
        """
        if self.document is None:
            return []
        parts: list[Rect] = []
        for ty, tx in tiles_of(rect.intersected(self.document.raster.bounds(self.plane))):
            key = (self.plane, ty, tx)
            tile = self.document.raster.peek(key)
            part = tile_rect(ty, tx).intersected(rect)
            if isinstance(tile, Constant):
                if self._touched.get(key) == tile:
                    continue
                self._touched[key] = tile
                self._labels.forget([key])
            else:
                self._touched.pop(key, None)
                self._labels.touch(key, part.moved(-tx * TILE, -ty * TILE))
            if parts and parts[-1].y == part.y and parts[-1].right == part.x:
                part = parts.pop().united(part)
            parts.append(part)
        return parts

    def seen_anew(self) -> None:
        """Another part of the image may be drawn: what was last drawn of a tile is not known any more."""
        self._touched.clear()

    def draw(self, transform: ViewTransform, rect: Rect, out: NDArray[np.uint32], deadline: float = inf) -> Drawn:
        """Draw labels and proposal into a rectangle of a whole buffer (h, w); returns what was not drawn.

        These are tiles whose marks could not be computed before `deadline`, and tiles that cannot be read; they appear
        as unlabelled.
        """
        sight = None if self.document is None else _Sight(self.document.raster)
        late = self._draw(transform, rect, out, sight, deadline)
        unread = {} if sight is None else sight.unread
        parts = [tile_rect(*key[1:]) for key in unread]
        return Drawn([tile_rect(*key[1:]) for key in late], parts, tuple(unread.values()))

    def labelled(self, grid: Grid, deadline: float = inf) -> NDArray[np.bool_]:
        """Which pixels of a grid (h, w) show labels, those of hidden classes and of outlines only included."""
        sight = None if self.document is None else _Sight(self.document.raster)
        late: list[TileKey] = []  # they were drawn as unlabelled, and will be drawn again
        return laid_out(self._label_marks(grid, sight, late, deadline), grid.rect) > 0

    def _draw(
        self, transform: ViewTransform, rect: Rect, out: NDArray[np.uint32], sight: _Sight | None, deadline: float
    ) -> list[TileKey]:
        out[rect.y : rect.bottom, rect.x : rect.right] = 0
        grid = grid_of(transform, self.size, rect)
        # Outlines depend on neighbouring pixels, so they are drawn with a margin that is then cut off.
        wide = grid_of(transform, self.size, rect.grown(self.line_px))
        if grid is None or wide is None:
            return []
        late: list[TileKey] = []
        labels = self._label_marks(wide, sight, late, deadline)
        proposed = self._proposal_marks(wide, late, deadline)
        marked = _rect(labels).united(_rect(proposed))
        part = marked.intersected(grid.rect)
        if part.empty:
            return late
        # Where nothing is marked nothing is drawn; the lines need the pixels around what is.
        near = marked.grown(self.line_px).intersected(wide.rect)
        wide = wide.part(near.moved(-wide.rect.x, -wide.rect.y))
        marks = laid_out(labels, near)
        codes = compose_codes(
            marks,
            None if proposed is None else laid_out(proposed, near),
            self._outlined(wide, sight, marks),
            (wide.rect.x - floor(transform.dx), wide.rect.y - floor(transform.dy)),
            self.line_px,
            self._palette.count,
            self._palette.code_type,
        )
        shown = cut(codes, part.moved(-wide.rect.x, -wide.rect.y))
        inked(shown, self._palette.colors, cut(out, part))
        return late

    def _label_marks(self, grid: Grid, sight: _Sight | None, late: list[TileKey], deadline: float) -> Seen | None:
        plane = self.plane
        if sight is None or not self.show_labels:
            return None

        def read(level: int, rect: Rect) -> Marks:
            marks, missing = self._labels.region(sight, plane, rect, level, deadline)
            late.extend(missing)
            return marks

        return marks_seen(read, grid, self.size)

    def _proposal_marks(self, grid: Grid, late: list[TileKey], deadline: float) -> Seen | None:
        if self._proposal is None or not self.show_proposal:
            return None
        source = _ProposalTiles(self._proposal.tiles)

        def read(level: int, rect: Rect) -> Marks:
            marks, missing = self._proposed.region(source, 0, rect, level, deadline)
            late.extend(missing)
            return marks

        return marks_seen(read, grid, self.size)

    def _outlined(self, grid: Grid, sight: _Sight | None, labels: Marks) -> NDArray[np.bool_] | None:
        """Labelled pixels to be drawn as outlines; None if there are none."""
        objects, background = self._object_outlines(grid, sight, labels), self._background_outline(labels)
        if objects is None or background is None:
            return background if objects is None else objects
        return objects | background

    def _background_outline(self, labels: Marks) -> NDArray[np.bool_] | None:
        """Where labelled background meets unlabelled pixels."""
        last = self._palette.last_background
        if not last:
            return None
        labelled = labels > 0
        wanted = labels <= last
        wanted &= labelled
        if not wanted.any():
            return None
        wanted &= edges(labelled.view(np.uint8), self.line_px)
        return wanted

    def _object_outlines(self, grid: Grid, sight: _Sight | None, labels: Marks) -> NDArray[np.bool_] | None:
        """Where objects (or, zoomed out, classes) meet: always for instance classes and those with an outline only, for
        all if outlines are on.

        Otherwise two touching objects of one class would look like one.
        """
        if sight is None:
            return None
        first = 1 if self.outlines or self._quiet else self._palette.first_instance
        highest = int(labels.max(initial=0))
        lined = bool(highest) and bool(self._palette.outlined.any())
        if highest < first and not lined:
            return None
        wanted = labels >= first
        if lined:
            wanted |= np.take(self._palette.outlined, labels)
        if grid.scale < 1:
            wanted &= edges(labels, self.line_px)
            return wanted
        columns = np.clip(np.floor(grid.xs), 0, self.size[0] - 1).astype(np.intp)
        rows = np.clip(np.floor(grid.ys), 0, self.size[1] - 1).astype(np.intp)
        x, y = int(columns[0]), int(rows[0])
        source = Rect(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
        few = self.document is not None and self.document.next_object <= _FEW
        ids = sight.ids(self.plane, source, np.uint16 if few else np.uint32)  # half as much to compare
        wanted &= edges(enlarged(ids, rows - y, columns - x), self.line_px)
        return wanted

    def _mix(self) -> None:
        labels, proposals = self._opacities
        labels *= _QUIET_SHARE if self._quiet else 1
        self._palette = Palette.of(self._classes, labels, proposals, OBJECT_TINTS if self._tinted else ())
        self.refresh_lookup()
        self._look_up_proposal()

    def _look_up_proposal(self) -> None:
        if self._proposal is None:
            return
        by_id = np.zeros(max(self._proposal.rows, default=0) + 1, np.int32)
        for id_, row in self._proposal.rows.items():
            by_id[id_] = row.class_id
        self._proposed.set_lookup(self._palette.marks_by_class(by_id))


def _rect(seen: Seen | None) -> Rect:
    return Rect(0, 0, 0, 0) if seen is None else seen[0]

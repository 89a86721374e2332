"""Fill: the area of equal label under a click becomes the class."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from segstudio.app.editing.tools.areas import Sight, pixel_at, sight_of, within_picture
from segstudio.app.editing.tools.base import Answer, Context, Later
from segstudio.app.editing.tools.overlay import Patch, Words
from segstudio.app.editing.tools.painting import PaintingTool
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.region_painting import Compute, RegionPainting, Wanted
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.paint.flood import Cancelled, Matches, flooded, of_label
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.tile import Tile
from segstudio.text import _

__all__ = ["FillTool"]


_Within: TypeAlias = Callable[[Matches], Matches]
"""Takes what lies outside the picture from what matches."""


class _NotInMemory(Exception):
    """A tile has to be read from the disk, which is a worker's affair."""


class FillTool(PaintingTool[RegionPainting]):
    """A click fills the 4-connected area of equal label, unknown included; the right button fills with background."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._painting: RegionPainting | None = None

    def forget(self) -> None:
        """Nothing is being filled."""
        self._painting = None

    @property
    def active(self) -> bool:
        """Whether an area is being computed or painted."""
        return self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Fill the area under the pointer. Nothing happens while another one is being filled."""
        document, plane = context.document, context.paint.plane
        at = pixel_at(event.at, document.raster.bounds(plane))
        if self.active or at is None or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        label = int(document.raster.read(plane, Rect(*at, 1, 1))[0][0, 0])
        label_class = context.paint.class_of(event.button)
        sight = sight_of(context.seen.view, document.raster.bounds(plane), event.scale)
        image = context.seen.image
        if image is not None and image.outside(Rect(*at, 1, 1)) is not None:
            return Answer(says=_("This lies outside the picture: there is nothing to fill."))
        within = partial(within_picture, image=image)
        self._painting = RegionPainting(
            Wanted(self.name, event.at, label_class, lambda document: _on_copy(document, plane, at, label, within)),
            context,
            quick=lambda cancelled: _in_memory(document, plane, at, label, within, cancelled),
            waiting=(Words(*event.at, _("Filling ...")),),
            preview=lambda: _in_view(document, plane, at, label, within, sight, label_class.color),
        )
        return self._painting.begin()

    def arrived(self, value: object, context: Context) -> Answer:
        """The area, or the time to paint more of it."""
        return Answer() if self._painting is None else self._painting.arrived(value)

    def interrupted(self, context: Context) -> Answer:
        """It goes on: no button has to be held."""
        return Answer()

    def unfinished(self, context: Context) -> Later | None:
        """The area, where it is not found and painted yet."""
        return None if self._painting is None else self._painting.unfinished()


def _on_copy(document: Document, plane: int, at: tuple[int, int], label: int, within: _Within) -> Compute:
    raster = document.raster.copy()
    matches = within(of_label(raster.look, plane, label))
    return lambda cancelled: flooded(at, raster.bounds(plane), matches, cancelled)


def _in_view(
    document: Document, plane: int, at: tuple[int, int], label: int, within: _Within, sight: Sight, color: str
) -> Callable[[], Patch]:
    raster = document.raster.copy()
    cells = partial(sight.of, within(of_label(raster.look, plane, label)))
    return lambda: Patch(sight.rect, sight.around(cells(), *at), color)


def _in_memory(
    document: Document, plane: int, at: tuple[int, int], label: int, within: _Within, cancelled: Cancelled
) -> Region | None:
    """The area; None where that takes too long, or asks for the disk."""
    raster = document.raster

    def look(key: TileKey) -> Tile:
        tile = raster.peek(key)
        if tile is None:
            raise _NotInMemory
        return tile

    try:
        return flooded(at, raster.bounds(plane), within(of_label(look, plane, label)), cancelled)
    except _NotInMemory:
        return None

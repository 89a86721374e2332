"""One plane of an image looked at for faults, block by block: what it has is small, whatever the size of the plane.

What is a fault is decided when all planes of an image are known, and all images: see `image_look`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.lint.contacts import Contacts
from segstudio.labels.lint.part_sums import PartSums, WholeParts
from segstudio.labels.lint.rims import Rims
from segstudio.labels.model import ClassTable, Kind
from segstudio.labels.paint.components import TiledComponents
from segstudio.labels.paint.fill import OutsideOf
from segstudio.labels.paint.objects.extent import ids_in
from segstudio.labels.paint.policy import effective_lookup

__all__ = ["Area", "PlaneLook", "blocks_of", "look_at_plane", "within_picture"]

_BLOCK = 4 * TILE
"""Side of what is looked at at once: some 40 MB with all that is computed over it."""


@dataclass(frozen=True, slots=True)
class Area:
    """Pixels that belong together: class and object by id, 0 where there is none."""

    class_id: int
    object_id: int
    rect: Rect
    pixels: int


@dataclass(frozen=True, slots=True)
class PlaneLook:
    """What is on a plane. By class id, of classes that are neither background nor ignore: `pixels`, `boxes` around
    them, and pixels of the `largest` part.

    `small` are parts of a class below the limit (8-connected), `holes` what a class encloses below it (4-connected,
    off the image's edge, of unknown and background pixels alone), `contacts` where two objects of one instance class
    share edges, `unknown` the areas (8-connected) of a done plane that have no label.
    """

    small: tuple[Area, ...]
    holes: tuple[Area, ...]
    contacts: tuple[Area, ...]
    unknown: tuple[Area, ...]
    pixels: Mapping[int, int]
    largest: Mapping[int, int]
    boxes: Mapping[int, Rect]


@dataclass(frozen=True, slots=True, eq=False)
class _Lookups:
    """By object id: its class where that is neither background nor ignore, whether it is unknown or background, its
    class where that has separate objects; 0 otherwise."""

    foreground: NDArray[np.int32]
    empty: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    instance: NDArray[np.int32]


def look_at_plane(
    document: Document,
    plane: int,
    classes: ClassTable,
    *,
    below: int,
    done: bool,
    outside: OutsideOf | None = None,
) -> Generator[int, None, PlaneLook]:
    """Look at a plane; yields after each block how many tiles it had. Parts and holes of fewer than `below` pixels are
    small; unlabelled areas within the picture are looked for where the plane is `done`.
    """
    bounds, lookups = document.raster.bounds(plane), _lookups(document, classes)
    if not done and not document.raster.held(plane):  # nothing is labelled: no fault can be there
        yield sum(1 for _ in tiles_of(bounds))
        return PlaneLook((), (), (), (), {}, {}, {})
    parts = PartSums(TiledComponents(bounds.w))
    empty = PartSums(TiledComponents(bounds.w, connectivity=4))
    unknown = PartSums(TiledComponents(bounds.w))
    owners, rims, contacts = _LowestIds(), Rims(bounds.w), Contacts(bounds.w)
    for rect in blocks_of(bounds):
        ids = ids_in(document.raster, plane, rect)
        block = parts.add(rect, lookups.foreground[ids])
        owners.add(block.labels, block.first, (block.pixels < below) & (block.pixels > 0), ids)
        is_empty = lookups.empty[ids]
        block = empty.add(rect, is_empty.view(np.uint8))
        rims.add(rect, block, block.pixels < below, ids, is_empty)
        contacts.add(rect, ids, lookups.instance)
        if done:
            unknown.add(rect, within_picture(lookups.unknown[ids], outside, plane, rect).view(np.uint8))
        yield sum(1 for _ in tiles_of(rect))
    found, holes, bare = parts.whole(), empty.whole(), unknown.whole()
    return PlaneLook(
        _small(found, below, owners),
        _holes(holes, rims, bounds, below, lookups.foreground),
        tuple(Area(int(lookups.instance[low]), low, rect, pixels) for low, rect, pixels in contacts.found()),
        tuple(Area(0, 0, bare.rect(n), int(bare.pixels[n])) for n in range(len(bare.names))),
        *_by_class(found),
    )


def within_picture(mask: NDArray[np.bool_], outside: OutsideOf | None, plane: int, rect: Rect) -> NDArray[np.bool_]:
    """The pixels (h, w) of a mask of a rectangle that lie within the picture."""
    beyond = None if outside is None else outside(plane, rect)
    return mask if beyond is None else mask & ~beyond


def blocks_of(bounds: Rect) -> list[Rect]:
    """A rectangle that begins at a tile in squares of whole tiles, row by row."""
    return [
        Rect(x, y, _BLOCK, _BLOCK).intersected(bounds)
        for y in range(bounds.y, bounds.bottom, _BLOCK)
        for x in range(bounds.x, bounds.right, _BLOCK)
    ]


def _lookups(document: Document, classes: ClassTable) -> _Lookups:
    owner = effective_lookup(document, classes)
    in_use = {c.id for c in classes.foreground}
    instances = [c.id for c in classes.foreground if c.kind is Kind.INSTANCE]
    unknown = owner == 0
    return _Lookups(
        np.where(np.isin(owner, list(in_use)), owner, np.int32(0)),
        unknown | (owner == classes.background.id),
        unknown,
        np.where(np.isin(owner, instances), owner, np.int32(0)),
    )


class _LowestIds:
    """The lowest object id of each small part."""

    def __init__(self) -> None:
        self._found: list[tuple[NDArray[np.int64], NDArray[np.uint32]]] = []

    def add(self, labels: NDArray[np.int32], first: int, small: NDArray[np.bool_], ids: NDArray[np.uint32]) -> None:
        """Note the ids of the pixels of the small parts of a block."""
        if small.any():
            where = small[labels]
            self._found.append((labels[where].astype(np.int64) + first, ids[where]))

    def of(self, parts: WholeParts) -> NDArray[np.uint32]:
        """By place of a component; a large number for one that is not small."""
        lowest = np.full(len(parts.names), np.iinfo(np.uint32).max, np.uint32)
        for labels, ids in self._found:
            np.minimum.at(lowest, parts.rank[labels], ids)
        return lowest


def _small(parts: WholeParts, below: int, owners: _LowestIds) -> tuple[Area, ...]:
    places, lowest = np.flatnonzero(parts.pixels < below).tolist(), owners.of(parts)
    return tuple(Area(int(parts.values[n]), int(lowest[n]), parts.rect(n), int(parts.pixels[n])) for n in places)


def _holes(parts: WholeParts, rims: Rims, bounds: Rect, below: int, class_of: NDArray[np.int32]) -> tuple[Area, ...]:
    edges = parts.edges
    inside = (edges[:, 0] > 0) & (edges[:, 1] > 0) & (edges[:, 2] < bounds.right) & (edges[:, 3] < bounds.bottom)
    wanted = inside & (parts.pixels < below)
    return tuple(
        Area(int(class_of[object_id]), object_id, parts.rect(place), int(parts.pixels[place]))
        for place, object_id in rims.enclosing(parts, wanted, class_of)
    )


def _by_class(parts: WholeParts) -> tuple[dict[int, int], dict[int, int], dict[int, Rect]]:
    """Pixels, those of the largest part, and the box, by class."""
    pixels: dict[int, int] = {}
    largest: dict[int, int] = {}
    boxes: dict[int, Rect] = {}
    for class_id in np.unique(parts.values).tolist():
        mine = parts.values == class_id
        pixels[class_id] = int(parts.pixels[mine].sum())
        largest[class_id] = int(parts.pixels[mine].max())
        (left, top), (right, bottom) = parts.edges[mine, :2].min(axis=0), parts.edges[mine, 2:].max(axis=0)
        boxes[class_id] = Rect(int(left), int(top), int(right - left), int(bottom - top))
    return pixels, largest, boxes

"""Labels and proposals as class values: what exports write and evaluations compare."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UsageError
from segstudio.formats.values import NOTHING, FormatClass
from segstudio.geometry import Rect, tile_rect
from segstudio.imaging.outside import outside_in
from segstudio.labels.class_lookup import class_lookup, object_lookup
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind
from segstudio.labels.tiles.tile import Constant, Tile
from segstudio.store.project import ImageRow, Project
from segstudio.text import _

__all__ = ["Content", "PlaneValues", "content_named", "format_classes", "plane_values"]


_AT_ONCE = 1 << 24
"""Pixels of which is found at once whether they lie outside: a plane may be larger than memory."""


class Content(StrEnum):
    """What is exported or compared."""

    LABELS = "labels"
    PROPOSALS = "proposals"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, eq=False)
class PlaneValues:
    """Class values int32 (h, w), `NOTHING` where unknown or ignored, and object ids uint32 (h, w).

    `known` says whether a pixel is known at all; an ignored one is. What lies `outside` the picture, (h, w), is unknown
    whatever was painted there; None where nothing does.
    """

    values: NDArray[np.int32]
    objects: NDArray[np.uint32]
    known: bool
    outside: NDArray[np.bool_] | None = None


def content_named(word: str) -> Content:
    """The content of this name. Raises `UsageError`."""
    try:
        return Content(word)
    except ValueError as error:
        raise UsageError(
            _("'{word}' is not a kind of content; choose one of {contents}.", word=word, contents=", ".join(Content))
        ) from error


def format_classes(classes: ClassTable) -> tuple[FormatClass, ...]:
    """The classes in use, as formats see them."""
    return tuple(FormatClass(c.value, c.name, c.color, c.kind) for c in classes)


def plane_values(project: Project, image: ImageRow, classes: ClassTable, content: Content) -> Iterable[PlaneValues]:
    """Every plane of an image, read one by one; its labels are of one moment. Of finished ones alone where those are
    asked for: on the others nothing is known.

    Raises `UnreadableImage` where pixels may lie outside the picture and its file cannot be read.
    """
    for plane, found in enumerate(_planes(project, image, classes, content)):
        yield _within(image, plane, found)


def _within(image: ImageRow, plane: int, found: PlaneValues) -> PlaneValues:
    """The values of a plane without those of pixels outside the picture."""
    if not image.bounded:
        return found
    width, height = image.planes[plane]
    outside = np.zeros((height, width), np.bool_)
    rows = max(1, _AT_ONCE // width)
    for y in range(0, height, rows):
        part = outside_in(image.stored, plane, Rect(0, y, width, min(rows, height - y)))
        if part is not None:
            outside[y : y + rows] = part
    if not outside.any():
        return found
    found.values[outside] = NOTHING
    found.objects[outside] = 0
    return replace(found, known=found.known and bool((~outside & (found.objects != 0)).any()), outside=outside)


def _planes(project: Project, image: ImageRow, classes: ClassTable, content: Content) -> Iterator[PlaneValues]:
    if content is Content.PROPOSALS:
        for plane, (width, height) in enumerate(image.planes):
            yield _proposed(project, image.id, plane, Rect(0, 0, width, height), classes)
        return
    frozen = project.frozen(image.id)
    tables = _Tables({int(o): c for o, c in frozen.objects.items()}, classes)
    for plane, (width, height) in enumerate(image.planes):
        left_out = content is Content.FINISHED and not frozen.marks.is_done(plane)
        tiles = {} if left_out else {key[1:]: tile for key, tile in frozen.tiles.items() if key[0] == plane}
        yield tables.plane(tiles, Rect(0, 0, width, height))


def _proposed(project: Project, image: ImageId, plane: int, rect: Rect, classes: ClassTable) -> PlaneValues:
    proposal = project.proposals.read(image, plane)
    if proposal is None:
        return PlaneValues(np.full((rect.h, rect.w), NOTHING, np.int32), np.zeros((rect.h, rect.w), np.uint32), False)
    tables = _Tables({id_: row.class_id for id_, row in proposal.rows.items()}, classes)
    return tables.plane({key: tile.labels for key, tile in proposal.tiles.items()}, rect)


class _Tables:
    """By object id: the class value, `NOTHING` for id 0, ignored classes and those that are removed; whether it is
    known."""

    def __init__(self, class_of: Mapping[int, ClassId], classes: ClassTable) -> None:
        value = class_lookup(classes, lambda c: NOTHING if c.kind is Kind.IGNORE else c.value, nothing=NOTHING)
        self._value = object_lookup(class_of, value, nothing=NOTHING)
        self._known = object_lookup(class_of, class_lookup(classes) != 0)

    def plane(self, tiles: Mapping[tuple[int, int], Tile], rect: Rect) -> PlaneValues:
        """The plane of these pixels, of the tiles by (ty, tx): one by one, while each is in the processor's cache."""
        values = np.full((rect.h, rect.w), NOTHING, np.int32)
        objects = np.zeros((rect.h, rect.w), np.uint32)
        known = False
        for (ty, tx), tile in tiles.items():
            part = tile_rect(ty, tx).intersected(rect)
            target = np.s_[part.y : part.bottom, part.x : part.right]
            ids = np.uint32(tile.id) if isinstance(tile, Constant) else tile.ids[: part.h, : part.w]
            objects[target] = ids
            values[target] = self._value.take(ids, mode="clip")
            known = known or bool(self._known.take(ids, mode="clip").any())
        return PlaneValues(values, objects, known)

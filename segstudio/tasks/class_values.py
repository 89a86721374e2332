"""Labels and proposals as class values: what exports write and evaluations compare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UsageError
from segstudio.formats.values import NOTHING, FormatClass
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind
from segstudio.labels.raster import read_tiles
from segstudio.store.project import ImageRow, Project

__all__ = ["Content", "PlaneValues", "content_named", "format_classes", "plane_values"]


class Content(StrEnum):
    """What is exported or compared."""

    LABELS = "labels"
    PROPOSALS = "proposals"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, eq=False)
class PlaneValues:
    """Class values int32 (h, w), `NOTHING` where unknown or ignored, and object ids uint32 (h, w)."""

    values: NDArray[np.int32]
    objects: NDArray[np.uint32]


def content_named(word: str) -> Content:
    """The content of this name. Raises `UsageError`."""
    try:
        return Content(word)
    except ValueError as error:
        raise UsageError(f"'{word}' is no content; there are {', '.join(Content)}.") from error


def format_classes(classes: ClassTable) -> tuple[FormatClass, ...]:
    """The classes in use, as formats see them."""
    return tuple(FormatClass(c.value, c.name, c.color, c.kind) for c in classes)


def plane_values(project: Project, image: ImageRow, classes: ClassTable, content: Content) -> Iterable[PlaneValues]:
    """Every plane of an image, read one by one; its labels are of one moment."""
    if content is Content.PROPOSALS:
        for plane, (width, height) in enumerate(image.planes):
            yield _proposed(project, image.id, plane, Rect(0, 0, width, height), classes)
        return
    frozen = project.frozen(image.id)
    table = _value_by_object({int(o): c for o, c in frozen.objects.items()}, classes)
    for plane, (width, height) in enumerate(image.planes):
        tiles = {key[1:]: tile for key, tile in frozen.tiles.items() if key[0] == plane}
        objects, _ = read_tiles(tiles, Rect(0, 0, width, height))
        yield PlaneValues(table[objects], objects)


def _proposed(project: Project, image: ImageId, plane: int, rect: Rect, classes: ClassTable) -> PlaneValues:
    proposal = project.proposals.read(image, plane)
    if proposal is None:
        return PlaneValues(np.full((rect.h, rect.w), NOTHING, np.int32), np.zeros((rect.h, rect.w), np.uint32))
    objects, _ = read_tiles({key: tile.labels for key, tile in proposal.tiles.items()}, rect)
    table = _value_by_object({id_: row.class_id for id_, row in proposal.rows.items()}, classes)
    return PlaneValues(table[objects], objects)


def _value_by_object(class_of: Mapping[int, ClassId], classes: ClassTable) -> NDArray[np.int32]:
    """Class value by object id; `NOTHING` for id 0, ignored classes and classes that are removed."""
    table = np.full(max(class_of, default=0) + 1, NOTHING, np.int32)
    for object_id, class_id in class_of.items():
        counts_as = classes.effective(class_id)
        if counts_as is not None and counts_as.kind is not Kind.IGNORE:
            table[object_id] = counts_as.value
    return table

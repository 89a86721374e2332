"""Images that need no files, and edits as a person makes them: a rectangle of an object, or of nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, ObjectId, Origin, Seq, Status
from segstudio.labels.tiles.tile import Tile, frozen, same, writable_copy
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane

FIRST = ImageId(1)
SIZE = (600, 400)
"""Width and height: 3 x 2 tiles, the last ones cut."""

CLASSES = (NewClass("background", kind=Kind.BACKGROUND), NewClass("cell", kind=Kind.INSTANCE), NewClass("vessel"))
BACKGROUND, CELL, VESSEL = 1, 2, 3


def new_images(root: Path, count: int = 3, planes: int = 1) -> list[NewImage]:
    plane_list = tuple(NewPlane(f"page {i}", *SIZE) for i in range(planes))
    return [
        NewImage(f"field/{i}.png", root, 1000 + i, 1, f"{i:016x}", plane_list, 3, "uint8", "png") for i in range(count)
    ]


def painted(
    document: Document,
    rect: Rect,
    object_id: int,
    origin: int = Origin.PAINTED,
    *,
    plane: int = 0,
    new_class: int | None = None,
    extra_rows: Iterable[RowChange] = (),
) -> Edit:
    """An edit that sets a rectangle to an object (0 = unknown); `new_class` makes the object first."""
    inside = rect.intersected(document.raster.bounds(plane))
    tiles: dict[TileKey, TileChange] = {}
    for ty, tx in tiles_of(inside):
        before = document.raster.tile((plane, ty, tx))
        after = _filled(before, inside.intersected(tile_rect(ty, tx)), tile_rect(ty, tx), object_id, origin)
        if not same(before, after):
            tiles[plane, ty, tx] = TileChange(before, after)
    rows = list(extra_rows)
    if new_class is not None:
        rows.insert(0, RowChange(Table.OBJECTS, object_id, None, {"class_id": new_class}))
    return Edit(document.image, Cause.PAINT if object_id else Cause.ERASE, tiles, tuple(rows), tool="brush", author="a")


def _filled(before: Tile, part: Rect, whole: Rect, object_id: int, origin: int) -> Tile:
    ids, origins = writable_copy(before)
    where = np.s_[part.y - whole.y : part.bottom - whole.y, part.x - whole.x : part.right - whole.x]
    ids[where] = object_id
    origins[where] = origin if object_id else 0
    return frozen(ids, origins)


def status_row(document: Document, status: Status) -> RowChange:
    row = document.marks.change(document.image, Marks(status))
    assert row is not None
    return row


def commit(project: Project, document: Document, edit: Edit) -> Seq:
    """Apply and submit, as the session does."""
    assert project.writer is not None
    document.apply(edit)
    return project.writer.submit(edit)


def paint(project: Project, document: Document, rect: Rect, class_id: int, origin: int = Origin.PAINTED) -> Seq:
    """Paint a new object of a class."""
    return commit(project, document, painted(document, rect, document.next_object, origin, new_class=class_id))


def undo(project: Project, document: Document, seq: Seq, cause: Cause = Cause.UNDO) -> Seq:
    return commit(project, document, project.load_edit(seq, document.raster.tile).inverted(seq, cause))


def redo(project: Project, document: Document, seq: Seq) -> Seq:
    return undo(project, document, seq, Cause.REDO)


def flushed(project: Project) -> None:
    assert project.writer is not None
    assert project.writer.flush(30)


def whole(document: Document, plane: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ids and origins of a plane."""
    return document.raster.read(plane, document.raster.bounds(plane))


def objects_of(document: Document) -> Mapping[ObjectId, ClassId]:
    return dict(document.objects)

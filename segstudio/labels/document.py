"""The labels of one image in memory: raster, objects, status. Changed by edits alone."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import EditConflict
from segstudio.geometry import Rect, tile_rect
from segstudio.labels.done_planes import Marks, is_sound
from segstudio.labels.edit import Columns, Edit, RowChange, Table, TileKey, joined_rows
from segstudio.labels.model import ClassId, ImageId, ObjectId, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, same

__all__ = ["Document"]


class Document:
    """Raster, objects (id -> class), which of them are locked, and status of one image,
    plane by plane in `marks`.

    `next_object` is the first id that no edit, undone or not, has ever used; `rows_changed` rises with every change of
    an object's row.
    """

    def __init__(
        self,
        image: ImageId,
        raster: Raster,
        objects: Mapping[ObjectId, ClassId] | None = None,
        next_object: int = 1,
        status: Status = Status.NEW,
        locked: Collection[ObjectId] = (),
        done_planes: str = "",
    ) -> None:
        self.image = image
        self.raster = raster
        self.marks = Marks(status, done_planes)
        self.next_object = next_object
        self.rows_changed = 0
        self._objects: dict[ObjectId, ClassId] = dict(objects or {})
        self._locked = set[ObjectId]()
        self._class_of = np.zeros(max(next_object, 16), np.int32)
        self._lock_of = np.zeros(len(self._class_of), np.bool_)
        for object_id, class_id in self._objects.items():
            self._remember(object_id, class_id)
        self._locked.update(locked)
        self._lock_of[list(self._locked)] = True

    def copy(self) -> "Document":
        """The same over the same immutable tiles, to compute on. No gesture may be under way."""
        status, done_planes = self.marks
        raster = self.raster.copy()
        return Document(self.image, raster, self._objects, self.next_object, status, self._locked, done_planes)

    def become(self, other: "Document") -> None:
        """Become what the same image is, read again: for one whose image was changed in the store.

        What waits to be written, and is in the other one, stays in memory; other tiles are read when they are next
        used. The other one is used up.
        """
        self.raster.become(other.raster)
        self.marks, self.next_object = other.marks, other.next_object
        self._objects, self._locked = dict(other.objects), set(other.locked)
        self._class_of, self._lock_of = np.array(other.class_lookup()), np.array(other.lock_lookup())
        self.rows_changed += 1

    @property
    def status(self) -> Status:
        """How far the image is: done where all its planes are."""
        return self.marks.status

    @property
    def done_planes(self) -> Collection[int]:
        """The planes that are done."""
        return self.marks.done(len(self.raster.sizes))

    @property
    def objects(self) -> Mapping[ObjectId, ClassId]:
        """Class of every object that has a row."""
        return self._objects

    def class_lookup(self) -> NDArray[np.int32]:
        """Class id by object id (0 for none), indexable by every id in the raster; read-only."""
        view = self._class_of.view()
        view.setflags(write=False)
        return view

    @property
    def locked(self) -> AbstractSet[ObjectId]:
        """The objects that are locked by themselves, whatever their class."""
        return self._locked

    def lock_lookup(self) -> NDArray[np.bool_]:
        """Whether an object is locked by itself, by object id, indexable by every id in the raster; read-only."""
        view = self._lock_of.view()
        view.setflags(write=False)
        return view

    def is_filled(self, plane: int, most_tiles: int) -> bool:
        """Whether every pixel of a plane is labelled; False for one of more tiles, of which that is not asked."""
        keys = list(self.raster.keys(plane))
        return len(keys) <= most_tiles and all(self._is_filled(key) for key in keys)

    def _is_filled(self, key: TileKey) -> bool:
        tile, part = self.raster.look(key), self._part(key)
        return tile.id != 0 if isinstance(tile, Constant) else bool(tile.ids[: part.h, : part.w].all())

    def class_ids(self, plane: int, rect: Rect) -> NDArray[np.int32]:
        """Class id of each pixel of a rectangle (h, w); 0 = unknown."""
        return self._class_of[self.raster.read(plane, rect)[0]]

    def single_object(self, class_id: ClassId) -> ObjectId | None:
        """The first object of a class, which for a semantic class is the one it has."""
        found = int(np.argmax(self._class_of == class_id))
        return ObjectId(found) if found and self._class_of[found] == class_id else None

    def apply(self, edit: Edit) -> dict[int, Rect]:
        """Make the change and return the changed rectangle of each plane.

        Raises `EditConflict`, and changes nothing, where a `before` does not hold.
        """
        if edit.image not in (self.image, None):
            raise EditConflict("the edit belongs to another image")
        # Everything that can fail stands before the first change.
        parts = {key: self._part(key) for key in edit.tiles}
        for key, change in edit.tiles.items():
            if not same(self.raster.tile(key), change.before):
                raise EditConflict(f"tile {key} is not what the edit was made on")
        rows = joined_rows(edit.rows)
        for row in rows:
            self._check(row)
        changed: dict[int, Rect] = {}
        for key, change in edit.tiles.items():
            self.raster.put(key, change.after)
            changed[key[0]] = changed[key[0]].united(parts[key]) if key[0] in changed else parts[key]
        for row in rows:
            self.apply_row(row)
        return changed

    def _part(self, key: TileKey) -> Rect:
        plane, ty, tx = key
        if not 0 <= plane < len(self.raster.sizes):
            raise EditConflict(f"the image has no plane {plane}")
        part = tile_rect(ty, tx).intersected(self.raster.bounds(plane))
        if part.empty:
            raise EditConflict(f"tile {key} lies outside the image")
        return part

    def _row(self, row: RowChange) -> Columns | None:
        if row.table is Table.IMAGES:
            return self.marks.columns
        found = self._objects.get(ObjectId(row.key))
        return None if found is None else {"class_id": found, "locked": row.key in self._locked}

    def _check(self, row: RowChange) -> None:
        if row.table is Table.CLASSES:
            return
        if row.table is Table.IMAGES and row.key != self.image:
            raise EditConflict("the row belongs to another image")
        now = self._row(row)
        if (now is None) != (row.before is None):
            raise EditConflict(f"row {row.table} {row.key} is not what the edit was made on")
        if now and row.before and any(column in now and now[column] != value for column, value in row.before.items()):
            raise EditConflict(f"row {row.table} {row.key} is not what the edit was made on")
        if now and row.after is None and now.get("locked") and not (row.before or {}).get("locked"):
            raise EditConflict(f"object {row.key} is deleted and is locked")
        if not _sound(row):
            raise EditConflict(f"row {row.table} {row.key} cannot become {row.after}")

    def apply_row(self, row: RowChange) -> None:
        """Make the change of one row without checking it; for gestures and edits alone."""
        if row.table is Table.IMAGES and row.after is not None:
            self.marks = self.marks.changed(row.after)
        elif row.table is Table.OBJECTS:
            self.rows_changed += 1
            if row.after is None:
                self._objects.pop(ObjectId(row.key), None)
                self._class_of[row.key] = 0
                self._lock(ObjectId(row.key), locked=False)
                return
            if "class_id" in row.after:
                self._remember(ObjectId(row.key), ClassId(int(row.after["class_id"] or 0)))
            if "locked" in row.after:
                self._lock(ObjectId(row.key), locked=bool(row.after["locked"]))

    def _remember(self, object_id: ObjectId, class_id: ClassId) -> None:
        self._objects[object_id] = class_id
        self.next_object = max(self.next_object, object_id + 1)
        if object_id >= len(self._class_of):
            more = max(object_id, 64)
            self._class_of = np.concatenate([self._class_of, np.zeros(more, np.int32)])
            self._lock_of = np.concatenate([self._lock_of, np.zeros(more, np.bool_)])
        self._class_of[object_id] = class_id

    def _lock(self, object_id: ObjectId, *, locked: bool) -> None:
        (self._locked.add if locked else self._locked.discard)(object_id)
        self._lock_of[object_id] = locked


def _sound(row: RowChange) -> bool:
    """Whether a document can hold the row's new content."""
    if row.table is Table.IMAGES:
        return row.after is not None and is_sound(row.after)
    if row.after is None or (row.before is not None and "class_id" not in row.after):
        return True
    return 0 < row.key < 2**32 and isinstance(row.after.get("class_id"), int)

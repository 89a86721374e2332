"""The committed state of a project: every question that one short read transaction answers."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from math import inf
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from segstudio.errors import UserError
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassId, ClassTable, ImageId, Origin, Seq
from segstudio.labels.tiles.tile import Tile
from segstudio.store.catalog import images as images_
from segstudio.store.catalog import roles as roles_
from segstudio.store.catalog import versions as versions_
from segstudio.store.catalog.classes import read_classes
from segstudio.store.catalog.split import Split
from segstudio.store.database.connections import Readers
from segstudio.store.database.migrations import schema_of
from segstudio.store.values import FrozenLabels, ImageRow, ObjectRow, RunRow, VersionRow
from segstudio.store.writing import label_rows as labels_
from segstudio.store.writing.label_digests import read_digest, read_digests
from segstudio.store.writing.object_counts import (
    KEPT_SINCE,
    counted,
    counted_of_all,
    objects_by_class,
    read_object_counts,
)
from segstudio.text import _

__all__ = ["Committed", "read_setting"]


class Committed:
    """Any thread may ask. Edits that are not durable yet are not in the answers."""

    def __init__(self, path: Path, readers: Readers) -> None:
        self.path = path
        self._readers = readers

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A read transaction on what is committed, for the store's own functions; keep it short."""
        return self._readers.transaction()

    def looking(self) -> AbstractContextManager[sqlite3.Connection]:
        """The same for long looks while others write: a transaction for each statement, all rows at once."""
        return self._readers.statements()

    def images(self, *, removed: bool = False) -> list[ImageRow]:
        """The images in the order of `info`; removed ones only where asked for."""
        with self._readers.transaction() as db:
            rows = list(images_.read_images(db, images_.read_places(db, self.path), removed=removed))
            if schema_of(db) >= KEPT_SINCE:
                return rows
            # Older programs counted background too.
            objects = counted_of_all(db)
            return [replace(row, objects=objects.get(row.id, 0)) for row in rows]

    def count_images(self) -> int:
        """How many images there are, without those that were taken out."""
        with self._readers.transaction() as db:
            return int(db.execute("SELECT count(*) FROM images WHERE removed = 0").fetchone()[0])

    def image(self, image: ImageId) -> ImageRow:
        """One image. Raises `KeyError` where there is none of this id."""
        for row in self.some_images((image,)):
            return row
        raise KeyError(image)

    def some_images(self, images: Collection[ImageId]) -> list[ImageRow]:
        """Some of the images, removed ones too, in the order of `info`; unknown ids are left out."""
        with self._readers.transaction() as db:
            rows = list(images_.read_images(db, images_.read_places(db, self.path), some=images))
            return rows if schema_of(db) >= KEPT_SINCE else [_counted(db, row) for row in rows]

    def splits(self) -> Mapping[ImageId, Split]:
        """What the images are for that learned or were held out; the others are not in it."""
        with self._readers.transaction() as db:
            return images_.read_splits(db)

    def changed_since(self, seq: Seq) -> list[ImageId]:
        """The images that an edit after this number has changed, removed ones included."""
        with self._readers.transaction() as db:
            return images_.changed_since(db, seq)

    def find_image(self, path_or_index: str | int) -> ImageRow:
        """The image of a path, or at a place in `images()`. Raises `UserError` where there is none."""
        with self._readers.transaction() as db:
            found = images_.find_id(db, path_or_index)
        if found is None:
            values = {"name": self.path.name, "image": path_or_index}
            raise UserError(
                _("The project '{name}' has no image at place {image}.", **values)
                if isinstance(path_or_index, int)
                else _("The project '{name}' has no image '{image}'.", **values)
            )
        return self.image(found)

    def classes(self) -> ClassTable:
        """The classes, removed and merged ones included."""
        with self._readers.transaction() as db:
            return read_classes(db)

    def tile(self, image: ImageId, key: TileKey) -> Tile:
        """One committed tile, its digest checked. Raises `ProjectDamaged`."""
        with self._readers.transaction() as db:
            return labels_.read_tile(db, image, key)

    def tiles(self, image: ImageId, plane: int, limit_bytes: float = inf) -> dict[tuple[int, int], Tile]:
        """Committed tiles of a plane that hold a label, by (ty, tx), digests checked; all of them, or as many as fit.

        Raises `ProjectDamaged`.
        """
        with self._readers.transaction() as db:
            return {key[1:]: tile for key, tile in labels_.read_tiles(db, image, plane, limit_bytes).items()}

    def frozen(self, image: ImageId) -> FrozenLabels:
        """All committed labels of an image, of one moment. Raises `ProjectDamaged`."""
        with self._readers.transaction() as db:
            return labels_.read_frozen(db, image)

    def labels_sha256(self, image: ImageId) -> str:
        """Digest of the committed labels of an image: see `label_digests.compute_digest`."""
        with self._readers.transaction() as db:
            return read_digest(db, image).hex()

    def labels_digests(self) -> Mapping[ImageId, str]:
        """The same of every image; quick, but for images that were painted a moment ago."""
        with self._readers.transaction() as db:
            return {image: found.hex() for image, found in read_digests(db).items()}

    def object_counts(self, image: ImageId) -> Mapping[ClassId, int]:
        """Objects with a pixel by class, as classes count today; background, ignore and removed classes left out.

        A semantic class has several only after a merge; in `ImageRow.objects` it is one.
        """
        with self._readers.transaction() as db:
            return objects_by_class(read_object_counts(db, image), read_classes(db))

    def known_planes(self, image: ImageId) -> frozenset[int]:
        """The planes of an image that hold a known pixel."""
        with self._readers.transaction() as db:
            rows = db.execute("SELECT DISTINCT plane FROM tiles WHERE image = ?", (image,))
            return frozenset(int(row[0]) for row in rows)

    def pixels_by_plane(self, image: ImageId) -> Mapping[int, int]:
        """How many pixels of each plane belong to an object; planes without any are left out."""
        with self._readers.transaction() as db:
            rows = db.execute("SELECT plane, sum(area) FROM tile_objects WHERE image = ? GROUP BY plane", (image,))
            return {int(plane): int(pixels) for plane, pixels in rows}

    def objects(self, image: ImageId) -> list[ObjectRow]:
        """The objects of an image with area, box and pixels by origin."""
        with self._readers.transaction() as db:
            return labels_.read_object_rows(db, image)

    def counts(self, image: ImageId) -> Mapping[tuple[ClassId, Origin], int]:
        """Known pixels of an image by class and origin."""
        with self._readers.transaction() as db:
            return labels_.read_counts(db, image)

    def class_pixels(self, *, removed: bool = False) -> Mapping[ClassId, int]:
        """Known pixels of the whole project by class; those of images that were taken out only where asked for."""
        with self._readers.transaction() as db:
            return labels_.class_pixels(db, removed=removed)

    def class_use(self, class_ids: Iterable[ClassId]) -> tuple[int, int]:
        """In how many images these classes have known pixels, and how many pixels together."""
        with self._readers.transaction() as db:
            return labels_.class_use(db, class_ids)

    def images_with(self, class_id: ClassId) -> frozenset[ImageId]:
        """The images with a known pixel that counts as this class today, removed images too.

        One look into the index of counts: it costs a row for each image that has the class, and reads no pixel.
        """
        with self._readers.transaction() as db:
            table = read_classes(db)
            today = ((known.id, table.effective(known.id)) for known in table.all)
            counting = [id_ for id_, counts_as in today if counts_as is not None and counts_as.id == class_id]
            return labels_.images_with(db, counting)

    def classes_with_pixels(self) -> frozenset[ClassId]:
        """The classes, as pixels were given them, that have a known pixel, in images that were taken out too."""
        with self._readers.transaction() as db:
            return labels_.classes_with_pixels(db, removed=True)

    def known_classes(self) -> frozenset[ClassId]:
        """The classes, as they count today, that have a known pixel."""
        with self._readers.transaction() as db:
            table, known = read_classes(db), labels_.classes_with_pixels(db)
        effective = map(table.effective, known)
        return frozenset(found.id for found in effective if found is not None)

    def versions(self) -> list[VersionRow]:
        """All model versions, oldest first."""
        with self._readers.transaction() as db:
            return versions_.read_versions(db)

    def current_version(self) -> VersionRow | None:
        """The version that proposes; None before there is one."""
        return next((version for version in self.versions() if version.current), None)

    def trained_groups(self) -> frozenset[int]:
        """Groups that some version has trained on: none of their images can be held out again."""
        with self._readers.transaction() as db:
            rows = db.execute("SELECT DISTINCT group_id FROM version_groups WHERE split = 'train'")
            return frozenset(int(row[0]) for row in rows)

    def decided_since(self, seq: Seq) -> frozenset[ImageId]:
        """The images of groups whose role in the split was decided, or moved, at this edit or later."""
        with self._readers.transaction() as db:
            return roles_.decided_since(db, seq)

    def runs(self) -> list[RunRow]:
        """All training runs, oldest first."""
        with self._readers.transaction() as db:
            return versions_.read_runs(db)

    def setting(self, key: str, default: Any = None) -> Any:
        """A setting of the project: plain JSON values."""
        with self._readers.transaction() as db:
            return read_setting(db, key, default)

    def seconds(self) -> Mapping[ImageId, float]:
        """Seconds that people spent on each image, all days and authors together; images without any are left out."""
        with self._readers.transaction() as db:
            return versions_.read_seconds(db)

    def efforts(self) -> Mapping[ImageId, tuple[int, int]]:
        """(corrected, proposed) pixels at the last Done of each image that has them."""
        with self._readers.transaction() as db:
            return versions_.read_efforts(db)

    def done_at(self) -> Mapping[ImageId, Seq]:
        """The edit by which each image was last marked done, as far as the journal goes back."""
        with self._readers.transaction() as db:
            return versions_.read_done_at(db)

    def effort(self, image: ImageId) -> tuple[int, int] | None:
        """(corrected, proposed) pixels at the last Done; None before it, and where nothing had been proposed."""
        with self._readers.transaction() as db:
            row = db.execute("SELECT corrected_pixels, proposed_pixels FROM images WHERE id = ?", (image,)).fetchone()
        return None if row is None or row[0] is None else (int(row[0]), int(row[1]))


def _counted(db: sqlite3.Connection, row: ImageRow) -> ImageRow:
    return replace(row, objects=counted(read_object_counts(db, row.id), read_classes(db)))


def read_setting(db: sqlite3.Connection, key: str, default: Any = None) -> Any:
    """A setting of the project as plain JSON values."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return default if row is None else msgspec.json.decode(row[0])

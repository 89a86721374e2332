"""The labels of one image of two projects into one edit: its tiles are made when they are written, one at a time.

B's objects become objects of C: in a semantic class the one that A has, in an instance class the one that is the same
in both copies, else the one that covers it best (IoU above 0.5, of which there is at most one: Kirillov et al.,
Panoptic Segmentation, 2019), else a new one.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.done_planes import Marks, planes_of, ranges_of
from segstudio.labels.edit import Batch, Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause, ClassId, ImageId, LabelClass, ObjectId, Status
from segstudio.labels.proposal import CONFIDENCE_SIDE, ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Tile, expanded, frozen, same
from segstudio.store.merge.base import Since
from segstudio.store.merge.classes import MergedClasses
from segstudio.store.merge.images import PairedImage
from segstudio.store.merge.tiles import Meaning, Verdict, compared, merged_tile
from segstudio.store.proposals import EncodedTile, encoded
from segstudio.store.values import ObjectRow
from segstudio.store.writing.label_rows import read_marks, read_object_rows, read_tile

__all__ = ["ImageMerge", "PlaneConflict", "merge_image"]

T = TypeVar("T")

_NEW = 1 << 32
"""Objects of B that are none of A's mean this and their own number, beyond every object's number."""


@dataclass(slots=True)
class PlaneConflict:
    """Where both know and differ on one plane: pixels, their box, and B's version of them as a proposal."""

    pixels: int = 0
    rect: Rect = field(default_factory=lambda: Rect(0, 0, 0, 0))
    rows: dict[int, ProposalRow] = field(default_factory=dict[int, ProposalRow])
    tiles: dict[tuple[int, int], EncodedTile] = field(default_factory=dict[tuple[int, int], EncodedTile])


@dataclass(frozen=True, slots=True)
class ImageMerge:
    """The edit of an image (None where nothing changes), and its conflicts by plane.

    `taken_out_by_b`: one copy alone took the image out (True: B, False: A), but the other has labelled it since, so it
    stays in; else None.
    """

    edit: Edit | None
    conflicts: Mapping[int, PlaneConflict]
    taken_out_by_b: bool | None = None


class _Tiles(Mapping[TileKey, TileChange]):
    """The tiles of an edit, each made when it is asked for."""

    def __init__(self, keys: list[TileKey], make: Callable[[TileKey], TileChange]) -> None:
        self._keys, self._make = keys, make

    def __getitem__(self, key: TileKey) -> TileChange:
        return self._make(key)

    def __iter__(self) -> Iterator[TileKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def merge_image(
    c: sqlite3.Connection,
    b: sqlite3.Connection,
    pair: PairedImage,
    classes: MergedClasses,
    since: Since | None,
    batch: Batch,
) -> ImageMerge:
    """Compare an image of C, which is as A has it, with B's, tile by tile; `since` leads back to what both have been.

    The edit is to be written before another of this image. Raises `ProjectDamaged` for a tile that cannot be read.
    """
    return _Merge(c, b, pair, classes, since).merged(batch)


class _Merge:
    def __init__(
        self,
        c: sqlite3.Connection,
        b: sqlite3.Connection,
        pair: PairedImage,
        classes: MergedClasses,
        since: Since | None,
    ) -> None:
        self._c, self._b, self._pair, self._classes, self._since = c, b, pair, classes, since
        self._mine = {row.id: row for row in read_object_rows(c, pair.c)}
        self._theirs = {row.id: row for row in read_object_rows(b, pair.b)}
        self._counts_a = {o: classes.table.effective(row.class_id) for o, row in self._mine.items()}
        self._counts_b = {o: classes.effective_b(row.class_id) for o, row in self._theirs.items()}
        self._moved_b = self._moved(self._theirs)
        self._moved_a = self._moved(self._mine)
        self._keys = self._tile_keys()
        self._object_of = self._same_objects()
        self._meaning = self._meanings()
        self._target = np.zeros(0, np.uint32)
        self._stays: bool | None = None

    # --- what is to be compared

    def _moved(self, objects: Mapping[ObjectId, ObjectRow]) -> set[ObjectId]:
        """Objects whose class was changed since the last common edit."""
        if self._since is None:
            return set()
        then = self._since.objects
        return {o for o, row in objects.items() if o in then and then[o] != row.class_id}

    def _tile_keys(self) -> list[TileKey]:
        """The tiles of B where it may say something else than A or than before."""
        theirs = _digests(self._b, self._pair.b)
        if self._since is None:
            return sorted(theirs)
        keys = set(self._since.trails)
        if not self._since.of_b:
            mine = _digests(self._c, self._pair.c)
            keys = {key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)}
        for moved in self._moved_b:
            keys.update(
                self._b.execute(
                    "SELECT plane, ty, tx FROM tile_objects WHERE image = ? AND object = ?", (self._pair.b, moved)
                )
            )
        return sorted(keys)

    def _in_c(self, key: TileKey) -> TileKey:
        return self._pair.planes[key[0]], key[1], key[2]

    def _read(self, key: TileKey) -> tuple[Tile, Tile, Tile | None]:
        """A tile of A, of B and of their past, by its key in B."""
        a = read_tile(self._c, self._pair.c, self._in_c(key))
        b = read_tile(self._b, self._pair.b, key)
        return a, b, None if self._since is None else self._since.tile(key, a, b)

    # --- which object is which

    def _same_objects(self) -> dict[ObjectId, ObjectId]:
        """B's objects of instance classes that are objects of A."""
        past: set[ObjectId] = set()
        if self._since is not None:
            past = set(self._since.objects) - self._moved_a - self._moved_b
        theirs, mine = _instances(self._counts_b), _instances(self._counts_a)
        same = {o: o for o in past if o in theirs and theirs[o] == mine.get(o)}
        kept = {o for o in same if self._theirs[o].area}
        candidates_b = {o: c for o, c in theirs.items() if o not in same and self._theirs[o].area}
        candidates_a = {o: c for o, c in mine.items() if o not in kept and self._mine[o].area}
        if not candidates_a or not candidates_b:
            return same
        for (o_a, o_b), pixels in self._overlaps(candidates_a, candidates_b).items():
            union = self._mine[o_a].area + self._theirs[o_b].area - pixels
            if candidates_a[o_a] == candidates_b[o_b] and 2 * pixels > union:
                same[o_b] = o_a
        return same

    def _overlaps(
        self, of_a: Mapping[ObjectId, ClassId], of_b: Mapping[ObjectId, ClassId]
    ) -> Counter[tuple[ObjectId, ObjectId]]:
        """Pixels that an object of A and one of B share."""
        wanted_a, wanted_b = _flags(of_a, self._mine), _flags(of_b, self._theirs)
        found: Counter[tuple[ObjectId, ObjectId]] = Counter()
        for key in self._keys:
            (ids_a, _), (ids_b, _) = (
                expanded(read_tile(self._c, self._pair.c, self._in_c(key))),
                expanded(read_tile(self._b, self._pair.b, key)),
            )
            both = wanted_a[ids_a] & wanted_b[ids_b]
            pairs, counts = np.unique(ids_a[both].astype(np.uint64) << 32 | ids_b[both], return_counts=True)
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
                found[ObjectId(pair >> 32), ObjectId(pair & (_NEW - 1))] += count
        return found

    def _meanings(self) -> Meaning:
        a, b = _table(self._mine), _table(self._theirs)
        for o, c in self._counts_a.items():
            a[o] = 0 if c is None else -c.id if c.one_object else o
        for o, c in self._counts_b.items():
            b[o] = 0 if c is None else -c.id if c.one_object else self._object_of.get(o, _NEW + o)
        return Meaning(a, b, _flags(self._moved_a, self._mine), _flags(self._moved_b, self._theirs))

    # --- the two passes: what changes, and the tiles themselves

    def merged(self, batch: Batch) -> ImageMerge:
        """Look at every tile; those that change are made again when the edit is written."""
        changed: list[TileKey] = []
        used: set[int] = set()
        conflicts: dict[int, PlaneConflict] = {}
        for key in self._keys:
            a, b, base = self._read(key)
            verdict = compared(a, b, base, self._meaning)
            if verdict.take.any():
                changed.append(key)
                used.update(_ids(b, verdict.take & ~verdict.alike))
            if verdict.conflict.any():
                plane, ty, tx = self._in_c(key)
                self._note(conflicts.setdefault(plane, PlaneConflict()), (ty, tx), b, verdict)
        rows = self._new_objects(used - {0})
        rows += self._locks()
        rows += self._image_row(conflicts)
        if not changed and not rows:
            return ImageMerge(None, conflicts, self._stays)
        in_b = {self._in_c(key): key for key in changed}
        tiles = _Tiles(sorted(in_b), lambda key: self._change(in_b[key]))
        edit = Edit(self._pair.c, Cause.MERGE, tiles, tuple(rows), tool="merge", author=batch.author, batch=batch.id)
        return ImageMerge(edit, conflicts, self._stays)

    def _change(self, key: TileKey) -> TileChange:
        a, b, base = self._read(key)
        return TileChange(a, merged_tile(a, b, compared(a, b, base, self._meaning), self._target))

    def _note(self, conflict: PlaneConflict, key: tuple[int, int], b: Tile, verdict: Verdict) -> None:
        where = np.broadcast_to(verdict.conflict, (TILE, TILE))
        ids = np.where(where, expanded(b)[0], np.uint32(0))
        ys, xs = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        x, y = key[1] * TILE + int(xs[0]), key[0] * TILE + int(ys[0])
        box = Rect(x, y, int(xs[-1] - xs[0]) + 1, int(ys[-1] - ys[0]) + 1)
        conflict.pixels += int(np.count_nonzero(where))
        conflict.rect = conflict.rect.united(box)
        # Sure wherever one of the 4 x 4 pixels is proposed: a thin seam would else seem a doubt.
        quarter = where.reshape(CONFIDENCE_SIDE, 4, CONFIDENCE_SIDE, 4).any((1, 3))
        sure = np.where(quarter, np.uint8(15), np.uint8(0))
        conflict.tiles[key] = encoded(ProposalTile(frozen(ids, np.zeros((TILE, TILE), np.uint8)), sure))
        for o in np.unique(ids[where]).tolist():
            found = self._counts_b[ObjectId(o)]
            assert found is not None
            conflict.rows[o] = ProposalRow(found.id, 1.0)

    def _new_objects(self, used: set[int]) -> list[RowChange]:
        """Give every object of B that has pixels in C its object, and make the missing ones."""
        self._target = np.zeros(max(self._theirs, default=0) + 1, np.uint32)
        single = {row.class_id: o for o, row in sorted(self._mine.items(), reverse=True)}
        rows: list[RowChange] = []
        next_id = int(self._c.execute("SELECT next_object FROM images WHERE id = ?", (self._pair.c,)).fetchone()[0])
        for o in map(ObjectId, sorted(used)):
            counted = self._counts_b[o]
            assert counted is not None
            found = single.get(counted.id) if counted.one_object else self._object_of.get(o)
            if found is None:
                found = ObjectId(next_id)
                next_id += 1
                columns: dict[str, int | bool] = {"class_id": counted.id}
                if self._theirs[o].locked:
                    columns["locked"] = True
                rows.append(RowChange(Table.OBJECTS, found, None, columns))
                if counted.one_object:
                    single[counted.id] = found
            self._target[o] = found
        return rows

    def _locks(self) -> list[RowChange]:
        """Objects of their common past are locked, or not, as the side has it that changed it alone."""
        rows: list[RowChange] = []
        since = self._since
        for o in () if since is None else sorted(since.objects.keys() & self._mine.keys() & self._theirs.keys()):
            mine = self._mine[o].locked
            if since is not None and mine == (o in since.locked) != self._theirs[o].locked:
                rows.append(RowChange(Table.OBJECTS, o, {"locked": mine}, {"locked": not mine}))
        return rows

    def _image_row(self, conflicts: Collection[int]) -> list[RowChange]:
        """Status and removal: a side that changed alone wins; done is what both call so and nothing contradicts."""
        query = "SELECT removed FROM images WHERE id = ?"
        (removed_a,) = self._c.execute(query, (self._pair.c,)).fetchone()
        (removed_b,) = self._b.execute(query, (self._pair.b,)).fetchone()
        then = (Marks(), 1) if self._since is None else (self._since.marks, int(self._since.removed))
        a, b = read_marks(self._c, self._pair.c), read_marks(self._b, self._pair.b)
        planes = self._pair.planes
        theirs = Marks(b.status, ranges_of(planes[plane] for plane in planes_of(b.some)))
        marks = _joined(then[0], a, theirs, conflicts, len(planes))
        removed = int(_changed_alone(then[1], removed_a, removed_b, removed_a))
        if self._since is not None and removed and removed_a != removed_b and self._labelled(by_b=bool(removed_a)):
            removed, self._stays = 0, bool(removed_b)
        before, after = {**a.columns, "removed": removed_a}, {**marks.columns, "removed": removed}
        differ = [column for column in before if before[column] != after[column]]
        if not differ:
            return []
        return [RowChange(Table.IMAGES, self._pair.c, {k: before[k] for k in differ}, {k: after[k] for k in differ})]

    def _labelled(self, *, by_b: bool) -> bool:
        """Whether one side changed a pixel since the last common edit; where that is not known, whether they differ."""
        mine, theirs = _digests(self._c, self._pair.c), _digests(self._b, self._pair.b)
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                a, b, base = self._read(key)
                side, other = (b, a) if by_b else (a, b)
                if not same(side, other if base is None else base):
                    return True
        return False


def _digests(db: sqlite3.Connection, image: ImageId) -> dict[TileKey, bytes]:
    rows = db.execute("SELECT plane, ty, tx, digest FROM tiles WHERE image = ?", (image,))
    return {(plane, ty, tx): digest for plane, ty, tx, digest in rows}


def _changed_alone(then: T, a: T, b: T, otherwise: T) -> T:
    if a == b or b == then:
        return a
    return b if a == then else otherwise


def _joined(then: Marks, a: Marks, b: Marks, conflicts: Collection[int], planes: int) -> Marks:
    """How far an image is that was `then`, and is `a` and `b` today: of several planes each for itself, where one of
    them tells them apart."""
    if not (then.some or a.some or b.some or (conflicts and planes > 1)):
        status = _changed_alone(then.status, a.status, b.status, Status.IN_PROGRESS)
        return Marks(Status.IN_PROGRESS if conflicts else status)
    done = [
        _changed_alone(then.is_done(plane), a.is_done(plane), b.is_done(plane), False) and plane not in conflicts
        for plane in range(planes)
    ]
    return Marks(Status.IN_PROGRESS).with_done((plane for plane, is_done in enumerate(done) if is_done), planes)


def _instances(counts: Mapping[ObjectId, LabelClass | None]) -> dict[ObjectId, ClassId]:
    return {o: c.id for o, c in counts.items() if c is not None and not c.one_object}


def _table(objects: Mapping[ObjectId, ObjectRow]) -> NDArray[np.int64]:
    return np.zeros(max(objects, default=0) + 1, np.int64)


def _flags(which: Iterable[ObjectId], objects: Mapping[ObjectId, ObjectRow]) -> NDArray[np.bool_]:
    flags = np.zeros(max(objects, default=0) + 1, np.bool_)
    flags[list(which)] = True
    return flags


def _ids(tile: Tile, where: NDArray[np.bool_]) -> list[int]:
    return np.unique(np.broadcast_to(expanded(tile)[0], (TILE, TILE))[np.broadcast_to(where, (TILE, TILE))]).tolist()

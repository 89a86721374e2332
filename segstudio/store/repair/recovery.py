"""What is left of a damaged project, each piece only where two witnesses agree: the tiles, the objects, the rest.

A tile is proved by the digest of its content, and its place by the index or the journal; one whose content is broken is
rebuilt from the journal. An object's class is proved by its index or the journal. What cannot be proved is lost, and
is listed: nothing is guessed.

A project may hold more labels than memory does. What is held is where each tile is and its digest, where each delta is
and its two, and the class of each object; contents are read when they are wanted, one at a time.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from segstudio.errors import ProjectDamaged
from segstudio.labels.model import Seq
from segstudio.labels.tiles.codec import decode_tile
from segstudio.labels.tiles.tile import EMPTY, EMPTY_DIGEST, Tile, digest
from segstudio.store.database.disk_errors import UNREADABLE
from segstudio.store.history.journal_walk import TileStep
from segstudio.store.history.undo_horizon import COMPACTED_POINTS
from segstudio.store.repair.damaged_tables import (
    Columns,
    Numbered,
    Row,
    Rows,
    columns_of,
    each_indexed,
    each_keyed,
    read_index,
    read_keyed,
    read_numbered,
)
from segstudio.store.repair.journal_replay import EditNote, Place, Testimony, testimony
from segstudio.store.repair.open_damaged import template
from segstudio.store.repair.packed import PackedObjects

__all__ = ["Proved", "Recovered", "recover"]

_TABLES = (
    *("settings", "roots", "groups", "images", "files", "planes", "classes", "batches"),
    *("snapshots", "runs", "versions", "version_groups", "times"),
)
_BY_IMAGE = frozenset({"planes", "times"})
_FROM_JOURNAL = -1
_FARTHEST = 1 << 53
"""Numbers as large as this come only from damage."""


class Proved(NamedTuple):
    """A tile that is proved: the number of its row, or `_FROM_JOURNAL`, and the digest of its content."""

    number: int
    digest: bytes


@dataclass(slots=True)
class Recovered:
    """What is left of a database that has to stay open while it is used.

    `tables` are small ones, rows as they were read; proved `tiles`, classes of `objects` by image; what is known to be
    lost. `points` are the states that are kept up to the floor, where the project was compacted.
    """

    tables: dict[str, Rows]
    edits: Numbered
    deltas: Numbered
    tile_rows: Numbered
    points: tuple[Seq, ...] = ()
    tiles: dict[Place, Proved] = field(default_factory=dict[Place, Proved])
    objects: PackedObjects = field(default_factory=PackedObjects)
    locked: PackedObjects = field(default_factory=PackedObjects)
    """Those of the proved objects that are locked; in the place of the class stands 1."""
    rebuilt: set[Place] = field(default_factory=set[Place])
    lost_tiles: set[Place] = field(default_factory=set[Place])
    lost_objects: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    journal: Testimony = field(default_factory=Testimony)
    last_seq: int = 0
    """Number of the last edit of which there is a row or a delta."""
    lost_rows: dict[str, int] = field(default_factory=dict[str, int])
    """Rows that are known to have been there, by table."""
    broken: tuple[str, ...] = ()
    """Tables that may have held more rows."""

    @property
    def tiles_broken(self) -> bool:
        """Pages of tiles cannot be read, so unknown tiles may be lost."""
        return self.tile_rows.broken

    def content(self, place: Place) -> tuple[Tile, bytes | None] | None:
        """A proved tile, and as it is encoded in its row where it has one; None where it can be read no more."""
        proved = self.tiles[place]
        if proved.number == _FROM_JOURNAL:
            tile = self.journal.rebuilt(place, self)
            return None if tile is None else (tile, None)
        row = self.tile_rows.row(proved.number)
        tile = None if row is None else _decoded(row["data"])
        return None if row is None or tile is None else (tile, row["data"])

    def edit_rows(self, seq: int) -> bytes | None:
        """The rows of an edit, encoded."""
        row = self.edits.row(seq)
        return None if row is None else row["rows"]

    def delta(self, number: int) -> bytes | None:
        """A delta's data."""
        row = self.deltas.row(number)
        return None if row is None else row["data"]

    @property
    def history_whole(self) -> bool:
        """Whether every edit can still be undone: the journal is complete and leads to the tiles.

        To be called when every tile is written: only then are the gaps known.
        """
        ends = {place: found for place, found in self.journal.tiles.items() if found != EMPTY_DIGEST}
        # Of a compacted project the journal does not know what was painted before its first kept state.
        known = self.tiles.keys() if self.journal.whole else self.tiles.keys() & self.journal.tiles.keys()
        return (
            self.journal.complete
            and not self.lost_tiles
            and not self.lost_objects
            and ends == {place: self.tiles[place].digest for place in known}
        )


def recover(db: sqlite3.Connection) -> Recovered:
    """Read everything of a damaged database that can be read and proved; it stays in use."""
    names = (*_TABLES, "objects", "edits", "deltas", "tiles", "tile_objects")
    with closing(template()) as fresh:
        columns = {table: columns_of(fresh, table) for table in names}
    tables: dict[str, Rows] = {}
    for table in _TABLES:
        tables[table] = _read(db, table, columns[table], tables)
    numbered = {table: Numbered(db, table, columns[table]) for table in ("edits", "deltas", "tiles")}
    out = Recovered(tables, numbered["edits"], numbered["deltas"], numbered["tiles"])
    _recover_journal(out, db)
    _recover_tiles(out, db, columns["tile_objects"])
    objects = _recover_objects(out, db, columns["objects"])
    found = {**tables, "objects": objects, "edits": out.edits, "deltas": out.deltas}
    out.lost_rows = {table: rows.lost for table, rows in found.items() if rows.lost}
    out.broken = tuple(table for table, rows in found.items() if rows.broken)
    return out


def _recover_journal(out: Recovered, db: sqlite3.Connection) -> None:
    """Replay it, holding only where each delta is and the digests of its two sides."""
    edits = [EditNote(row["seq"], row["image"], row["undoes"], row["pixels"]) for row in out.edits.rows()]
    deltas: defaultdict[int, list[TileStep]] = defaultdict(list)
    for row in out.deltas.rows():
        before = EMPTY_DIGEST if row["before"] == EMPTY_DIGEST else row["before"]  # equal bytes are held once
        after = EMPTY_DIGEST if row["after"] == EMPTY_DIGEST else row["after"]
        deltas[row["seq"]].append(TileStep((row["plane"], row["ty"], row["tx"]), before, after, row["id"]))
    known = set(read_index(db, "sqlite_autoindex_deltas_1", "deltas", ("seq", "plane", "ty", "tx"))[0])
    there = {(seq, *d.key) for seq, notes in deltas.items() for d in notes}
    whole = out.edits.whole and out.deltas.whole and known == there and _sound(db, "edits") and _sound(db, "deltas")
    out.points = _compacted_points(out.tables["settings"].rows, max((edit.seq for edit in edits), default=0))
    out.last_seq = max((seq for seq in (*deltas, *(edit.seq for edit in edits)) if seq < _FARTHEST), default=0)
    out.journal = testimony(edits, deltas, out, complete=whole, points=out.points)


def _compacted_points(settings: Iterable[Row], last: int) -> tuple[Seq, ...]:
    """The states that are kept of a compacted project, rising; none where the settings are missing or wrong."""
    values = {row["key"]: row["value"] for row in settings}
    try:
        points = msgspec.json.decode(values.get(COMPACTED_POINTS, "[]"), type=list[int])
    except msgspec.DecodeError:
        return ()
    true = points and points == sorted(set(points)) and points[0] >= 0 and points[-1] <= last
    return tuple(map(Seq, points)) if true else ()


def _sound(db: sqlite3.Connection, table: str) -> bool:
    try:
        return [row[0] for row in db.execute(f"PRAGMA quick_check('{table}')")] == ["ok"]
    except UNREADABLE:
        return False


def _read(db: sqlite3.Connection, table: str, columns: Columns, tables: Mapping[str, Rows]) -> Rows:
    try:
        if not columns.key:
            return read_numbered(db, table, columns)
        images = [row["id"] for row in tables["images"].rows] if table in _BY_IMAGE else None
        return read_keyed(db, table, columns, images)
    except UNREADABLE:
        return Rows(broken=True)


def _recover_tiles(out: Recovered, db: sqlite3.Connection, extents: Columns) -> None:
    keys, _ = read_index(db, "sqlite_autoindex_tiles_1", "tiles", ("image", "plane", "ty", "tx", "id"))
    indexed: dict[int, Place] = {id_: (image, plane, ty, tx) for image, plane, ty, tx, id_ in keys}
    del keys
    witnessed: set[Place] = set()

    def witness(row: Row) -> None:
        if row["area"] > 0:
            witnessed.add((row["image"], row["plane"], row["ty"], row["tx"]))

    each_keyed(db, "tile_objects", extents, witness, [row["id"] for row in out.tables["images"].rows])
    read: set[int] = set()
    for row in out.tile_rows.rows():
        _take(out, row, indexed, witnessed)
        read.add(row["id"])
    expected = witnessed | {place for id_, place in indexed.items() if id_ not in read}
    if out.journal.complete:
        expected |= {place for place, found in out.journal.tiles.items() if found != EMPTY_DIGEST}
    out.lost_tiles |= {place for place in expected if place not in out.tiles}
    for place in list(out.lost_tiles):
        if _rebuild(out, place, None):
            out.lost_tiles.discard(place)


def _take(out: Recovered, row: Row, indexed: Mapping[int, Place], witnessed: set[Place]) -> None:
    place: Place = (row["image"], row["plane"], row["ty"], row["tx"])
    tile = _decoded(row["data"])
    found = None if tile is None else digest(tile)
    promised: bytes = row["digest"]
    by_index = indexed.get(row["id"])
    candidates = [place] if by_index in (None, place) else [place, by_index]
    if found == promised:
        for candidate in candidates:
            end = out.journal.tiles.get(candidate)
            ends_so = not out.journal.complete or end == promised
            by_journal = ends_so and out.journal.saw(candidate, promised)
            if candidate == by_index == place or by_journal or (by_index is None and candidate in witnessed):
                out.tiles[candidate] = Proved(row["id"], promised if end is None or end != promised else end)
                return
    elif found is not None and out.journal.complete and out.journal.tiles.get(place) == found:
        out.tiles[place] = Proved(row["id"], found)  # it is the promise that is broken
        return
    for candidate in candidates:
        if _rebuild(out, candidate, promised):
            return
    out.lost_tiles |= {candidate for candidate in candidates if candidate in witnessed or candidate == by_index}
    if not any(candidate in out.lost_tiles for candidate in candidates):
        out.lost_tiles.add(place)


def _rebuild(out: Recovered, place: Place, promised: bytes | None) -> bool:
    """Take the tile that the journal leads to in its place, where that is proved to be the newest one."""
    if place in out.tiles:
        return False
    tile = out.journal.rebuilt(place, out)
    if tile is None or tile == EMPTY:
        return False
    found = digest(tile)
    if found != promised and not (out.journal.complete and out.journal.tiles.get(place) == found):
        return False
    out.tiles[place] = Proved(_FROM_JOURNAL, found)
    out.rebuilt.add(place)
    return True


def _decoded(data: bytes) -> Tile | None:
    try:
        return decode_tile(data)
    except ProjectDamaged:
        return None


def _recover_objects(out: Recovered, db: sqlite3.Connection, columns: Columns) -> Rows:
    """The class of each object on which two of row, index and journal agree; returns what was lost of the rows.

    An object is locked where its row says so, or, where that is lost, the journal.
    """
    rows, locked, index = PackedObjects(), PackedObjects(), PackedObjects()
    images = [row["id"] for row in out.tables["images"].rows]

    def take(row: Row) -> None:
        rows.add(row["image"], row["id"], row["class_id"])
        if row["locked"]:
            locked.add(row["image"], row["id"], 1)

    lost, broken = each_keyed(db, "objects", columns, take, images)
    names = ("class_id", "image", "id")
    index_whole = each_indexed(db, "objects_class", "objects", names, lambda key: index.add(key[1], key[2], key[0]))
    alone = not index_whole and not out.journal.complete  # no second witness is left
    for image in sorted(rows.images() | index.images() | out.journal.turns.keys()):
        replayed, locked_then = out.journal.objects(image, out)
        witnesses = (rows.of(image), index.of(image), replayed)
        locks = locked.of(image).keys() | (locked_then - witnesses[0].keys())
        rows.drop(image)
        index.drop(image)
        for id_ in sorted(set[int]().union(*witnesses)):
            said = [witness[id_] for witness in witnesses if id_ in witness]
            agreed = [class_id for class_id in set(said) if said.count(class_id) > 1]
            if len(agreed) == 1 or (alone and len(said) == 1):
                out.objects.add(image, id_, agreed[0] if agreed else said[0])
                if id_ in locks:
                    out.locked.add(image, id_, 1)
    return Rows(lost=lost, broken=broken)

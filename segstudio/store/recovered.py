"""What is left of a damaged project, each piece only where two witnesses agree: the tiles, the objects, the rest.

A tile is proved by the digest of its content, and its place by the index or the journal; one whose content is broken is
rebuilt from the journal. An object's class is proved by its index or the journal. What cannot be proved is lost, and
is listed: nothing is guessed.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
import numpy as np

from segstudio.errors import ProjectDamaged
from segstudio.labels.codec import decode_tile
from segstudio.labels.model import Seq
from segstudio.labels.tile import EMPTY, EMPTY_DIGEST, Tile, digest, expanded, frozen, writable_copy
from segstudio.store.damaged import template
from segstudio.store.floor import COMPACTED_POINTS
from segstudio.store.refusal import UNREADABLE
from segstudio.store.salvage import Columns, Row, Rows, columns_of, read_index, read_keyed, read_numbered
from segstudio.store.testimony import Place, Testimony, testimony

__all__ = ["TABLES", "Recovered", "recover"]

TABLES = (
    *("settings", "roots", "groups", "images", "files", "planes", "classes", "objects", "batches", "edits", "deltas"),
    *("snapshots", "runs", "versions", "version_groups", "times"),
)
_BY_IMAGE = frozenset({"planes", "objects", "times"})


@dataclass(slots=True)
class Recovered:
    """Rows by table as they were read; proved tiles and classes of objects; what is known to be lost.

    `points` are the states that are kept up to the floor, where the project was compacted.
    """

    tables: dict[str, Rows]
    points: tuple[Seq, ...] = ()
    tiles: dict[Place, Tile] = field(default_factory=dict[Place, Tile])
    objects: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    rebuilt: set[Place] = field(default_factory=set[Place])
    lost_tiles: set[Place] = field(default_factory=set[Place])
    lost_objects: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    journal: Testimony = field(default_factory=Testimony)
    tiles_broken: bool = False
    """Pages of tiles cannot be read, so tiles may be lost that nothing knows of."""

    @property
    def history_whole(self) -> bool:
        """Whether every edit can still be taken back: the journal is complete and leads to the tiles."""
        ends = {place: found for place, found in self.journal.tiles.items() if found != EMPTY_DIGEST}
        # Of a compacted project the journal does not know what was painted before its first kept state.
        known = self.tiles.keys() if self.journal.whole else self.tiles.keys() & self.journal.tiles.keys()
        return (
            self.journal.complete
            and not self.lost_tiles
            and not self.lost_objects
            and ends == {place: digest(self.tiles[place]) for place in known}
        )


def recover(db: sqlite3.Connection) -> Recovered:
    """Read everything of a damaged database that can be read and proved."""
    with closing(template()) as fresh:
        columns = {table: columns_of(fresh, table) for table in (*TABLES, "tiles", "tile_objects")}
    tables: dict[str, Rows] = {}
    for table in TABLES:
        tables[table] = _read(db, table, columns[table], tables)
    edits, deltas = tables["edits"], tables["deltas"]
    known = set(read_index(db, "sqlite_autoindex_deltas_1", "deltas", ("seq", "plane", "ty", "tx"))[0])
    there = {(d["seq"], d["plane"], d["ty"], d["tx"]) for d in deltas.rows}
    whole = edits.whole and deltas.whole and known == there and _sound(db, "edits") and _sound(db, "deltas")
    points = _compacted_points(tables["settings"].rows, edits.rows)
    out = Recovered(tables, points, journal=testimony(edits.rows, deltas.rows, complete=whole, points=points))
    _recover_tiles(out, db, columns)
    _recover_objects(out, db)
    return out


def _compacted_points(settings: Iterable[Row], edits: Iterable[Row]) -> tuple[Seq, ...]:
    """The states that are kept of a compacted project, rising; none where the settings lack or cannot be true."""
    values = {row["key"]: row["value"] for row in settings}
    try:
        points = msgspec.json.decode(values.get(COMPACTED_POINTS, "[]"), type=list[int])
    except msgspec.DecodeError:
        return ()
    last = max((edit["seq"] for edit in edits), default=0)
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


def _recover_tiles(out: Recovered, db: sqlite3.Connection, columns: Mapping[str, Columns]) -> None:
    rows = read_numbered(db, "tiles", columns["tiles"])
    out.tiles_broken = rows.broken
    keys, _ = read_index(db, "sqlite_autoindex_tiles_1", "tiles", ("image", "plane", "ty", "tx", "id"))
    indexed: dict[int, Place] = {id_: (image, plane, ty, tx) for image, plane, ty, tx, id_ in keys}
    extents = read_keyed(db, "tile_objects", columns["tile_objects"], [r["id"] for r in out.tables["images"].rows])
    witnessed = {(e["image"], e["plane"], e["ty"], e["tx"]) for e in extents.rows if e["area"] > 0}
    ends = {place for place, found in out.journal.tiles.items() if found != EMPTY_DIGEST}
    for row in rows.rows:
        _take(out, row, indexed, witnessed)
    read = {row["id"] for row in rows.rows}
    expected = witnessed | {place for id_, place in indexed.items() if id_ not in read}
    if out.journal.complete:
        expected |= ends
    out.lost_tiles |= {place for place in expected if place not in out.tiles}
    for place in list(out.lost_tiles):
        if _rebuild(out, place, None):
            out.lost_tiles.discard(place)


def _take(out: Recovered, row: Row, indexed: Mapping[int, Place], witnessed: set[Place]) -> None:
    place: Place = (row["image"], row["plane"], row["ty"], row["tx"])
    tile = _decoded(row["data"])
    promised: bytes = row["digest"]
    by_index = indexed.get(row["id"])
    candidates = [place] if by_index in (None, place) else [place, by_index]
    if tile is not None and digest(tile) == promised:
        for candidate in candidates:
            ends_so = not out.journal.complete or out.journal.tiles.get(candidate) == promised
            by_journal = promised in out.journal.seen.get(candidate, ()) and ends_so
            if candidate == by_index == place or by_journal or (by_index is None and candidate in witnessed):
                out.tiles[candidate] = tile
                return
    elif tile is not None and out.journal.complete and out.journal.tiles.get(place) == digest(tile):
        out.tiles[place] = tile  # it is the promise that is broken
        return
    for candidate in candidates:
        if _rebuild(out, candidate, promised):
            return
    out.lost_tiles |= {candidate for candidate in candidates if candidate in witnessed or candidate == by_index}
    if not any(candidate in out.lost_tiles for candidate in candidates):
        out.lost_tiles.add(place)


def _rebuild(out: Recovered, place: Place, promised: bytes | None) -> bool:
    """Put the tile that the journal leads to in its place, where that is proved to be the newest one."""
    if place in out.tiles:
        return False
    tile = out.journal.rebuilt(place)
    if tile is None or tile == EMPTY:
        return False
    if digest(tile) != promised and not (out.journal.complete and out.journal.tiles.get(place) == digest(tile)):
        return False
    out.tiles[place] = tile
    out.rebuilt.add(place)
    return True


def _decoded(data: bytes) -> Tile | None:
    try:
        return decode_tile(data)
    except ProjectDamaged:
        return None


def _recover_objects(out: Recovered, db: sqlite3.Connection) -> None:
    """The class of each object on which two of row, index and journal agree; pixels of the others become unknown."""
    rows = {(row["image"], row["id"]): row["class_id"] for row in out.tables["objects"].rows}
    entries, index_whole = read_index(db, "objects_class", "objects", ("class_id", "image", "id"))
    index = {(image, id_): class_id for class_id, image, id_ in entries}
    alone = not index_whole and not out.journal.complete  # no second witness is left
    for key in rows.keys() | index.keys() | out.journal.objects.keys():
        said = [source[key] for source in (rows, index, out.journal.objects) if key in source]
        agreed = [class_id for class_id in set(said) if said.count(class_id) > 1]
        if len(agreed) == 1 or (alone and len(said) == 1):
            out.objects[key] = agreed[0] if agreed else said[0]
    for place, tile in list(out.tiles.items()):
        lacking = [id_ for id_ in np.unique(expanded(tile)[0]).tolist() if id_ and (place[0], id_) not in out.objects]
        if lacking:
            out.lost_objects |= {(place[0], id_) for id_ in lacking}
            out.tiles[place] = _without(tile, lacking)


def _without(tile: Tile, objects: list[int]) -> Tile:
    ids, origins = writable_copy(tile)
    gone = np.isin(ids, np.array(objects, np.uint32))
    ids[gone] = 0
    origins[gone] = 0
    return frozen(ids, origins)

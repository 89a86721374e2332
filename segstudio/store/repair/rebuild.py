"""A new database of what was recovered from a damaged one. Derived columns are computed again from the tiles."""

import re
import secrets
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np

from segstudio.errors import EditConflict
from segstudio.imaging.metadata import is_metadata
from segstudio.labels.colors import next_color
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import now_utc
from segstudio.labels.model import ImageId, Kind, Status, folded_name
from segstudio.labels.tiles.codec import encode_tile
from segstudio.labels.tiles.tile import EMPTY, Tile, digest, frozen, writable_copy
from segstudio.store.database.migrations import UNDO_FLOOR
from segstudio.store.database.schema import READABLE_FROM
from segstudio.store.history.undo_horizon import COMPACTED_POINTS
from segstudio.store.repair.damaged_tables import Row
from segstudio.store.repair.journal_replay import Place
from segstudio.store.repair.recovery import Recovered
from segstudio.store.repair.repair_log import note_loss
from segstudio.store.writing.label_digests import keep_digest
from segstudio.store.writing.object_stats import Derived
from segstudio.store.writing.tile_stats import tile_effect

__all__ = ["Rebuilt", "rebuild"]

_KINDS = frozenset(kind.value for kind in Kind)
_STATES = frozenset(status.value for status in Status)
_PLANES = "SELECT count(*) FROM planes WHERE image = ?"
_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGES = re.compile(r"([0-9]{1,9}(-[0-9]{1,9})?)(,[0-9]{1,9}(-[0-9]{1,9})?)*")


@dataclass(slots=True)
class Rebuilt:
    """What went into the new database; `lost_rows` counts rows by table, `nameless_classes` lost their name.

    `lost_snapshots` name states that can no longer be restored.
    """

    images: int = 0
    tiles: int = 0
    lost_images: set[int] = field(default_factory=set[int])
    mended_images: set[int] = field(default_factory=set[int])
    nameless_classes: list[str] = field(default_factory=list[str])
    lost_rows: Counter[str] = field(default_factory=Counter[str])
    history: bool = False
    lost_snapshots: list[str] = field(default_factory=list[str])


class _Builder:
    """Inserts rows one by one: one that no longer fits is counted, and the others are inserted."""

    def __init__(self, db: sqlite3.Connection, found: Recovered) -> None:
        self.db = db
        self.found = found
        self.out = Rebuilt()
        self.out.lost_rows.update(found.lost_rows)

    def rows(self, table: str) -> list[Row]:
        return self.found.tables[table].rows

    def insert(self, table: str, row: Mapping[str, Any]) -> bool:
        names = ", ".join(row)
        try:
            self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        except (sqlite3.IntegrityError, OverflowError):
            self.out.lost_rows[table] += 1
            return False
        return True

    def has(self, table: str, key: object) -> bool:
        return self.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (key,)).fetchone() is not None


def rebuild(db: sqlite3.Connection, found: Recovered, source: Path) -> Generator[int, None, Rebuilt]:
    """Fill an empty database, in the caller's transaction; yields how many tiles are written."""
    builder = _Builder(db, found)
    _settings(builder)
    _images(builder, source)
    _classes(builder)
    _objects(builder)
    yield from _tiles(builder)
    _journal(builder)
    for table in ("snapshots", "runs", "versions", "version_groups", "times"):
        for row in builder.rows(table):
            builder.insert(table, row)
    # Who made a snapshot that is lost; its number is given again.
    builder.db.execute(
        "DELETE FROM settings WHERE key GLOB 'snapshot_author.*' "
        "AND substr(key, length('snapshot_author.') + 1) NOT IN (SELECT CAST(id AS TEXT) FROM snapshots)"
    )
    _losses(builder)
    return builder.out


def _losses(builder: _Builder) -> None:
    """Note which images lost labels, for merges to come; what was done has to be looked at again."""
    found = builder.found
    lost: defaultdict[int, set[int]] = defaultdict(set)
    for image, plane, *_ in found.lost_tiles:
        lost[image].add(plane)
    for image in {image for image, _ in found.lost_objects}:
        lost[image].update(range(builder.db.execute(_PLANES, (image,)).fetchone()[0]))
    for image, planes in lost.items():
        row = builder.db.execute("SELECT status, done_planes FROM images WHERE id = ?", (image,)).fetchone()
        marks = Marks(Status(row[0]), row[1]) if row is not None else Marks()
        if any(marks.is_done(plane) for plane in planes):
            now = marks.without(planes, builder.db.execute(_PLANES, (image,)).fetchone()[0])
            builder.db.execute("UPDATE images SET status = ?, done_planes = ? WHERE id = ?", (*now, image))
    images = set(lost)
    images |= builder.out.lost_images | builder.out.mended_images
    anywhere = found.tiles_broken or any(not found.tables[table].whole for table in ("images", "planes"))
    if anywhere or images:
        note_loss(builder.db, None if anywhere else images)


def _settings(builder: _Builder) -> None:
    kept = {row["key"]: row["value"] for row in builder.rows("settings") if _is_json(row["value"])}
    kept.setdefault("uuid", msgspec.json.encode(uuid4().hex).decode())
    kept.setdefault("made", msgspec.json.encode(now_utc()).decode())
    kept["readable_from"] = str(READABLE_FROM)
    for key in ("next_class", "next_value"):
        kept[key] = kept[key] if kept.get(key, "").isdigit() else "1"
    if not builder.found.points:
        kept.pop(COMPACTED_POINTS, None)
    builder.db.execute("DELETE FROM settings")
    for key, value in kept.items():
        builder.insert("settings", {"key": key, "value": value})


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def _images(builder: _Builder, source: Path) -> None:
    """Images with their planes and files; one whose row is lost is made of the rest, one without planes is lost."""
    planes: defaultdict[int, list[Row]] = defaultdict(list)
    for row in builder.rows("planes"):
        if row["width"] > 0 and row["height"] > 0:
            planes[row["image"]].append(row)
    files = {row["image"]: row for row in builder.rows("files") if row["position"] == 0}
    more: defaultdict[int, list[Row]] = defaultdict(list)
    for row in builder.rows("files"):
        if row["position"] > 0:
            more[row["image"]].append(row)
    for table in ("roots", "groups"):
        for row in builder.rows(table):
            builder.insert(table, row)
    rows = {row["id"]: row for row in builder.rows("images")}
    places = set(builder.found.tiles) | builder.found.lost_tiles
    for image in sorted(rows.keys() | planes.keys() | files.keys() | {place[0] for place in places}):
        mine = planes.get(image, [])
        if [plane["position"] for plane in mine] != list(range(len(mine))) or not mine:
            builder.out.lost_images.add(image)
            continue
        if image not in rows:
            builder.out.mended_images.add(image)
        row = _image(builder, image, rows.get(image), files.get(image))
        row["done_planes"] = _done_planes(row.get("done_planes", ""), len(mine))
        if not builder.insert("images", row):
            builder.out.lost_images.add(image)
            continue
        for plane in mine:
            builder.insert("planes", plane)
        for file in (files.get(image), *more[image]):
            builder.insert("files", _file(builder, image, row, file, source))
        builder.out.images += 1


def _image(builder: _Builder, image: int, row: Row | None, file: Row | None) -> dict[str, Any]:
    path = f"image-{image}" if file is None else file["path"]
    new: dict[str, Any] = dict(row) if row is not None else {
        "id": image, "position": image - 1, "path": path, "name_key": folded_name(path), "group_id": 0,
        "channels": 3, "dtype": "uint8", "family": "", "status": Status.IN_PROGRESS.value, "removed": 0,
        "problem": "", "next_object": 1, "last_edit": 0,
    }  # fmt: skip
    new["name_key"] = folded_name(new["path"])
    new["status"] = new["status"] if new["status"] in _STATES else Status.IN_PROGRESS.value
    new["objects"] = new["labelled_pixels"] = 0
    new["labels_sha256"] = None
    if not is_metadata(new.get("metadata", "")):
        new["metadata"] = ""
    new.setdefault("corrected_pixels", None)
    new.setdefault("proposed_pixels", None)
    highest = max(builder.found.objects.of(image), default=0)
    new["next_object"] = max(new["next_object"], highest + 1)
    if not builder.has("groups", new["group_id"]):
        new["group_id"] = _group(builder, image)
    return new


def _done_planes(text: str, planes: int) -> str:
    """Which planes are done while others are not; none where that cannot be what was written."""
    return text if _RANGES.fullmatch(text) and all(int(n) < planes for n in _NUMBER.findall(text)) else ""


def _group(builder: _Builder, image: int) -> int:
    """A group for an image whose own is lost: it may have been trained on, so it must not be held out."""
    made = builder.db.execute(
        "INSERT INTO groups (key, split) VALUES (?, 'train') RETURNING id",
        (f"repaired:{image}:{secrets.token_hex(4)}",),
    ).fetchone()
    return int(made[0])


def _file(builder: _Builder, image: int, row: Mapping[str, Any], file: Row | None, source: Path) -> dict[str, Any]:
    new: dict[str, Any] = dict(file) if file is not None else {
        "image": image, "position": 0, "root": 0, "path": row["path"], "size": 0, "mtime_ns": 0, "quick_hash": "",
    }  # fmt: skip
    new.pop("id", None)
    new["name_key"] = folded_name(new["path"])
    if not builder.has("roots", new["root"]):
        root = builder.db.execute("SELECT id FROM roots ORDER BY id LIMIT 1").fetchone()
        if root is None:
            root = builder.db.execute(
                "INSERT INTO roots (path) VALUES (?) RETURNING id", (str(source.parent),)
            ).fetchone()
        new["root"] = root[0]
    return new


def _classes(builder: _Builder) -> None:
    """Classes by their rows, else as the journal made them; one that neither knows and that is in use gets a name."""
    rows = {row["id"]: row for row in builder.rows("classes") if row["kind"] in _KINDS}
    merged: dict[int, int] = {}
    used = set(builder.found.objects.classes())
    for id_ in sorted(rows.keys() | used | builder.found.journal.classes.keys()):
        row: dict[str, Any] = dict(rows.get(id_) or {"id": id_, **builder.found.journal.classes.get(id_, {})})
        if id_ not in rows and not {"name", "color", "kind", "value", "position"} <= set(row):
            row = _nameless(builder, id_)
        if row.get("merged_into") is not None:
            merged[id_] = row.pop("merged_into")
        row["name_key"] = folded_name(row["name"])
        if not builder.insert("classes", row):
            builder.insert("classes", _nameless(builder, id_))
    for id_, into in merged.items():
        if builder.has("classes", into):
            builder.db.execute("UPDATE classes SET merged_into = ? WHERE id = ?", (into, id_))
    if builder.db.execute("SELECT count(*) FROM classes WHERE kind = 'background'").fetchone()[0] == 0:
        free = int(builder.db.execute("SELECT coalesce(max(id), 0) + 1 FROM classes").fetchone()[0])
        builder.insert("classes", {**_nameless(builder, free), "name": "background", "kind": "background", "value": 0,
                                   "name_key": "background"})  # fmt: skip
    for key, column in (("next_class", "id"), ("next_value", "value")):
        builder.db.execute(
            "UPDATE settings SET value = max(CAST(value AS INTEGER), "
            f"(SELECT coalesce(max({column}), 0) + 1 FROM classes)) WHERE key = ?",
            (key,),
        )


def _nameless(builder: _Builder, id_: int) -> dict[str, Any]:
    colors = [row[0] for row in builder.db.execute("SELECT color FROM classes")]
    value = int(builder.db.execute("SELECT coalesce(max(value), 0) + 1 FROM classes").fetchone()[0])
    name = f"class-{id_}-{secrets.token_hex(2)}"
    builder.out.nameless_classes.append(name)
    return {"id": id_, "name": name, "name_key": name, "color": next_color(colors), "kind": Kind.SEMANTIC.value,
            "value": value, "position": id_ - 1}  # fmt: skip


def _objects(builder: _Builder) -> None:
    for image in sorted(builder.found.objects.images()):
        locked = builder.found.locked.of(image)
        for id_, class_id in sorted(builder.found.objects.of(image).items()):
            builder.insert("objects", {"image": image, "id": id_, "class_id": class_id, "locked": id_ in locked})


def _tiles(builder: _Builder) -> Generator[int, None, None]:
    by_image: defaultdict[int, list[Place]] = defaultdict(list)
    for place in builder.found.tiles:
        by_image[place[0]].append(place)
    for image, places in sorted(by_image.items()):
        if image in builder.out.lost_images:
            builder.found.lost_tiles |= set(places)
            continue
        bounds = [
            (w, h)
            for w, h in builder.db.execute(
                "SELECT width, height FROM planes WHERE image = ? ORDER BY position", (image,)
            )
        ]
        derived, objects = Derived(builder.db, ImageId(image)), builder.found.objects.of(image).keys()
        for place in sorted(places):
            content = builder.found.content(place) if _inside(place, bounds) else None
            if content is None:
                builder.found.lost_tiles.add(place)
            else:
                _tile(builder, derived, objects, place, *content)
        try:
            derived.write()
        except EditConflict as error:  # every id that is left has its object: see `_tile`
            raise AssertionError("an object of a recovered tile has no row") from error
        keep_digest(builder.db, ImageId(image))
        yield builder.out.tiles


def _tile(
    builder: _Builder, derived: Derived, objects: Set[int], place: Place, tile: Tile, encoded: bytes | None
) -> None:
    """Write a tile as it is encoded, or without what is none of the proved `objects`: those pixels become unknown."""
    found, effect = builder.found, tile_effect(EMPTY, tile)
    lacking = effect.extents.keys() - objects
    if lacking:
        found.lost_objects |= {(place[0], id_) for id_ in lacking}
        tile, encoded = _without(tile, list(lacking)), None
        effect = tile_effect(EMPTY, tile)
        found.tiles[place] = found.tiles[place]._replace(digest=digest(tile))
    if tile == EMPTY:
        return
    row = {"image": place[0], "plane": place[1], "ty": place[2], "tx": place[3]}
    builder.insert("tiles", {**row, "digest": found.tiles[place].digest, "data": encoded or encode_tile(tile)})
    derived.add(place[1:], effect)
    builder.out.tiles += 1


def _without(tile: Tile, objects: list[int]) -> Tile:
    ids, origins = writable_copy(tile)
    gone = np.isin(ids, np.array(objects, np.uint32))
    ids[gone] = 0
    origins[gone] = 0
    return frozen(ids, origins)


def _inside(place: Place, bounds: list[tuple[int, int]]) -> bool:
    _, plane, ty, tx = place
    return 0 <= plane < len(bounds) and 0 <= ty * 256 < bounds[plane][1] and 0 <= tx * 256 < bounds[plane][0]


def _journal(builder: _Builder) -> None:
    """The whole journal where it is whole; else the list of edits, which cannot be undone any more."""
    whole = builder.found.history_whole and not builder.out.lost_images and not builder.out.lost_rows
    builder.out.history = whole
    for row in builder.rows("batches"):
        builder.insert("batches", row)
    for row in builder.found.edits.rows():  # by their number, which is their order
        builder.insert("edits", row)
    if whole:
        for row in builder.found.deltas.rows():
            builder.insert("deltas", row)
        return
    newest = _newest(builder)
    last = builder.db.execute("SELECT coalesce(max(seq), 0) FROM edits").fetchone()[0]
    if last < newest:
        # Numbers are never given twice, also where the newest edits are lost.
        builder.insert("edits", {"seq": newest, "id": secrets.randbits(63), "cause": "classes", "tool": "repair",
                                 "author": "", "time": now_utc()})  # fmt: skip
    floor = max(newest, last)
    old = builder.found.points
    builder.out.lost_snapshots += [
        row["name"]
        for row in builder.rows("snapshots")
        if row["seq"] < floor and (not old or row["seq"] >= old[-1] or row["seq"] in old)
    ]
    # Without deltas the past is as after compacting: neither undone nor restored from a snapshot.
    for key, value in ((UNDO_FLOOR, floor), (COMPACTED_POINTS, [floor])):
        builder.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, msgspec.json.encode(value).decode()))


def _newest(builder: _Builder) -> int:
    seqs = [builder.found.last_seq]
    seqs += [row["last_edit"] for row in builder.rows("images")] + [row["seq"] for row in builder.rows("versions")]
    return max((seq for seq in seqs if 0 < seq < 1 << 53), default=0)

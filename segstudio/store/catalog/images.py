"""Images, files, roots, planes and groups: written for a new project or after those of an old one, read as rows."""

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from segstudio.labels.model import ImageId, Seq, Status, folded_name
from segstudio.store.catalog.split import Split
from segstudio.store.database.migrations import DONE_PLANES_SINCE, METADATA_SINCE, schema_of
from segstudio.store.values import FileState, ImageRow, NewFile, NewImage

__all__ = [
    "ImageRow",
    "Root",
    "changed_since",
    "find_id",
    "free_name",
    "insert_images",
    "read_images",
    "read_places",
    "read_roots",
    "read_splits",
    "relative_root",
    "sizes_of",
]


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of images, and where it would lie if it had moved with the project; None for nowhere else."""

    path: Path
    beside: Path | None = None


_BATCH = 5000
_CHANGED_SINCE = 2
_SELECT = """
SELECT i.id, i.path, i.channels, i.dtype, i.family, i.status, i.group_id, g.split, i.objects, i.labelled_pixels,
       i.last_edit, i.removed, i.problem, f.root, f.path, f.size, f.mtime_ns, f.quick_hash, f.content_hash, {changed},
       {metadata}, {done_planes}
FROM images i JOIN groups g ON g.id = i.group_id JOIN files f ON f.image = i.id AND f.position = 0
"""


def insert_images(
    db: sqlite3.Connection,
    images: Iterable[NewImage],
    project: Path,
    each: Callable[[int], None] = lambda _: None,
) -> int:
    """Write images in their order after the existing ones, streamed; returns how many.

    `each` gets the number written after every few thousand, and may raise to stop.
    """
    roots = {Path(path): int(id_) for id_, path in db.execute("SELECT id, path FROM roots")}
    last, place = db.execute("SELECT coalesce(max(id), 0), coalesce(max(position), -1) FROM images").fetchone()
    rest, count = iter(images), 0
    while batch := list(islice(rest, _BATCH)):
        _insert_roots(db, batch, roots, project)
        _insert(db, batch, roots, last + count + 1, place + count + 1)
        count += len(batch)
        each(len(batch))
    return count


def _insert_roots(db: sqlite3.Connection, batch: list[NewImage], roots: dict[Path, int], project: Path) -> None:
    for image in batch:
        if image.root not in roots:
            root = image.root.absolute()
            row = (str(root), relative_root(root, project))
            made = db.execute("INSERT INTO roots (path, relative) VALUES (?, ?) RETURNING id", row).fetchone()
            roots[image.root] = int(made[0])


def _insert(
    db: sqlite3.Connection, batch: list[NewImage], roots: Mapping[Path, int], first_id: int, first_place: int
) -> None:
    numbered = list(enumerate(batch, start=first_id))
    keys = [f"name:{image.group}" if image.group else f"hash:{image.quick_hash}" for image in batch]
    db.executemany("INSERT INTO groups (key) VALUES (?) ON CONFLICT (key) DO NOTHING", [(key,) for key in keys])
    db.executemany(
        "INSERT INTO images (id, position, path, name_key, group_id, channels, dtype, family) "
        "VALUES (?, ?, ?, ?, (SELECT id FROM groups WHERE key = ?), ?, ?, ?)",
        [
            (
                *(id_, first_place + n, i.name or i.path, folded_name(i.name or i.path), key),
                *(i.channels, i.dtype, i.family),
            )
            for n, ((id_, i), key) in enumerate(zip(numbered, keys, strict=True))
        ],
    )
    db.executemany(
        "INSERT INTO files (image, position, root, path, name_key, size, mtime_ns, quick_hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (id_, n, roots[i.root], file.path, folded_name(file.path), file.size, file.mtime_ns, file.quick_hash)
            for id_, i in numbered
            for n, file in enumerate((NewFile(i.path, i.size, i.mtime_ns, i.quick_hash), *i.more))
        ],
    )
    db.executemany(
        "INSERT INTO planes (image, position, key, width, height) VALUES (?, ?, ?, ?, ?)",
        [(id_, n, p.key, p.width, p.height) for id_, i in numbered for n, p in enumerate(i.planes)],
    )
    # Few images have these, and a database that is only now brought to this schema has no columns for them yet.
    if places := [(p.file, id_, n) for id_, i in numbered if i.more for n, p in enumerate(i.planes) if p.file]:
        db.executemany("UPDATE planes SET file = ? WHERE image = ? AND position = ?", places)
    if told := [(i.metadata, id_) for id_, i in numbered if i.metadata]:
        db.executemany("UPDATE images SET metadata = ? WHERE id = ?", told)


def free_name(path: str, root: str, taken: Container[str]) -> str:
    """The name of an image of this path where names are `taken` (folded): its path, else with its root in front.

    `root` is the name of the root's folder; a number follows it where that is taken too.
    """
    number, tried = 1, path
    while folded_name(tried) in taken:
        tried = f"{root}/{path}" if number == 1 else f"{root}-{number}/{path}"
        number += 1
    return tried


def relative_root(root: Path, project: Path) -> str:
    """A root as seen from the project, with '/'; '' where there is no way (another drive of Windows)."""
    try:
        return Path(os.path.relpath(root, project)).as_posix()
    except ValueError:
        return ""


def read_roots(db: sqlite3.Connection, project: Path) -> dict[int, Path]:
    """Where each root lies: inside the project, at its path, or where it lay as seen from the project before a move."""
    return {id_: root.path for id_, root in read_places(db, project).items()}


def read_places(db: sqlite3.Connection, project: Path) -> dict[int, Root]:
    """The same, with the place beside the project where a file missing from its root may be."""
    rows = db.execute("SELECT id, path, relative FROM roots")
    return {id_: _root(path, relative, project) for id_, path, relative in rows}


def _root(path: str, relative: str, project: Path) -> Root:
    absolute = Path(path)
    beside = Path(os.path.normpath(project / relative))
    inside = bool(relative) and beside.is_relative_to(project)
    # A copied project has its own images, though the original's may still be there.
    if inside or (relative and not os.path.isdir(absolute) and os.path.isdir(beside)):
        return Root(beside)
    return Root(absolute, beside if relative and beside != absolute else None)


def read_images(
    db: sqlite3.Connection,
    roots: Mapping[int, Root],
    *,
    some: Collection[ImageId] | None = None,
    removed: bool = False,
) -> Iterator[ImageRow]:
    """The images in the project's order, or some of them, which may be removed ones; else only where asked for."""
    where, bound = ("", ()) if removed else ("WHERE i.removed = 0", ())
    if some is not None:
        where, bound = "WHERE i.id IN (SELECT value FROM json_each(?))", (json.dumps(list(some)),)
    schema = schema_of(db)
    planes, more = _planes(db, some, schema), _more_files(db, some)
    select = _SELECT.format(
        changed="f.changed" if schema >= _CHANGED_SINCE else "''",
        metadata="i.metadata" if schema >= METADATA_SINCE else "''",
        done_planes="i.done_planes" if schema >= DONE_PLANES_SINCE else "''",
    )
    for r in db.execute(f"{select} {where} ORDER BY i.position", bound):
        sizes, keys, places = planes[r[0]]
        paths, states = more.get(r[0], ((), ()))
        yield ImageRow(
            id=ImageId(r[0]), path=r[1], root=roots[r[13]].path, planes=sizes, channels=r[2], dtype=r[3],
            family=r[4], status=_STATUS[r[5]], group_id=r[6], split=_SPLIT[r[7]],
            objects=r[8], labelled_pixels=r[9], last_edit=Seq(r[10]), removed=bool(r[11]), problem=r[12],
            size=r[15], mtime_ns=r[16], quick_hash=r[17], content_hash=r[18], inner_path=r[14], changed=r[19],
            beside=roots[r[13]].beside, keys=keys, places=places, more=paths, more_states=states, metadata=r[20],
            done_planes=r[21],
        )  # fmt: skip


_STATUS = {status.value: status for status in Status}
_SPLIT = {None: None, **{split.value: split for split in Split}}


_Planes = tuple[tuple[tuple[int, int], ...], tuple[str, ...], tuple[int, ...]]
"""Sizes; keys and files of several planes, () of one."""


def _planes(db: sqlite3.Connection, some: Collection[ImageId] | None, schema: int) -> Mapping[int, _Planes]:
    where, bound = _of(some)
    file = "file" if schema >= METADATA_SINCE else "0"
    select = f"SELECT image, width, height, key, {file} FROM planes WHERE position"
    # Most images have one plane, and there may be 100,000 of them.
    first = {image: (((w, h),), key, file) for image, w, h, key, file in db.execute(f"{select} = 0 {where}", bound)}
    more: defaultdict[int, list[tuple[int, int, str, int]]] = defaultdict(list)
    for image, *plane in db.execute(f"{select} > 0 {where} ORDER BY image, position", bound):
        more[image].append((plane[0], plane[1], plane[2], plane[3]))
    found: dict[int, _Planes] = {image: (sizes, (), ()) for image, (sizes, _key, _file) in first.items()}
    for image, planes in more.items():
        sizes, key, place = first[image]
        found[image] = (
            (*sizes, *((w, h) for w, h, _, _ in planes)),
            (key, *(key for _, _, key, _ in planes)),
            (place, *(place for _, _, _, place in planes)),
        )
    return found


_MoreFiles = tuple[tuple[str, ...], tuple[FileState, ...]]
"""Paths of files, and what is known of each."""


def _more_files(db: sqlite3.Connection, some: Collection[ImageId] | None) -> Mapping[int, _MoreFiles]:
    """The files after the first, of images that have several."""
    where, bound = _of(some)
    more: defaultdict[int, list[tuple[str, FileState]]] = defaultdict(list)
    select = "SELECT image, path, size, mtime_ns, quick_hash FROM files WHERE position > 0"
    for image, path, *state in db.execute(f"{select} {where} ORDER BY image, position", bound):
        more[image].append((path, FileState(*state)))
    return {
        image: (tuple(path for path, _ in files), tuple(state for _, state in files)) for image, files in more.items()
    }


def _of(some: Collection[ImageId] | None) -> tuple[str, tuple[str, ...]]:
    if some is None:
        return "", ()
    return "AND image IN (SELECT value FROM json_each(?))", (json.dumps(list(some)),)


def read_splits(db: sqlite3.Connection) -> dict[ImageId, Split]:
    """What the images are for whose group has learned or been held out; no other row is read."""
    rows = db.execute("SELECT i.id, g.split FROM groups g JOIN images i ON i.group_id = g.id WHERE g.split IS NOT NULL")
    return {ImageId(id_): Split(split) for id_, split in rows}


def changed_since(db: sqlite3.Connection, seq: Seq) -> list[ImageId]:
    """The images that an edit after this number has changed, removed ones included."""
    return [ImageId(row[0]) for row in db.execute("SELECT id FROM images WHERE last_edit > ?", (seq,))]


def sizes_of(db: sqlite3.Connection, image: ImageId) -> tuple[tuple[int, int], ...]:
    """(width, height) of each plane of an image."""
    return _planes(db, (image,), schema_of(db))[image][0]


def find_id(db: sqlite3.Connection, wanted: str | int) -> ImageId | None:
    """The image at a place in the list (negative: from its end) or of a path: as spelled, else without case.

    One that was taken out of the project does not count.
    """
    if isinstance(wanted, int):
        order, place = ("", wanted) if wanted >= 0 else ("DESC", -1 - wanted)
        row = db.execute(
            f"SELECT id FROM images WHERE removed = 0 ORDER BY position {order} LIMIT 1 OFFSET ?", (place,)
        ).fetchone()
    else:
        row = db.execute(
            "SELECT id FROM images WHERE name_key = ? AND removed = 0 ORDER BY path <> ?, position LIMIT 1",
            (folded_name(wanted), wanted),
        ).fetchone()
    return None if row is None else ImageId(row[0])

"""A copy of a project made beside a running writer, and checked: complete and proven, or not made at all.

The database is copied by SQLite, page by page as of one moment, never as a file; the other folders file by file,
read back; the cache is left out. The copy keeps the project's uuid: it is the same work, which merging relies on, and
edits that wait for a disk go to the project that was painted in as long as that stands in its place
(`store.writing.waiting_edits`).
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from segstudio.durable import built_folder
from segstudio.errors import DiskRefused, ProjectDamaged, UserError
from segstudio.labels.edit import now_utc
from segstudio.labels.model import ImageId, Seq
from segstudio.store import filesystems
from segstudio.store.catalog.images import relative_root
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.disk_space import must_have_room
from segstudio.store.database.lock import LOCK
from segstudio.store.merge.proposals import copy_merged_proposals
from segstudio.store.project import Project
from segstudio.store.writing.journal import last_seq
from segstudio.store.writing.label_rows import read_tile
from segstudio.text import N_, _

__all__ = ["BACKUP_OF", "Backup", "Tick", "back_up", "sizes"]

BACKUP_OF = "backup_of"
"""The setting by which a copy records its original: path, time, edit."""

_NEEDS_ROOM = N_("The backup needs {needed} MB, and '{folder}' has {free} MB free.")
_LEFT_OUT = ("cache", LOCK)
_PAGES = 1024
_CHUNK = 1 << 20
_RESTARTS = 20
_SPARE_BYTES = 16 << 20

Tick = Callable[[int, int, str], None]
"""Receives the progress of the copy (done, total, doing); an exception from it ends the copy."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup in its place: how many bytes it has, the last edit in it, tiles whose content was compared.

    `unsaved` edits were made before it and are not in it: they waited for a disk that refuses.
    """

    path: Path
    size: int
    seq: Seq
    tiles: int
    unsaved: int = 0


def back_up(project: Project, target: Path, tick: Tick) -> Backup:
    """Copy a project to a free path, check the copy, and move it into place.

    Nothing is left where this fails. Raises `UserError` where the path is taken, `DiskRefused` where there is no
    room or the disk refuses, `ProjectDamaged` where the copy is not what it must be.
    """
    target = target.absolute()
    _must_be_free(target)
    try:
        needed = sum(sizes(project.path)) + _SPARE_BYTES
        must_have_room(target.parent, needed, _NEEDS_ROOM, safe=_("The project is untouched."))
        with built_folder(target) as part:
            seq = _copy_database(project, part / DATABASE, target, tick)
            _copy_files(project.path, part, tick)
            tiles = _check(part / DATABASE, seq, tick)
            (part / "cache").mkdir()
            copy_merged_proposals(project.path, part)
            size = sum(path.stat().st_size for path in _files(part))
            _must_be_free(target)
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(
            _("The backup could not be made. {sentence}", sentence=sentence), safe=_("The project is untouched.")
        ) from error
    return Backup(target, size, seq, tiles)


def sizes(project: Path) -> tuple[int, int]:
    """Bytes of a project's database with its log, and of the other files that a backup takes."""
    database = sum(_size(project / f"{DATABASE}{suffix}") for suffix in ("", "-wal"))
    return database, sum(_size(path) for path in _others(project))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _must_be_free(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise UserError(
            _("There is already something at '{target}'; a backup never overwrites anything.", target=target),
            todo=_("Choose another name."),
        )


# --- copying


def _copy_database(project: Project, copy: Path, target: Path, tick: Tick) -> Seq:
    """Where there is a log, in one read transaction, which delays nobody.

    On a network drive such a transaction would delay every commit: there SQLite lets go between two steps, and begins
    again after a write by another process.
    """
    network = filesystems.is_network(filesystems.file_system(project.path))
    steps = _Steps(tick)
    with (
        project.looking() if network else project.reading() as source,
        closing(sqlite3.connect(copy, isolation_level=None)) as db,
    ):
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        first = last_seq(source)
        source.backup(db, pages=_PAGES, progress=steps.done, sleep=0.05)
    with closing(connect(copy, Access.WRITE)) as db:
        seq = last_seq(db) if network else first
        db.execute("BEGIN IMMEDIATE")
        roots = db.execute("SELECT id, path, relative FROM roots").fetchall()
        for id_, path, relative in roots:
            place = _place(Path(path), relative, project.path, target)
            values = (str(place), relative_root(place, target), id_)
            db.execute("UPDATE roots SET path = ?, relative = ? WHERE id = ?", values)
        note = msgspec.json.encode({"path": str(project.path), "time": now_utc(), "edit": seq}).decode()
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (BACKUP_OF, note))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with open(copy, "rb+") as file:
        os.fsync(file.fileno())
    return seq


class _Steps:
    """Called at every step of SQLite's copy; ends one that started again too often."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._left = 0
        self._restarts = -1

    def done(self, _status: int, left: int, pages: int) -> None:
        """Raises `UserError`."""
        self._restarts += left > self._left
        self._left = left
        if self._restarts > _RESTARTS:
            raise UserError(
                _("The project is on a network drive and kept changing while it was being copied."),
                safe=_("The project is untouched."),
                todo=_("Back it up while nobody is painting."),
            )
        self._tick(pages - left, pages, _("copying the labels"))


def _place(root: Path, relative: str, project: Path, target: Path) -> Path:
    """Where the copy finds a root: within itself what is within the project, else where the project finds it."""
    beside = Path(os.path.normpath(project / relative))
    if relative and beside.is_relative_to(project):
        return target / beside.relative_to(project)
    return beside if relative and not root.is_dir() and beside.is_dir() else root


def _others(project: Path) -> Iterator[Path]:
    """Every file of a project but the database, the lock, the cache and what is half-written."""
    for entry in sorted(project.iterdir()):
        if entry.name.startswith((".", DATABASE)) or entry.name in _LEFT_OUT:
            continue
        yield from _files(entry) if entry.is_dir() else (entry,)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(".part"))


def _copy_files(project: Path, part: Path, tick: Tick) -> None:
    for name in ("models", "runs"):
        (part / name).mkdir()
    files = list(_others(project))
    for n, file in enumerate(files):
        place = file.relative_to(project)
        tick(n, len(files), _("copying {name}", name=place.as_posix()))
        try:
            _copy_file(file, part / place, tick)
        except FileNotFoundError:
            # The checkpoint of a run that has just ended, or the weights of a round that are not kept.
            if place.parts[0] not in ("runs", "models"):
                raise


def _copy_file(source: Path, target: Path, tick: Tick) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    hasher = hashlib.sha256()
    with open(source, "rb") as file, open(target, "xb") as copy:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
            copy.write(chunk)
            tick(0, 0, _("copying {name}", name=source.name))
        copy.flush()
        os.fsync(copy.fileno())
    shutil.copystat(source, target)
    with open(target, "rb") as copy:
        if hashlib.file_digest(copy, "sha256").digest() != hasher.digest():
            raise ProjectDamaged(
                _(
                    "The copy of '{name}' in the backup differs from the original; the disk may be faulty.",
                    name=target.name,
                ),
                safe=_("The project is untouched."),
            )


# --- checking


def _check(copy: Path, seq: Seq, tick: Tick) -> int:
    with closing(connect(copy, Access.READ)) as db:
        db.set_progress_handler(_ticking(tick), 100_000)
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        db.set_progress_handler(None, 0)
        if found != "ok" or last_seq(db) != seq:
            raise ProjectDamaged(
                _("The copy is damaged, and the project's own database may be; no backup was made."),
                safe=_("The project is untouched."),
                todo=_("Run 'segstudio doctor' on the project."),
            )
        keys = db.execute("SELECT image, plane, ty, tx FROM tiles ORDER BY id").fetchall()
        for n, (image, *key) in enumerate(keys):
            if n % 64 == 0:
                tick(n, len(keys), _("checking the labels of the copy"))
            read_tile(db, ImageId(image), (key[0], key[1], key[2]))
        return len(keys)


def _ticking(tick: Tick) -> Callable[[], int]:
    """For SQLite, which cannot be left by an exception: not 0 interrupts it."""

    def call() -> int:
        try:
            tick(0, 0, _("checking the copy"))
        except UserError:
            return 1
        return 0

    return call

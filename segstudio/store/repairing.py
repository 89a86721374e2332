"""Repairing: what can be read of a damaged project into a new one. The old one is never written to; what cannot be read
is listed. Reading, proving and rebuilding are in `repair`."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from segstudio.durable import built_folder
from segstudio.errors import DiskRefused, ProjectDamaged, ProjectLocked, ReadOnly
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.lock import LOCK, ProjectLock
from segstudio.store.database.migrations import BACKUPS
from segstudio.store.database.schema import create_tables
from segstudio.store.merge.proposals import copy_merged_proposals
from segstudio.store.repair.open_damaged import copy_aside, open_damaged
from segstudio.store.repair.rebuild import Rebuilt, rebuild
from segstudio.store.repair.recovery import Recovered, recover
from segstudio.store.repair.repair_files import copy_files
from segstudio.store.writing.waiting_edits import read_waiting, replay_edits, waiting_files_of
from segstudio.text import _, count

__all__ = ["LostTile", "RepairReport", "repaired_project"]

_FOLDERS = ("models", "runs", "cache")


@dataclass(frozen=True, slots=True)
class LostTile:
    """A tile of labels, 256 x 256 pixels, that is unknown in the new project; `path` is '' where that is lost too."""

    path: str
    plane: int
    ty: int
    tx: int


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was salvaged into `out`, from which file, and what was lost.

    `rebuilt` tiles came from the journal. `history` says whether undo still reaches back; where not, `lost_snapshots`
    can no longer be restored. `notes` are sentences about
    losses that the other fields do not count.
    """

    out: Path
    source: Path
    images: int
    tiles: int
    rebuilt: int
    history: bool
    lost_tiles: tuple[LostTile, ...] = ()
    lost_images: tuple[str, ...] = ()
    lost_objects: tuple[tuple[str, int], ...] = ()
    lost_rows: dict[str, int] = field(default_factory=dict[str, int])
    lost_weights: tuple[str, ...] = ()
    lost_files: tuple[str, ...] = ()
    lost_snapshots: tuple[str, ...] = ()
    waiting_saved: int = 0
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing was lost."""
        lists = (self.lost_tiles, self.lost_images, self.lost_objects, self.lost_rows, self.lost_weights)
        return self.history and not any((*lists, self.lost_files, self.notes))

    def as_json(self) -> dict[str, Any]:
        """The object that `segstudio repair --json` prints."""
        return {
            "out": str(self.out), "source": str(self.source), "whole": self.whole, "images": self.images,
            "tiles": self.tiles, "rebuilt_tiles": self.rebuilt, "history": self.history,
            "lost": {
                "tiles": [{"path": t.path, "plane": t.plane, "tile": [t.ty, t.tx]} for t in self.lost_tiles],
                "images": list(self.lost_images),
                "objects": [{"path": path, "object": id_} for path, id_ in self.lost_objects],
                "rows": self.lost_rows, "weights": list(self.lost_weights), "files": list(self.lost_files),
                "snapshots": list(self.lost_snapshots),
            },
            "waiting_saved": self.waiting_saved, "notes": list(self.notes),
        }  # fmt: skip


def repaired_project(path: Path, out: Path) -> Generator[tuple[int, int, str], None, RepairReport]:
    """Take what can be read of the project at `path` into a new one at `out`, which is free and not inside it.

    Where project.db is missing or unreadable, the newest copy in its `backups` folder is read. Gives (done, total,
    doing). Raises `ProjectLocked`, `ProjectDamaged` where nothing can be read, `DiskRefused`; then nothing is left.
    """
    with _held(path):
        try:
            with built_folder(out) as part:
                return (yield from _repair(path, part, out))
        except (sqlite3.Error, OSError) as error:
            sentence = refusal(error)
            if sentence is None:
                raise
            raise DiskRefused(
                _("The project was not repaired. {sentence}", sentence=sentence),
                safe=_("'{name}' is unchanged.", name=path.name),
            ) from error


@contextlib.contextmanager
def _held(path: Path) -> Generator[None]:
    """The project's lock, its file left unchanged: no process may write while it is copied."""
    lock = ProjectLock(path / LOCK)
    if (path / LOCK).exists():
        try:
            lock.acquire(path.name, sign=False)
        except ProjectLocked as error:
            raise ProjectLocked(error.sentence, todo=_("Close it first.")) from error
        except ReadOnly:
            pass  # no process can write there
    try:
        yield
    finally:
        lock.release()


def _repair(path: Path, part: Path, out: Path) -> Generator[tuple[int, int, str], None, RepairReport]:
    yield 0, 0, "reading what can be read"
    notes: list[str] = []
    with _read(path, notes) as (source, found):
        return (yield from _written(path, part, out, source, found, notes))


def _written(
    path: Path, part: Path, out: Path, source: Path, found: Recovered, notes: list[str]
) -> Generator[tuple[int, int, str], None, RepairReport]:
    for name in _FOLDERS:
        (part / name).mkdir()
    db = connect(part / DATABASE, Access.CREATE)
    try:
        db.execute("BEGIN IMMEDIATE")
        create_tables(db)
        steps = rebuild(db, found, path)
        while True:
            try:
                yield next(steps), len(found.tiles), _("writing")
            except StopIteration as end:
                built: Rebuilt = end.value
                break
        yield 0, 0, _("copying files")
        files = copy_files(db, path, part, out)
        saved = _waiting(db, path, notes)
        db.execute("COMMIT")
        paths = dict(db.execute("SELECT id, path FROM images").fetchall())
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.close()
    copy_merged_proposals(path, part)
    if found.tiles_broken:
        notes.append(_("Pages of labels could not be read: tiles with no other trace may be lost."))
    notes += [_("A class lost its name and is now called '{name}'.", name=name) for name in built.nameless_classes]
    notes += [
        _("The entry of '{path}' was rebuilt from what is left of it.", path=paths[i])
        for i in sorted(built.mended_images)
    ]
    notes += [_("Rows of '{table}' may be missing.", table=table) for table in found.broken]
    return RepairReport(
        out=out,
        source=source,
        images=built.images,
        tiles=built.tiles,
        rebuilt=len(found.rebuilt),
        history=built.history,
        lost_tiles=tuple(LostTile(paths.get(i, ""), p, ty, tx) for i, p, ty, tx in sorted(found.lost_tiles)),
        lost_images=tuple(_image_name(found, image) for image in sorted(built.lost_images)),
        lost_objects=tuple((paths.get(image, ""), id_) for image, id_ in sorted(found.lost_objects)),
        lost_rows=dict(built.lost_rows),
        lost_weights=files.weights,
        lost_files=files.files,
        lost_snapshots=tuple(built.lost_snapshots),
        waiting_saved=saved,
        notes=tuple(notes),
    )


def _image_name(found: Recovered, image: int) -> str:
    for table, key in (("images", "id"), ("files", "image")):
        for row in found.tables[table].rows:
            if row[key] == image:
                return str(row["path"])
    return f"image number {image}"


@contextlib.contextmanager
def _read(path: Path, notes: list[str]) -> Generator[tuple[Path, Recovered]]:
    """What can be read of the database, else of the newest copy of it. Raises `ProjectDamaged` for nothing."""
    database = path / DATABASE
    copies = sorted((path / BACKUPS).glob("*.db"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for source in (database, *copies):
        if not source.is_file():
            continue
        with tempfile.TemporaryDirectory(prefix="segstudio-repair-") as scratch:
            db = open_damaged(copy_aside(source, Path(scratch)))
            if db is None:
                continue
            with closing(db):
                found = recover(db)
                if found.tables["images"].rows or found.tables["planes"].rows:
                    if source != database:
                        values = {"database": DATABASE, "copy": source.relative_to(path)}
                        notes.append(
                            _("{database} cannot be read: this is the copy {copy}; later changes are lost.", **values)
                            if database.exists()
                            else _("{database} is missing: this is the copy {copy}; later changes are lost.", **values)
                        )
                    yield source, found
                    return
    waiting = waiting_files_of(path)
    safe = _("Edits waiting for it are in {file}.", file=waiting[0]) if waiting else ""
    raise ProjectDamaged(
        _("The project '{name}' cannot be repaired: nothing in it can be read.", name=path.name)
        if database.exists()
        else _(
            "The project '{name}' cannot be repaired: it has no {database} and no copy of one.",
            name=path.name,
            database=DATABASE,
        ),
        safe=safe,
    )


def _waiting(db: sqlite3.Connection, path: Path, notes: list[str]) -> int:
    """Write what waits for this project in the state folder, where it still fits; it stays there too."""
    saved = 0
    for file in waiting_files_of(path):
        try:
            edits = read_waiting(file)
        except (OSError, msgspec.DecodeError):
            notes.append(_("The edits waiting in {file} cannot be read.", file=file))
            continue
        replayed = replay_edits(db, edits)
        saved += replayed.saved
        if replayed.aside:
            notes.append(
                count(
                    len(replayed.aside),
                    "1 edit waiting in {file} does not fit the repaired project.",
                    "{n} edits waiting in {file} do not fit the repaired project.",
                    file=file,
                )
            )
    return saved

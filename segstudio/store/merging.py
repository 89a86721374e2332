"""Merging: two projects into a third one, its database, roots and files.

Both are only read, even while a window writes them; the third is made whole or not at all. The rules are in `merge`.
"""

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import msgspec

from segstudio.durable import built_folder, copy_durably
from segstudio.errors import DiskRefused, ProjectDamaged
from segstudio.labels.edit import now_utc
from segstudio.store.backup import BACKUP_OF
from segstudio.store.catalog.images import read_roots
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.connections import Readers
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.migrations import migrate_copy
from segstudio.store.database.schema import READABLE_FROM, check_version
from segstudio.store.merge.images import KnownImage, PairedImage, paired_images
from segstudio.store.merge.projects import MERGES, MergeReport, merge_into
from segstudio.store.merge.proposals import copy_merged_proposals
from segstudio.store.proposals import Proposals
from segstudio.store.writing.waiting_edits import notes_on
from segstudio.text import _

__all__ = [
    "MERGES",
    "KnownImage",
    "MergeReport",
    "PairedImage",
    "Step",
    "merged_project",
    "paired_images",
]

Step = tuple[int, int, str]
"""How far it is: done, of how many (0: not known), and what is being done."""

_OTHER = "other.db"
_FOLDERS = ("models", "runs", "cache")


def merged_project(a: Path, b: Path, out: Path) -> Generator[Step, None, MergeReport]:
    """Make the project `out` of two others, which are absolute paths of projects; `out` is free and inside neither.

    Gives how far it is; closing the generator leaves nothing behind. Raises `UserError` where a class is of two kinds,
    `ProjectNewer`, `ProjectDamaged`, `DiskRefused`.
    """
    try:
        with built_folder(out) as part:
            report = yield from _build(a, b, out, part)
            return replace(report, notes=(*notes_on((a, b)), *report.notes))
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(
            _("The project '{name}' could not be made. {sentence}", name=out.name, sentence=sentence),
            safe=_("Both projects are unchanged."),
        ) from error


def _build(a: Path, b: Path, out: Path, part: Path) -> Generator[Step, None, MergeReport]:
    for name in _FOLDERS:
        (part / name).mkdir()
    yield (0, 0, _("reading {name}", name=a.name))
    _copy_database(a, part / DATABASE, write=True)
    yield (0, 0, _("reading {name}", name=b.name))
    _copy_database(b, part / _OTHER, write=False)
    copy_merged_proposals(a, part)
    proposals = Proposals(part / "cache" / "proposals.db", write=True)
    with closing(connect(part / DATABASE, Access.WRITE)) as c, closing(connect(part / _OTHER, Access.WRITE)) as other:
        c.execute("BEGIN IMMEDIATE")
        try:
            yield from _own_files(c, a, out, part)
            roots = yield from _other_roots(c, other, b, out, part)
            report = yield from merge_into(c, other, (a.stem, b.stem), roots, proposals)
            # Not before: copies are known by it.
            _set(c, "uuid", uuid4().hex)
            _set(c, "made", now_utc())
            c.execute("DELETE FROM settings WHERE key = ?", (BACKUP_OF,))
            c.execute("COMMIT")
        finally:
            proposals.close()
            if c.in_transaction:
                c.execute("ROLLBACK")
        versions = [row[0] for row in c.execute("SELECT name FROM versions")]
        runs = [row[0] for row in c.execute("SELECT name FROM runs")]
        c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    for file in part.glob(f"{_OTHER}*"):
        file.unlink()
    for source, target in _kept_files(a, part, versions, runs):
        yield (0, 0, _("copying {name}", name=source.name))
        copy_durably(source, target)
    return report


def _set(c: sqlite3.Connection, key: str, value: str) -> None:
    c.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, msgspec.json.encode(value).decode()))


def _copy_database(project: Path, target: Path, *, write: bool) -> None:
    """Copy a database as it is at one moment, through SQLite, in the current schema.

    Raises `ProjectNewer`, `ProjectDamaged`, `ReadOnly`.
    """
    readers = Readers(project / DATABASE)
    try:
        with readers.transaction() as source:
            check_version(source, project.name, write=write)
            with closing(connect(target, Access.CREATE)) as copy:
                source.backup(copy)
                found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found == "ok":
                    migrate_copy(copy, readable_from=READABLE_FROM)
        if found != "ok":
            raise ProjectDamaged(
                _("The database of the project '{name}' is damaged.", name=project.name),
                safe=_("Both projects are unchanged."),
            )
    finally:
        readers.close()


def _own_files(c: sqlite3.Connection, a: Path, out: Path, part: Path) -> Generator[Step, None, None]:
    """Lead the roots of the copy of A to where they lie as seen from there; files that A had taken in are copied."""
    c.execute("UPDATE runs SET state = 'failed', ended = ? WHERE state = 'running'", (now_utc(),))
    for root, path in read_roots(c, a).items():
        if path.is_relative_to(a):
            inside = path.relative_to(a)
            yield from _copy_images(c, root, path, part / inside)
            path = out / inside
        c.execute("UPDATE roots SET path = ?, relative = ? WHERE id = ?", (str(path), _relative(path, out), root))


def _other_roots(
    c: sqlite3.Connection, other: sqlite3.Connection, b: Path, out: Path, part: Path
) -> Generator[Step, None, dict[int, int]]:
    """C's root of each root of B; files that B had taken in are copied."""
    known = {path: root for root, path in read_roots(c, out).items()}
    found: dict[int, int] = {}
    for root, path in read_roots(other, b).items():
        if path.is_relative_to(b):
            inside = _free(part, path.relative_to(b))
            yield from _copy_images(other, root, path, part / inside)
            path = out / inside
        if path not in known:
            row = c.execute(
                "INSERT INTO roots (path, relative) VALUES (?, ?) RETURNING id", (str(path), _relative(path, out))
            ).fetchone()
            known[path] = int(row[0])
        found[root] = known[path]
    return found


def _free(part: Path, inside: Path) -> Path:
    number, tried = 1, inside
    while (part / tried).exists():
        number += 1
        tried = inside.with_name(f"{inside.name}-{number}")
    return tried


def _copy_images(db: sqlite3.Connection, root: int, source: Path, target: Path) -> Generator[Step, None, None]:
    """Copy the image files below a root; one that is not there any more is left out, and its labels stay."""
    for (name,) in db.execute("SELECT path FROM files WHERE root = ?", (root,)).fetchall():
        if (source / name).is_file():
            yield (0, 0, _("copying {name}", name=name))
            copy_durably(source / name, target / name)


def _relative(root: Path, project: Path) -> str:
    try:
        return Path(os.path.relpath(root, project)).as_posix()
    except ValueError:  # another drive on Windows
        return ""


def _kept_files(a: Path, part: Path, versions: list[str], runs: list[str]) -> Iterator[tuple[Path, Path]]:
    """The weights and the runs that C's rows speak of."""
    for version in versions:
        for ending in (".safetensors", ".json"):
            source = a / "models" / f"{version}{ending}"
            if source.is_file():
                yield source, part / "models" / source.name
    for run in runs:
        for source in sorted((a / "runs" / run).rglob("*")):
            if source.is_file():
                yield source, part / source.relative_to(a)

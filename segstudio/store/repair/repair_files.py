"""The files of a damaged project beside its database: weights, runs, images copied into it, and anything else."""

import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from segstudio.durable import copy_durably, sync_folder
from segstudio.store.catalog.images import read_roots, relative_root
from segstudio.store.catalog.versions import CURRENT, dropped_weights
from segstudio.store.database.create import DATABASE
from segstudio.store.database.lock import LOCK
from segstudio.store.database.migrations import BACKUPS

__all__ = ["LostFiles", "copy_files"]

_LEFT_OUT = frozenset({"cache", "models", BACKUPS})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True, slots=True)
class LostFiles:
    """Versions without their original weights, and files, as seen from the project, that are in no copy."""

    weights: tuple[str, ...]
    files: tuple[str, ...]


def copy_files(db: sqlite3.Connection, path: Path, part: Path, out: Path) -> LostFiles:
    """Copy what lies in the project `path` into `part`, which will stand at `out`, and lead the roots of `db` there.

    Raises `OSError` where the disk has no room.
    """
    lost: list[str] = []
    for source in _files(path):
        inside = source.relative_to(path)
        try:
            copy_durably(source, part / inside)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise
            lost.append(inside.as_posix())
    lost += [name for name in _lead_roots(db, path, part, out) if name not in lost]
    weights = _copy_all_weights(db, path, part)
    for folder in (part, *(folder for folder in part.rglob("*") if folder.is_dir())):
        sync_folder(folder)
    return LostFiles(weights, tuple(lost))


def _files(path: Path) -> Iterator[Path]:
    for entry in sorted(path.iterdir()):
        if entry.name.startswith((".", DATABASE, LOCK)) or entry.name in _LEFT_OUT:
            continue
        if not entry.is_dir():
            yield entry
        for folder, _, names in os.walk(entry):
            yield from (Path(folder, name) for name in sorted(names))


def _lead_roots(db: sqlite3.Connection, path: Path, part: Path, out: Path) -> list[str]:
    """Set each root as seen from the new project; returns the images' files that are missing there."""
    lost: list[str] = []
    for root, place in read_roots(db, path).items():
        new = out / place.relative_to(path) if place.is_relative_to(path) else place
        db.execute("UPDATE roots SET path = ?, relative = ? WHERE id = ?", (str(new), relative_root(new, out), root))
        if new is not place:
            inside = place.relative_to(path)
            names = db.execute("SELECT path FROM files WHERE root = ? ORDER BY image, position", (root,)).fetchall()
            lost += [(inside / name).as_posix() for (name,) in names if not (part / inside / name).is_file()]
    return lost


def _copy_all_weights(db: sqlite3.Connection, path: Path, part: Path) -> tuple[str, ...]:
    """Copy weights that match their cards; names of versions that lost theirs, of which none is the current one."""
    lost: list[str] = []
    dropped = dropped_weights(db)
    for (version,) in db.execute("SELECT name FROM versions ORDER BY number").fetchall():
        if version in dropped:
            _copy_card(path / "models", part / "models", version)
        elif not _copy_weights(path / "models", part / "models", version):
            lost.append(version)
    current = db.execute("SELECT value FROM settings WHERE key = ?", (CURRENT,)).fetchone()
    if current is not None and msgspec.json.decode(current[0]) in lost:
        db.execute("DELETE FROM settings WHERE key = ?", (CURRENT,))
    return tuple(lost)


def _copy_card(source: Path, target: Path, version: str) -> None:
    """Copy the card of a version whose weights were not kept; one that cannot be read is nothing that is missed."""
    with suppress(OSError):
        copy_durably(source / f"{version}.json", target / f"{version}.json")


def _copy_weights(source: Path, target: Path, version: str) -> bool:
    names = (f"{version}.safetensors", f"{version}.json")
    try:
        with open(source / names[0], "rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
        card = msgspec.json.decode((source / names[1]).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return False
    if card.get("sha256") not in (None, found):
        return False
    for name in names:
        copy_durably(source / name, target / name)
    return True

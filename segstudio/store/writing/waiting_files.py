"""The files of edits that wait: where they lie, and which project takes them.

One file a place: named by the project's uuid, which its copies share, and by a hash of its folder's real path.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import platformdirs

from segstudio.store.database.connect import Access, connect
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import UNREADABLE
from segstudio.store.queries import read_setting

__all__ = [
    "ASIDE",
    "Wire",
    "folder",
    "is_for",
    "named",
    "old_name",
    "place_text",
    "read_file",
    "read_waiting",
    "set_aside_files_of",
    "waiting_file",
    "waiting_files_of",
]

_WAITING = ".edits"
ASIDE = ".conflict"
"""The ending of files that no opening replays."""


class Wire(msgspec.Struct):
    """A file: the folder of the project, and planned number and encoded edit of each."""

    project: str
    edits: list[tuple[int, bytes]]


def waiting_file(uuid: str, project: Path) -> Path:
    """Where the edits are kept that wait for the project in this folder, however its path is spelled."""
    return folder() / f"{uuid}-{_hash(project)}{_WAITING}"


def folder() -> Path:
    """The folder of all of them."""
    return platformdirs.user_state_path("segstudio") / "waiting"


def old_name(uuid: str) -> Path:
    """Its name before each place had its own file."""
    return folder() / f"{uuid}{_WAITING}"


def _hash(project: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.normcase(os.path.realpath(project)))).hexdigest()[:12]


def _files(suffix: str) -> list[Path]:
    """The files of a kind, the oldest first. Raises `OSError` where the folder cannot be read."""
    if not os.path.lexists(folder()):
        return []
    return sorted((folder() / name for name in os.listdir(folder()) if name.endswith(suffix)), key=_age)


def _age(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except OSError:
        return 0, path.name


def named(uuid: str) -> list[Path]:
    """Files of edits that wait for a project or any of its copies."""
    return [path for path in _files(_WAITING) if path == old_name(uuid) or path.name.startswith(f"{uuid}-")]


def read_file(path: Path) -> Wire:
    """The content of a file. Raises `OSError`, `msgspec.DecodeError`."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Wire)


def read_waiting(path: Path) -> list[tuple[int, bytes]]:
    """Planned number and encoded edit of everything in a file. Raises `OSError`, `msgspec.DecodeError`."""
    return read_file(path).edits


def _same_place(kept_for: str, project: Path) -> bool:
    if os.path.realpath(kept_for) == os.path.realpath(project):
        return True
    try:
        return os.path.samefile(kept_for, project)
    except OSError:
        return False


def _stands(kept_for: str, uuid: str) -> bool:
    """Whether the project that edits were kept for may still be in its place; only another one there says no."""
    try:
        os.stat(kept_for)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        with closing(connect(Path(kept_for) / DATABASE, Access.READ)) as db:
            return read_setting(db, "uuid") in (None, uuid)
    except (*UNREADABLE, OSError, msgspec.DecodeError):
        return True


def is_for(path: Path, wire: Wire, uuid: str, project: Path) -> bool:
    """Whether the project in this folder takes the edits of a file: its own, or those of a place that is gone."""
    if path == waiting_file(uuid, project) or _same_place(wire.project, project):
        return True
    return not _stands(wire.project, uuid)


def waiting_files_of(project: Path) -> list[Path]:
    """Files of edits that wait for the project in this folder, whatever its uuid: for one whose database is gone."""
    return list(_files_at(project, _WAITING))


def set_aside_files_of(project: Path) -> list[Path]:
    """Files of edits that waited for the project in this folder and no longer fitted, or could not be read."""
    return list(_files_at(project, ASIDE))


def _files_at(project: Path, suffix: str) -> Iterator[Path]:
    try:
        found = _files(suffix)
    except OSError:
        return  # opening the project says so
    for path in found:
        try:
            if f"-{_hash(project)}." in path.name or _same_place(read_file(path).project, project):
                yield path
        except (OSError, msgspec.DecodeError):
            continue


def place_text(project: Path) -> str:
    """A path as text, which the name of a folder need not be."""
    return os.fsencode(os.path.realpath(project)).decode(errors="backslashreplace")

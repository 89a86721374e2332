"""Edits that the disk refused until the project was closed: kept in the user's state folder, replayed at the opening.

One file a place: named by the project's uuid, which its copies share, and by a hash of its folder's real path. Only who
holds the lock of that place writes the file. An edit that is in the journal already is left out, so a crash between
replay and removal does no harm. Edits that no longer fit are set aside in a separate file; the rest is saved.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused
from segstudio.labels.edit import Edit, encode_edit
from segstudio.labels.model import Seq
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.connections import Readers
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import UNREADABLE, refusal
from segstudio.store.queries import read_setting
from segstudio.store.writing.outbox_replay import Replayed, decoded, replay_edits
from segstudio.text import _, count

__all__ = [
    "Unsaved",
    "keep",
    "notes_on",
    "read_waiting",
    "replay",
    "replay_edits",
    "set_aside",
    "set_aside_files_of",
    "unsaved",
    "waiting_file",
    "waiting_files_of",
]

_WAITING = ".edits"
_ASIDE = ".conflict"


class _Wire(msgspec.Struct):
    project: str
    edits: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """How many edits wait for a project that its journal does not hold, and a sentence; 0 and '' where none does."""

    edits: int
    sentence: str


def waiting_file(uuid: str, project: Path) -> Path:
    """Where the edits are kept that wait for the project in this folder, however its path is spelled."""
    return _folder() / f"{uuid}-{_hash(project)}{_WAITING}"


def _folder() -> Path:
    return platformdirs.user_state_path("segstudio") / "waiting"


def _old_name(uuid: str) -> Path:
    """Its name before each place had its own file."""
    return _folder() / f"{uuid}{_WAITING}"


def _hash(project: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.normcase(os.path.realpath(project)))).hexdigest()[:12]


def _files(suffix: str) -> list[Path]:
    """The files of a kind, the oldest first. Raises `OSError` where the folder cannot be read."""
    if not os.path.lexists(_folder()):
        return []
    return sorted((_folder() / name for name in os.listdir(_folder()) if name.endswith(suffix)), key=_age)


def _age(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except OSError:
        return 0, path.name


def _named(uuid: str) -> list[Path]:
    """Files of edits that wait for a project or any of its copies."""
    return [path for path in _files(_WAITING) if path == _old_name(uuid) or path.name.startswith(f"{uuid}-")]


def _read(path: Path) -> _Wire:
    return msgspec.msgpack.decode(path.read_bytes(), type=_Wire)


def read_waiting(path: Path) -> list[tuple[int, bytes]]:
    """Planned number and encoded edit of everything in a file. Raises `OSError`, `msgspec.DecodeError`."""
    return _read(path).edits


# --- which project they belong to


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


def _is_for(path: Path, wire: _Wire, uuid: str, project: Path) -> bool:
    """Whether the project in this folder takes the edits of a file: its own, or those of a place that is gone."""
    if path == waiting_file(uuid, project) or _same_place(wire.project, project):
        return True
    return not _stands(wire.project, uuid)


def waiting_files_of(project: Path) -> list[Path]:
    """Files of edits that wait for the project in this folder, whatever its uuid: for one whose database is gone."""
    return list(_files_at(project, _WAITING))


def set_aside_files_of(project: Path) -> list[Path]:
    """Files of edits that waited for the project in this folder and no longer fitted, or could not be read."""
    return list(_files_at(project, _ASIDE))


def _files_at(project: Path, suffix: str) -> Iterator[Path]:
    try:
        found = _files(suffix)
    except OSError:
        return  # opening the project says so
    for path in found:
        try:
            if f"-{_hash(project)}." in path.name or _same_place(_read(path).project, project):
                yield path
        except (OSError, msgspec.DecodeError):
            continue


# --- keeping


def keep(uuid: str, project: Path, edits: Sequence[tuple[Seq, Edit]]) -> Path:
    """Write edits that could not be saved, after any that wait already; one that does is not written twice.

    Only for the holder of the project's lock. What cannot be read in the place of the file is set aside. Raises
    `DiskRefused` where this is refused too.
    """
    path = waiting_file(uuid, project)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        together = dict.fromkeys([*_earlier(path), *_encoded(edits)])
        write_durably(path, msgspec.msgpack.encode(_Wire(_text(project), list(together))))
    except OSError as error:
        raise _not_kept(len(edits), path.parent, error) from error
    return path


def set_aside(uuid: str, project: Path, edits: Sequence[tuple[Seq, Edit]]) -> Path:
    """Write edits that do not follow what is saved to a file that no opening replays. Raises `DiskRefused`."""
    own = waiting_file(uuid, project)
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        return _set_aside(own, _text(project), _encoded(edits))
    except OSError as error:
        raise _not_kept(len(edits), own.parent, error) from error


def _not_kept(edits: int, folder: Path, error: OSError) -> DiskRefused:
    return DiskRefused(
        count(
            edits,
            "1 edit could be saved neither in the project nor in {folder}: {why}.",
            "{n} edits could be saved neither in the project nor in {folder}: {why}.",
            folder=folder,
            why=error.strerror or error,
        )
    )


def _encoded(edits: Sequence[tuple[Seq, Edit]]) -> list[tuple[int, bytes]]:
    return [(int(seq), encode_edit(edit)) for seq, edit in edits]


def _earlier(path: Path) -> list[tuple[int, bytes]]:
    try:
        return _read(path).edits
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError):
        _move_aside(path, path)
        return []


def _text(project: Path) -> str:
    """A path as text, which the name of a folder need not be."""
    return os.fsencode(os.path.realpath(project)).decode(errors="backslashreplace")


def _move_aside(path: Path, own: Path) -> Path:
    aside = own.with_suffix(f".{os.urandom(4).hex()}{_ASIDE}")
    os.replace(path, aside)
    return aside


# --- what waits


def unsaved(db: sqlite3.Connection, uuid: str, project: Path) -> Unsaved:
    """The edits that opening for writing would save. Changes nothing; unreadable files are in the sentence."""
    edits, said = 0, list[str]()
    try:
        paths = _named(uuid)
    except OSError as error:
        return Unsaved(0, _unreadable(_folder(), error))
    for path in paths:
        try:
            wire = _read(path)
        except FileNotFoundError:
            continue  # saved at this moment
        except (OSError, msgspec.DecodeError) as error:
            said.append(_unreadable(path, error))
            continue
        if _is_for(path, wire, uuid, project):
            edits += _missing(db, wire)
    if edits:
        said.insert(
            0,
            count(
                edits,
                "1 edit of the project '{name}' that the disk refused is waiting in the state folder and is not in "
                "what was read; opening the project for writing saves it if it fits.",
                "{n} edits of the project '{name}' that the disk refused are waiting in the state folder and are not "
                "in what was read; opening the project for writing saves those that fit.",
                name=project.name,
            ),
        )
    return Unsaved(edits, " ".join(said))


def _missing(db: sqlite3.Connection, wire: _Wire) -> int:
    """How many edits of a file the journal does not hold; all of them where it cannot be read."""
    known = "SELECT 1 FROM edits WHERE id = ?"
    edits = [decoded(blob) for blob in {blob for _, blob in wire.edits}]
    try:
        return sum(edit is None or db.execute(known, (edit.id,)).fetchone() is None for edit in edits)
    except UNREADABLE:
        return len(edits)


def notes_on(projects: Iterable[Path]) -> tuple[str, ...]:
    """A sentence for each project in these folders for which edits wait; for callers that read them in other ways."""
    said: list[str] = []
    for project in projects:
        with closing(Readers(project / DATABASE)) as readers, readers.transaction() as db:
            said.append(unsaved(db, str(read_setting(db, "uuid")), project).sentence)
    return tuple(filter(None, said))


# --- replaying


def replay(db: sqlite3.Connection, uuid: str, project: Path) -> str:
    """Write what waits into the project, each file in one transaction; sentences about it, '' where nothing waits.

    It takes what was kept for its own place, and for a place where the project no longer is. What no longer fits, and
    what rests on it, is set aside in another file, not lost; so is what cannot be read. Raises `DiskRefused` where the
    disk still refuses: then all of it keeps waiting.
    """
    said: list[str] = []
    try:
        paths = _named(uuid)
    except OSError as error:
        return _unreadable(_folder(), error)
    for path in paths:
        try:
            said.append(_replay_file(db, path, uuid, project))
        except DiskRefused as error:
            error.safe = " ".join(filter(None, (*said, error.safe)))
            raise
    return " ".join(filter(None, said))


def _replay_file(db: sqlite3.Connection, path: Path, uuid: str, project: Path) -> str:
    try:
        wire = _read(path)
    except FileNotFoundError:
        return ""  # another copy of the project has taken it
    except OSError as error:
        return _unreadable(path, error)
    except msgspec.DecodeError as error:
        own = waiting_file(uuid, project)
        return _set_unreadable_aside(path, own) if path in (own, _old_name(uuid)) else _unreadable(path, error)
    if not _is_for(path, wire, uuid, project):
        return _elsewhere(_missing(db, wire), wire.project)
    sentence = _write(db, path, wire, waiting_file(uuid, project), project)
    with suppress(OSError):  # left behind it does no harm: all of it is in the journal or set aside
        path.unlink()
    return sentence


def _write(db: sqlite3.Connection, path: Path, wire: _Wire, own: Path, project: Path) -> str:
    aside = None
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            replayed = replay_edits(db, wire.edits)
            if replayed.aside:
                # Before the commit: an edit is always in one of the two.
                aside = _set_aside(own, _text(project), replayed.aside)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(sentence, safe=_("The edits waiting for it are kept in {path}.", path=path)) from error
    return _sentence(replayed, aside)


def _set_unreadable_aside(path: Path, own: Path) -> str:
    try:
        path = _move_aside(path, own)
    except OSError as refused:
        return _unreadable(path, refused)
    return _("Edits that could not be saved earlier cannot be read; they are kept in {path}.", path=path)


def _set_aside(own: Path, project: str, edits: Sequence[tuple[int, bytes]]) -> Path:
    """Keep edits under a name that their content gives: a crash and a second replay make no second file."""
    data = msgspec.msgpack.encode(_Wire(project, list(edits)))
    aside = own.with_suffix(f".{hashlib.sha256(data).hexdigest()[:8]}{_ASIDE}")
    write_durably(aside, data)
    return aside


# --- words


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return _(
            "Edits that could not be saved earlier cannot be read ({why}); they are in {path}.",
            why=error.strerror,
            path=path,
        )
    return _("Edits that could not be saved earlier cannot be read; they are in {path}.", path=path)


def _elsewhere(edits: int, place: str) -> str:
    if not edits:
        return ""
    return count(
        edits,
        "1 edit that the disk refused is waiting for the copy of this project at {place}; opening that copy saves it "
        "if it fits.",
        "{n} edits that the disk refused are waiting for the copy of this project at {place}; opening that copy saves "
        "those that fit.",
        place=place,
    )


def _sentence(replayed: Replayed, aside: Path | None) -> str:
    sentences: list[str] = []
    if replayed.saved:
        sentences.append(
            count(
                replayed.saved,
                "1 edit that the disk refused when the project was closed has now been saved.",
                "{n} edits that the disk refused when the project was closed have now been saved.",
            )
        )
    if aside is not None:
        sentences.append(
            count(
                len(replayed.aside),
                "1 edit no longer fits this project; it is kept in {file}.",
                "{n} edits no longer fit this project; they are kept in {file}.",
                file=aside,
            )
        )
    return " ".join(sentences)

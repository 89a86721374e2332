"""Checking whether a project's file is intact: SQLite's quick check in the background, and the digests of the tiles.

The check reads table by table, so that no read stays open long enough to keep the log growing. It is due after an end
that was none (killed, power cut) and once a week.
"""

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import now_utc
from segstudio.labels.model import ImageId
from segstudio.labels.tiles.codec import decode_tile
from segstudio.labels.tiles.tile import digest
from segstudio.store import filesystems
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.create import DATABASE
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.lock import is_held
from segstudio.store.writing.waiting_edits import set_aside_files_of, waiting_files_of
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.store.project import Project

__all__ = [
    "CHECKED",
    "BackgroundCheck",
    "BadTile",
    "bad_tiles",
    "begin_check",
    "check_due",
    "damage_sentence",
    "is_held",
    "quick_check",
    "set_aside_files_of",
    "waiting_files_of",
]

CHECKED = "checked"
"""The setting with the time (ISO 8601, UTC) of the last quick check that found nothing."""

_INTERVAL = timedelta(days=7)
_OPERATIONS = 50_000
"""Instructions of SQLite between two looks at whether to stop."""
_NICE = 15
_TILES = 64


def check_due(checked: str | None, *, unclean: bool, now: datetime | None = None) -> bool:
    """Whether a check is due: after an unclean end, a week after the last, and where the clock went backwards."""
    if unclean or not checked:
        return unclean
    try:
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(checked)
    except (TypeError, ValueError):
        return True
    return not timedelta(0) <= age < _INTERVAL


def quick_check(db: sqlite3.Connection, stop: threading.Event | None = None) -> str | None:
    """The faults that SQLite finds, '' for none; None where it was stopped. Reads the whole file.

    A table at a time: outside a transaction a writer may write between two of them.
    """
    if stop is not None:
        db.set_progress_handler(lambda: stop.is_set(), _OPERATIONS)
    try:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rootpage")]
        for name in names:
            if stop is not None and stop.is_set():
                return None
            found = db.execute(f"PRAGMA quick_check('{name}')").fetchall()
            if [row[0] for row in found] != ["ok"]:
                return str(found[0][0])
    except UnicodeDecodeError as error:
        return str(error)
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            return None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return str(error)
        raise
    finally:
        db.set_progress_handler(None, 0)
    return ""


def damage_sentence(name: str) -> str:
    """The sentence about a project whose file is damaged, and what to do."""
    return _(
        "The database of the project '{name}' is damaged. Close it and run 'segstudio repair {name}': it saves what "
        "can be read in a new project and leaves this one as it is.",
        name=name,
    )


@dataclass(frozen=True, slots=True)
class BadTile:
    """A stored tile that is not what was written."""

    image: ImageId
    plane: int
    ty: int
    tx: int


def bad_tiles(db: sqlite3.Connection) -> Iterator[BadTile | None]:
    """Every tile in turn: None for a good one. Raises `sqlite3.DatabaseError` where the rest is unreadable.

    Read some at a time: outside a transaction a writer may write in between, and its changes may be missed.
    """
    some = f"SELECT id, image, plane, ty, tx, digest, data FROM tiles WHERE id > ? ORDER BY id LIMIT {_TILES}"
    last = 0
    while rows := db.execute(some, (last,)).fetchall():
        for last, image, plane, ty, tx, promised, data in rows:  # noqa: B007 - the last row's is used
            try:
                good = digest(decode_tile(data)) == promised
            except ProjectDamaged:
                good = False
            yield None if good else BadTile(ImageId(image), plane, ty, tx)


def begin_check(project: "Project", on_damage: Callable[[str], None]) -> "BackgroundCheck | None":
    """Begin to check a project that is open for writing, where that is due; the caller closes the check first.

    `on_damage` is called on the checking thread with a sentence. Not on a network drive, where the reading would hold
    up commits: `segstudio doctor PROJECT` checks there.
    """
    if project.writer is None or filesystems.is_network(filesystems.file_system(project.path)):
        return None
    if not check_due(project.setting(CHECKED, project.setting("made")), unclean=project.ended_badly):
        return None

    def done(found: str) -> None:
        if found:
            on_damage(damage_sentence(project.path.name))
        elif project.writer is not None:
            project.set_setting(CHECKED, now_utc())

    return BackgroundCheck(project.path / DATABASE, done)


class BackgroundCheck:
    """A thread with a reading connection of its own; `on_done` is called on it with what was found, '' for nothing."""

    def __init__(self, path: Path, on_done: Callable[[str], None]) -> None:
        self._path = path
        self._on_done = on_done
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segstudio-check", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the end of the thread; nothing is reported after it."""
        self._stop.set()
        self._thread.join()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # it is only a courtesy
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            db = connect(self._path, Access.READ)
        except sqlite3.Error:
            return  # the process that has the project open reports the fault
        try:
            found = quick_check(db, self._stop)
        except sqlite3.Error as error:
            if refusal(error) is None:
                raise
            return
        finally:
            db.close()
        if found is not None and not self._stop.is_set():
            self._on_done(found)

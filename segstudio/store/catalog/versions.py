"""Model versions, runs and per-image times: rows written by jobs of the writer, and read."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from segstudio.labels.edit import now_utc
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.store.catalog.split import Split
from segstudio.store.values import RunRow, VersionRow

__all__ = [
    "CURRENT",
    "HELD_OUT_BLOCKS",
    "add_seconds",
    "add_version",
    "begin_run",
    "drop_weights",
    "dropped_weights",
    "end_run",
    "make_current",
    "read_done_at",
    "read_efforts",
    "read_runs",
    "read_seconds",
    "read_versions",
    "take_up_run",
    "version_groups",
]

_VERSION_COLUMNS = "name, number, learner, parent, made, seq, promoted, reason, steps, seconds, figures"
CURRENT = "current_version"
HELD_OUT_BLOCKS = "held_out_blocks"
"""The setting that names the version that proposes; absent before there is one."""
_CHOSEN = "chosen_versions"
_DROPPED = "dropped_weights"
"""Settings that name the versions that a person let propose, and those whose weights were not kept."""


def add_version(
    db: sqlite3.Connection, row: VersionRow, *, run: int | None = None, groups: Mapping[int, Split] | None = None
) -> None:
    """Write a version and the groups it saw and was measured on; a `current` one becomes current."""
    db.execute(
        f"INSERT INTO versions ({_VERSION_COLUMNS}, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(row.name, row.number, row.learner, row.parent, row.made, row.seq, row.promoted, row.reason, row.steps),
            *(row.seconds, _json(row.figures), run),
        ),
    )
    db.executemany(
        "INSERT INTO version_groups VALUES (?, ?, ?)",
        [(row.name, group, split.value) for group, split in (groups or {}).items()],
    )
    if row.current:
        make_current(db, row.name)


def make_current(db: sqlite3.Connection, name: str, *, by_hand: bool = False) -> None:
    """Make a version the one that proposes; the weights of one that a person chose are kept from then on."""
    _set(db, CURRENT, name)
    if by_hand:
        _set(db, _CHOSEN, sorted({*_names(db, _CHOSEN), name}))


def drop_weights(db: sqlite3.Connection, rounds: Collection[str], needed: Collection[str]) -> frozenset[str]:
    """Write that the weights of some versions are not kept, and return the names of all of which that was written.

    They are those among `rounds` that were never promoted, that no person let propose, that are not `needed`, and that
    are not the newest of these. What is written first is deleted afterwards: a file that is still there is of no use.
    """
    kept = {*needed, *_names(db, _CHOSEN), *_names(db, CURRENT)}
    rows = db.execute("SELECT name FROM versions WHERE NOT promoted ORDER BY number").fetchall()
    candidates = [name for (name,) in rows if name in rounds and name not in kept]
    known = dropped_weights(db)
    dropped = known | set(candidates[:-1])
    if dropped != known:
        _set(db, _DROPPED, sorted(dropped))
    return dropped


def dropped_weights(db: sqlite3.Connection) -> frozenset[str]:
    """The versions whose weights were not kept."""
    return _names(db, _DROPPED)


def _names(db: sqlite3.Connection, setting: str) -> frozenset[str]:
    """The versions that a setting names: one, or a list."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (setting,)).fetchone()
    if row is None:
        return frozenset()
    found = msgspec.json.decode(row[0], type=str | list[str])
    return frozenset([found] if isinstance(found, str) else found)


def _set(db: sqlite3.Connection, setting: str, value: object) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (setting, _json(value)))


def read_versions(db: sqlite3.Connection) -> list[VersionRow]:
    """All versions, oldest first."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (CURRENT,)).fetchone()
    current = None if row is None else msgspec.json.decode(row[0])
    dropped = dropped_weights(db)
    return [
        VersionRow(
            name=r[0],
            number=r[1],
            learner=r[2],
            parent=r[3],
            made=r[4],
            seq=Seq(r[5]),
            promoted=bool(r[6]),
            reason=r[7],
            steps=r[8],
            seconds=r[9],
            figures=msgspec.json.decode(r[10]),
            current=r[0] == current,
            has_weights=r[0] not in dropped,
        )
        for r in db.execute(f"SELECT {_VERSION_COLUMNS} FROM versions ORDER BY number")
    ]


def version_groups(db: sqlite3.Connection, version: str) -> dict[int, Split]:
    """The groups of a version and what each was used for."""
    rows = db.execute("SELECT group_id, split FROM version_groups WHERE version = ?", (version,))
    return {group: Split(split) for group, split in rows}


def begin_run(db: sqlite3.Connection, name: str, *, parent: str, device: str, seed: int) -> int:
    """Write that a run has begun; returns its number."""
    cursor = db.execute(
        "INSERT INTO runs (name, started, state, parent, device, seed) VALUES (?, ?, 'running', ?, ?, ?)",
        (name, now_utc(), parent, device, seed),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def take_up_run(db: sqlite3.Connection, name: str) -> int | None:
    """Write that an interrupted run continues; returns its number, None where it had not begun."""
    row = db.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    db.execute("UPDATE runs SET state = 'running', ended = '', summary = '{}' WHERE id = ?", row)
    return int(row[0])


def end_run(
    db: sqlite3.Connection,
    run: int,
    *,
    state: str,
    version: str = "",
    steps: int = 0,
    seconds: float = 0.0,
    summary: Mapping[str, Any] | None = None,
) -> None:
    """Write how a run ended: done, stopped, time, failed, or interrupted, which is not an end."""
    db.execute(
        "UPDATE runs SET ended = ?, state = ?, version = ?, steps = ?, seconds = ?, summary = ? WHERE id = ?",
        (now_utc(), state, version, steps, seconds, _json(summary or {}), run),
    )


def read_runs(db: sqlite3.Connection) -> list[RunRow]:
    """All runs, oldest first."""
    rows: Iterable[tuple[Any, ...]] = db.execute(
        "SELECT id, name, started, ended, state, parent, version, device, seed, steps, seconds, summary "
        "FROM runs ORDER BY id"
    )
    return [RunRow(*r[:11], summary=msgspec.json.decode(r[11])) for r in rows]


def add_seconds(db: sqlite3.Connection, image: ImageId, seconds: float, author: str = "") -> None:
    """Add the seconds a person spent on an image, to today's (UTC) row."""
    db.execute(
        "INSERT INTO times VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds",
        (image, author, datetime.now(UTC).date().isoformat(), seconds),
    )


def read_seconds(db: sqlite3.Connection) -> dict[ImageId, float]:
    """Seconds spent on each image that has any."""
    rows = db.execute("SELECT image, sum(seconds) FROM times GROUP BY image")
    return {ImageId(image): float(seconds) for image, seconds in rows}


def read_efforts(db: sqlite3.Connection) -> dict[ImageId, tuple[int, int]]:
    """(corrected, proposed) pixels of each image that was marked done after something had been proposed."""
    rows = db.execute("SELECT id, corrected_pixels, proposed_pixels FROM images WHERE proposed_pixels IS NOT NULL")
    return {ImageId(image): (int(corrected), int(proposed)) for image, corrected, proposed in rows}


def read_done_at(db: sqlite3.Connection) -> dict[ImageId, Seq]:
    """The last Done of each image that is in force; none of images that were marked otherwise, or compacted since."""
    rows = db.execute(
        "SELECT image, max(seq) FROM edits WHERE cause = ? AND undoes IS NULL AND taken_back IS NULL GROUP BY image",
        (Cause.DONE.value,),
    )
    return {ImageId(image): Seq(seq) for image, seq in rows}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

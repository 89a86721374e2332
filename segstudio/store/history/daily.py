"""Daily snapshots: the first edit of a day names the state before it; old ones are thinned.

A day is one of the local calendar. A clock that jumps, also backwards, makes at most one snapshot for each day that it
shows, and thinning counts snapshots, not days, so that a wrong clock removes no more than a right one.
"""

import sqlite3
from datetime import date

from segstudio.labels.edit import now_utc
from segstudio.labels.model import Seq

__all__ = ["DAILY_KEPT", "mark_day"]

DAILY_KEPT = 14
"""How many of the newest daily snapshots stay; of older ones the first of each week."""

_LAST_DAY = "last_daily"
_BEFORE = "before "


def mark_day(db: sqlite3.Connection, seq: Seq) -> None:
    """Before edit `seq` is written, in its transaction: where it is the first of this day, name the state before it."""
    today = _today().isoformat()
    row = db.execute("SELECT value FROM settings WHERE key = ?", (_LAST_DAY,)).fetchone()
    if row is not None and row[0] == f'"{today}"':
        return
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_LAST_DAY, f'"{today}"'))
    name = f"{_BEFORE}{today}"
    if seq > 1 and db.execute("SELECT 1 FROM snapshots WHERE name = ?", (name,)).fetchone() is None:
        row = (name, seq - 1, now_utc())
        db.execute("INSERT INTO snapshots (name, seq, time, kind) VALUES (?, ?, ?, 'daily')", row)
        _thin(db)


def _thin(db: sqlite3.Connection) -> None:
    rows = db.execute("SELECT id, name FROM snapshots WHERE kind = 'daily' ORDER BY seq, id").fetchall()
    weeks: set[tuple[int, int]] = set()
    for id_, name in rows[:-DAILY_KEPT]:
        week = date.fromisoformat(name.removeprefix(_BEFORE)).isocalendar()[:2]
        if week in weeks:
            db.execute("DELETE FROM snapshots WHERE id = ?", (id_,))
        weeks.add(week)


def _today() -> date:
    return date.today()

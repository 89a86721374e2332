"""Compacting as a whole job: what would go, and doing it, in one transaction and one VACUUM after it."""

from collections.abc import Generator
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from segstudio.errors import DiskRefused, UserError
from segstudio.labels.model import Seq
from segstudio.store.database.create import DATABASE
from segstudio.store.history.compact import (
    CompactPlan,
    compact_journal,
    database_bytes,
    floor_before,
    must_have_room_for_vacuum,
    plan_compact,
    vacuum,
)
from segstudio.store.project import Project
from segstudio.store.writing.journal import last_seq
from segstudio.store.writing.progress_token import Ticker
from segstudio.tasks.progress import Progress

__all__ = ["KEEP_DAYS", "CompactReport", "compact", "planned"]

KEEP_DAYS = 30
"""How many days stay undoable where nothing else is said."""

_LOOK_S = 0.05
_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What was done, and the bytes of the database, its log left out, before and after."""

    plan: CompactPlan
    bytes_before: int
    bytes_after: int


def planned(
    project: Project, *, before: Seq | None = None, day: date | None = None, keep_days: float = KEEP_DAYS
) -> CompactPlan:
    """What would go: of edits before a number, before a local day, or older than some days. Changes nothing.

    Raises `UserError` for a number beyond the one that the next edit gets.
    """
    with project.reading() as db:
        if before is not None:
            _must_be_number(before, last_seq(db))
            return plan_compact(db, Seq(before - 1))
        if day is not None:
            start = datetime(day.year, day.month, day.day).astimezone()
        else:
            start = datetime.now(UTC) - timedelta(days=keep_days)
        return plan_compact(db, floor_before(db, _utc(start)))


def _must_be_number(before: Seq, last: Seq) -> None:
    if before > last + 1:
        raise UserError(
            f"There is no edit {before} in this project: the last one is {last}.",
            safe="Nothing was dropped.",
            todo=f"Give a number up to {last + 1}, or a day YYYY-MM-DD.",
        )


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compact(project: Project, plan: CompactPlan) -> Generator[Progress, None, CompactReport]:
    """Drop what a plan says and give the room back. The plan must be of this project as it stands.

    Closing it before its commit begins leaves everything as it was; later it is done, and without VACUUM the project
    uses the freed room itself. A crash at any instant loses nothing. Raises `ReadOnly` where the project is not open
    for writing, `DiskRefused` where there is no room, `ProjectDamaged`.
    """
    writer = project.writing()
    if not writer.flush(_DRAIN_S):
        raise DiskRefused(writer.state.refused or "Edits are still being saved.", safe="Nothing was dropped.")
    bytes_before = _bytes(project)
    if plan.empty:
        return CompactReport(plan, bytes_before, bytes_before)
    must_have_room_for_vacuum(project.path / DATABASE)
    ticker = Ticker()
    future = writer.call(lambda db: compact_journal(db, plan, ticker))
    try:
        while not future.done():
            yield Progress(ticker.done, ticker.total, "joining what snapshots need")
            wait([future], _LOOK_S)
    finally:
        ticker.cancel()
    future.result()
    future = writer.call(vacuum)
    while not future.done():
        yield Progress(ticker.total, ticker.total, "giving room back")
        wait([future], _LOOK_S)
    future.result()
    return CompactReport(plan, bytes_before, _bytes(project))


def _bytes(project: Project) -> int:
    with project.reading() as db:
        return database_bytes(db)

"""Compacting as a whole job: the plan, then the dropping, in one transaction followed by one VACUUM."""

from collections.abc import Generator
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from segstudio.errors import DiskRefused
from segstudio.labels.model import Seq
from segstudio.store.compacting import (
    CompactPlan,
    database_bytes,
    dropped,
    must_have_room,
    plan_before_edit,
    plan_before_time,
    room_given_back,
)
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["KEEP_DAYS", "CompactReport", "compact", "planned"]

KEEP_DAYS = 30
"""How many days stay undoable by default."""

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
    if before is not None:
        return plan_before_edit(project, before)
    if day is not None:
        return plan_before_time(project, datetime(day.year, day.month, day.day).astimezone())
    return plan_before_time(project, datetime.now(UTC) - timedelta(days=keep_days))


def compact(project: Project, plan: CompactPlan) -> Generator[Progress, None, CompactReport]:
    """Drop what the plan lists and free the space. The plan must be of this project in its present state.

    Closing it before its commit begins leaves everything unchanged; later it is done, and without VACUUM the project
    uses the freed room itself. A crash at any instant loses nothing. Raises `ReadOnly` where the project is not open
    for writing, `DiskRefused` where there is no room, `ProjectDamaged`.
    """
    writer = project.writing()
    if not writer.flush(_DRAIN_S):
        raise DiskRefused(writer.state.refused or _("Edits are still being saved."), safe=_("Nothing was dropped."))
    bytes_before = database_bytes(project)
    if plan.empty:
        return CompactReport(plan, bytes_before, bytes_before)
    must_have_room(project)
    ticker = Ticker()
    future = dropped(project, plan, ticker)
    try:
        while not future.done():
            yield Progress(ticker.done, ticker.total, _("joining the edits that snapshots need"))
            wait([future], _LOOK_S)
    finally:
        ticker.cancel()
    future.result()
    future = room_given_back(project)
    while not future.done():
        yield Progress(ticker.total, ticker.total, _("freeing disk space"))
        wait([future], _LOOK_S)
    future.result()
    return CompactReport(plan, bytes_before, database_bytes(project))

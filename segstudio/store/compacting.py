"""Compacting a project: what would go, dropping it, and returning the freed space. Details are in `history.compact`."""

from concurrent.futures import Future
from datetime import UTC, datetime

from segstudio.errors import UserError
from segstudio.labels.model import Seq
from segstudio.store.database.create import DATABASE
from segstudio.store.history import compact
from segstudio.store.history.compact import CompactPlan
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.writing.journal import last_seq
from segstudio.text import _

__all__ = [
    "CompactPlan",
    "database_bytes",
    "dropped",
    "must_have_room",
    "plan_before_edit",
    "plan_before_time",
    "room_given_back",
]


def plan_before_edit(project: Project, before: Seq) -> CompactPlan:
    """What would be dropped of the edits before a number. Raises `UserError` beyond the next edit's number."""
    with project.reading() as db:
        last = last_seq(db)
        if before > last + 1:
            raise UserError(
                _("There is no edit {before} in this project: the last one is {last}.", before=before, last=last),
                safe=_("Nothing was dropped."),
                todo=_("Give a number up to {last}, or a date YYYY-MM-DD.", last=last + 1),
            )
        return compact.plan_compact(db, Seq(before - 1))


def plan_before_time(project: Project, time: datetime) -> CompactPlan:
    """What would be dropped of the edits made before a time with a time zone."""
    utc = time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with project.reading() as db:
        return compact.plan_compact(db, compact.floor_before(db, utc))


def must_have_room(project: Project) -> None:
    """Raise `DiskRefused` where the disks cannot hold what `room_given_back` needs."""
    compact.must_have_room_for_vacuum(project.path / DATABASE)


def dropped(project: Project, plan: CompactPlan, ticker: Ticker) -> "Future[None]":
    """Drop what a plan says, in one transaction after all that waits. Raises `ReadOnly`; the future `Cancelled`."""
    return project.writing().call(lambda db: compact.compact_journal(db, plan, ticker))


def room_given_back(project: Project) -> "Future[None]":
    """Write the file again without its free pages. Raises `ReadOnly`."""
    return project.writing().call(compact.vacuum)


def database_bytes(project: Project) -> int:
    """Bytes of the database, its log left out."""
    with project.reading() as db:
        return compact.database_bytes(db)

"""`segstudio compact`."""

import argparse
import contextlib
import re
from argparse import Namespace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser, at_least
from segstudio.cli.progress import shown
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.store.compacting import CompactPlan

__all__ = ["arguments", "run"]

_DAYS = (date(1971, 1, 1), date(2999, 12, 31))
"""Every system can convert local time between these days to UTC."""

_MOST_DAYS = 36_525


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a project smaller: forget how labels were painted before an edit or a day. Labels, the record of who\n"
        "changed what and when, and named snapshots stay; undo ends there, and earlier daily snapshots go. It never\n"
        "runs automatically, asks nothing and cannot be undone: --dry-run says what would go, 'segstudio backup'\n"
        "keeps a copy.",
        "segstudio compact leaves.segstudio --dry-run",
        "segstudio compact leaves.segstudio --before 2026-09-01",
    )
    parser.add_project()
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--before",
        metavar="SEQ|DATE",
        type=_number_or_day,
        help=_("forget what came before the edit with this number, or before this local day (YYYY-MM-DD)"),
    )
    which.add_argument("--keep-days", metavar="N", type=_days, help=_("forget what is older than N days (30)"))
    parser.add_argument("--dry-run", action="store_true", help=_("say what would go, and change nothing"))
    parser.add_json()


def _number_or_day(text: str) -> int | date:
    if re.fullmatch(r"[0-9]{8}", text):
        # An ISO basic date, read as a number, would drop the whole journal.
        raise argparse.ArgumentTypeError(
            _(
                "'{text}' may mean a day; write {year}-{month}-{day}",
                text=text,
                year=text[:4],
                month=text[4:6],
                day=text[6:],
            )
        )
    if re.fullmatch(r"[0-9]{1,18}", text) and int(text) > 0:
        return int(text)
    day = _day(text)
    if day is None:
        raise argparse.ArgumentTypeError(
            _("'{text}' is neither the number of an edit nor a day (YYYY-MM-DD)", text=text)
        )
    if not _DAYS[0] <= day <= _DAYS[1]:
        raise argparse.ArgumentTypeError(
            _("'{text}' is not between {first} and {last}", text=text, first=_DAYS[0], last=_DAYS[1])
        )
    return day


def _day(text: str) -> date | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    return None


def _days(text: str) -> int:
    days = at_least(0)(text)
    if days > _MOST_DAYS:
        raise argparse.ArgumentTypeError(_("'{text}' is more than {most:,} days", text=text, most=_MOST_DAYS))
    return days


def run(options: Namespace) -> int:
    """Compact, or say what would go."""
    from segstudio.labels.model import Seq
    from segstudio.tasks.keeping.compact import KEEP_DAYS, compact, planned

    number = Seq(options.before) if isinstance(options.before, int) else None
    day = options.before if isinstance(options.before, date) else None
    days = KEEP_DAYS if options.keep_days is None else options.keep_days
    with opened(options.project, write=not options.dry_run) as project:
        plan = planned(project, before=number, day=day, keep_days=days)
        report = None if options.dry_run else shown(compact(project, plan), _("image"))
    found: dict[str, Any] = {
        "compacted_to": int(plan.floor),
        "edits": plan.edits,
        "deltas": plan.deltas,
        "delta_bytes": plan.size,
        "snapshots_kept": list(plan.named),
        "snapshots_dropped": [] if plan.empty else list(plan.daily),
        "dry_run": report is None,
    }
    if report is not None:
        found |= {"bytes_before": report.bytes_before, "bytes_after": report.bytes_after}
    if options.json:
        say_json(found)
        return 0
    if plan.empty:
        say(_("There is nothing to drop."))
        return 0
    time = datetime.fromisoformat(plan.time).astimezone().strftime("%Y-%m-%d %H:%M") if plan.time else ""
    for line in _done(plan, time) if report is not None else _planned(plan, time):
        say(line)
    if report is not None:
        say(
            _(
                "{before:,.1f} MB before, {after:,.1f} MB now.",
                before=report.bytes_before / 1_000_000,
                after=report.bytes_after / 1_000_000,
            )
        )
    return 0


def _planned(plan: "CompactPlan", time: str) -> list[str]:
    """What compacting would do."""
    return [
        count(
            plan.edits,
            "{n} edit up to number {floor} ({time}) could no longer be undone; its entry in the journal stays.",
            "{n} edits up to number {floor} ({time}) could no longer be undone; their entries in the journal stay.",
            floor=plan.floor,
            time=time,
        ),
        count(
            plan.deltas,
            "At most {n} delta of {size:,.1f} MB would be dropped, or joined where snapshots need it.",
            "At most {n} deltas of {size:,.1f} MB would be dropped, or joined where snapshots need them.",
            size=plan.size / 1_000_000,
        ),
        count(len(plan.named), "{n} named snapshot would stay.", "{n} named snapshots would stay."),
        count(len(plan.daily), "{n} daily snapshot would be dropped.", "{n} daily snapshots would be dropped."),
    ]


def _done(plan: "CompactPlan", time: str) -> list[str]:
    """What compacting did."""
    return [
        count(
            plan.edits,
            "{n} edit up to number {floor} ({time}) can no longer be undone; its entry in the journal stays.",
            "{n} edits up to number {floor} ({time}) can no longer be undone; their entries in the journal stay.",
            floor=plan.floor,
            time=time,
        ),
        count(
            plan.deltas,
            "At most {n} delta of {size:,.1f} MB was dropped, or joined where snapshots need it.",
            "At most {n} deltas of {size:,.1f} MB were dropped, or joined where snapshots need them.",
            size=plan.size / 1_000_000,
        ),
        count(len(plan.named), "{n} named snapshot stays.", "{n} named snapshots stay."),
        count(len(plan.daily), "{n} daily snapshot was dropped.", "{n} daily snapshots were dropped."),
    ]

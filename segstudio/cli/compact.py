"""`segstudio compact`."""

import argparse
import contextlib
import re
from argparse import Namespace
from datetime import date, datetime
from typing import Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser, at_least
from segstudio.cli.progress import shown
from segstudio.text import _

__all__ = ["arguments", "run"]

_DAYS = (date(1971, 1, 1), date(2999, 12, 31))
"""Between these every system knows what time it was, or will be, in UTC."""

_MOST_DAYS = 36_525


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a project smaller: forget how labels were painted before an edit or a day. Labels, who changed what and\n"
        "when, and named snapshots stay; undo ends there, and daily snapshots before it go. It never runs by itself,\n"
        "asks nothing, and cannot be taken back: --dry-run says what would go, 'segstudio backup' keeps a copy.",
        "segstudio compact leaves.segstudio --dry-run",
        "segstudio compact leaves.segstudio --before 2026-09-01",
    )
    parser.add_project()
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--before",
        metavar="SEQ|DATE",
        type=_number_or_day,
        help=_("forget what came before the edit of this number, or before this local day (YYYY-MM-DD)"),
    )
    which.add_argument("--keep-days", metavar="N", type=_days, help=_("forget what is older than so many days (30)"))
    parser.add_argument("--dry-run", action="store_true", help=_("say what would go, and change nothing"))
    parser.add_json()


def _number_or_day(text: str) -> int | date:
    if re.fullmatch(r"[0-9]{8}", text):
        # An ISO basic day, read as a number, would let the whole journal go.
        raise argparse.ArgumentTypeError(f"'{text}' may mean a day; write {text[:4]}-{text[4:6]}-{text[6:]}")
    if re.fullmatch(r"[0-9]{1,18}", text) and int(text) > 0:
        return int(text)
    day = _day(text)
    if day is None:
        raise argparse.ArgumentTypeError(f"'{text}' is neither the number of an edit nor a day YYYY-MM-DD")
    if not _DAYS[0] <= day <= _DAYS[1]:
        raise argparse.ArgumentTypeError(f"'{text}' is no day from {_DAYS[0]} to {_DAYS[1]}")
    return day


def _day(text: str) -> date | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    return None


def _days(text: str) -> int:
    days = at_least(0)(text)
    if days > _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {_MOST_DAYS} days")
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
        report = None if options.dry_run else shown(compact(project, plan), "image")
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
    verb, go = ("can", "were") if report is not None else ("could", "would be")
    say(
        _(
            "{edits} edits up to number {floor} ({time}) {verb} no longer be taken back; their rows stay.",
            edits=plan.edits,
            floor=plan.floor,
            time=time,
            verb=verb,
        )
    )
    say(
        _(
            "At most {deltas} deltas of {size:,.1f} MB {go} dropped, or joined where snapshots need them.",
            deltas=plan.deltas,
            size=plan.size / 1000000.0,
            go=go,
        )
    )
    say(_("{n} named snapshots stay; {n2} daily ones {go} dropped.", n=len(plan.named), n2=len(plan.daily), go=go))
    if report is not None:
        say(
            _(
                "{bytes_before:,.1f} MB before, {bytes_after:,.1f} MB now.",
                bytes_before=report.bytes_before / 1000000.0,
                bytes_after=report.bytes_after / 1000000.0,
            )
        )
    return 0

"""`segstudio backup`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Copy a project with its models and runs, even while a window is writing to it, and check the copy: the\n"
        "database, the number of the last edit and every tile of labels. The cache is left out. Images stay where\n"
        "they are, and the copy finds them there; images inside the project are copied.\n\n"
        "The copy is a project like any other. Nothing is ever overwritten, and a failure leaves nothing behind.",
        "segstudio backup leaves.segstudio",
        "segstudio backup leaves.segstudio /media/disk/leaves-monday.segstudio",
    )
    parser.add_project()
    parser.add_argument(
        "dest",
        metavar="DEST",
        nargs="?",
        help=_("the copy, or a folder to put it in (NAME-YYYYMMDD-HHMMSS.segstudio beside the project)"),
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Make the backup."""
    from segstudio.tasks.keeping.backup import backup

    with opened(options.project, write=False) as project:
        made = shown(backup(project, None if options.dest is None else Path(options.dest)), _("step"))
    if options.json:
        report = {"backup": str(made.path), "bytes": made.size, "last_edit": int(made.seq), "tiles": made.tiles}
        say_json(report | {"waiting_edits": made.unsaved})
        return 0
    say(
        count(
            made.tiles,
            "{path}: {size:,.1f} MB up to edit {seq}; {n} tile compared.",
            "{path}: {size:,.1f} MB up to edit {seq}; {n} tiles compared.",
            path=made.path,
            size=made.size / 1_000_000,
            seq=made.seq,
        )
    )
    if made.unsaved:
        say(
            count(
                made.unsaved,
                "{n} edit is not in it: it has not been saved yet, because the project's disk refuses it.",
                "{n} edits are not in it: they have not been saved yet, because the project's disk refuses them.",
            )
        )
    return 0

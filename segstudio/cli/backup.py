"""`segstudio backup`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Copy a project with its models and runs, also while a window writes it, and check the copy: the database,\n"
        "the number of the last edit, every tile of labels. The cache is left out; images stay where they are, and\n"
        "the copy finds them there; images that are part of the project are copied.\n\n"
        "The copy is a project of its own, opened like any other. It never overwrites, and a failure leaves nothing.",
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
        made = shown(backup(project, None if options.dest is None else Path(options.dest)), "step")
    if options.json:
        report = {"backup": str(made.path), "bytes": made.size, "last_edit": int(made.seq), "tiles": made.tiles}
        say_json(report | {"waiting_edits": made.unsaved})
        return 0
    say(
        _(
            "{path}: {size:,.1f} MB up to edit {seq}; {tiles} tiles compared.",
            path=made.path,
            size=made.size / 1000000.0,
            seq=made.seq,
            tiles=made.tiles,
        )
    )
    if made.unsaved:
        edits = "1 edit is" if made.unsaved == 1 else f"{made.unsaved} edits are"
        say(_("{edits} not in it: not saved yet, since the project's disk refuses.", edits=edits))
    return 0

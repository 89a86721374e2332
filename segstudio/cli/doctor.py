"""`segstudio doctor`."""

from argparse import Namespace

from segstudio.cli.opening import place_of
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.table import COMMANDS
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Check this installation: versions, devices and, where there is no GPU, why; a test convolution; whether the\n"
        "embedded models load and give their stored output; SQLite and the file system; what is missing for what.\n"
        "Of a project: the drive it is on, its database, the digests of its tiles (for a minute), whether its images\n"
        "are there. Problems that stop the main job, and damage, make the exit code 1. Changes nothing.",
        "segstudio doctor",
        "segstudio doctor leaves.segstudio --json",
    )
    parser.add_argument(
        "project", metavar="PROJECT", nargs="?", help=_("look at this project too: drive, database, tiles, images")
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Look, and say what was found."""
    from segstudio.tasks.doctor import examine

    len(COMMANDS)  # commands that other packages add and that could not be taken in are among what is found
    found = examine(None if options.project is None else place_of(options.project))
    if options.json:
        say_json(found.as_json())
    else:
        say("\n".join(found.lines()))
    if found.stopped:
        complain(found.stopped[0] + (f" ({len(found.stopped) - 1} more problems)" if len(found.stopped) > 1 else ""))
        return 1
    return 0

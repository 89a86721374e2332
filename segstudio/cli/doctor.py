"""`segstudio doctor`."""

from argparse import Namespace

from segstudio.cli.opening import place_of
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.table import COMMANDS
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Check this installation: versions, devices and, without a GPU, the reason; a test convolution; whether the\n"
        "embedded models load and reproduce their stored output; SQLite and the file system; what is missing, and\n"
        "what needs it. Of a project, check its drive, its database, the digests of its tiles (for up to a minute),\n"
        "and whether its images are there. Damage and problems that stop the main job give exit code 1. Nothing is\n"
        "changed.",
        "segstudio doctor",
        "segstudio doctor leaves.segstudio --json",
    )
    parser.add_argument(
        "project", metavar="PROJECT", nargs="?", help=_("check this project too: drive, database, tiles, images")
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Check, and print what was found."""
    from segstudio.tasks.doctor import examine

    len(COMMANDS)  # load the commands of other packages: those that were left out are reported too
    found = examine(None if options.project is None else place_of(options.project))
    if options.json:
        say_json(found.as_json())
    else:
        say("\n".join(found.lines()))
    if found.stopped:
        more = len(found.stopped) - 1
        others = count(more, "There is {n} more problem.", "There are {n} more problems.") if more else ""
        complain(" ".join(filter(None, (found.stopped[0], others))))
        return 1
    return 0

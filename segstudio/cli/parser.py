"""The parser shared by all commands: one line for a usage error, help that keeps its paragraphs."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from segstudio.errors import UsageError
from segstudio.text import _

__all__ = ["CommandParser", "at_least", "checked", "positive"]


class CommandParser(argparse.ArgumentParser):
    """No abbreviations: a script that relies on one breaks when an option is added."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong, and exit with 2."""
        said = _("{program}: {message} (see '{program} --help')", program=self.prog, message=message)
        self.exit(2, f"{said}\n")

    def describe(self, description: str, *examples: str, more: str = "") -> None:
        """Set the text above the options, which is translated here, and the examples below them.

        `more` goes below the text and comes translated.
        """
        self.description = "\n\n".join(filter(None, (_(description), more)))
        if examples:
            self.epilog = "\n".join((_("examples:"), *(f"  {example}" for example in examples)))

    def add_project(self) -> None:
        """Add the project, the first argument of most commands."""
        self.add_argument("project", metavar="PROJECT", help=_("the folder NAME.segstudio"))

    def add_map(self) -> None:
        """Add `--map KEY=CLASS,...`, given any number of times, and `--pattern`."""
        self.add_argument(
            "--map",
            metavar="KEY=CLASS,...",
            action="append",
            default=[],
            help=_(
                "the class that a key stands for; KEY is a value, a range (0-127), a colour (#RRGGBB, which also reads "
                "colour pictures as masks) or a name in a file of annotations; without a class: unknown"
            ),
        )
        self.add_argument(
            "--pattern",
            metavar="PATTERN",
            help=_("how masks are named after their image: '{stem}_mask', '{stem}/mask' (default: like the image)"),
        )

    def add_json(self) -> None:
        """Add `--json`."""
        self.add_argument("--json", action="store_true", help=_("print one JSON object on standard output"))


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)


def checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type for an option whose `UsageError` is shown like an error of the parser itself."""

    def convert_or_say(text: str) -> Any:
        try:
            return convert(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(error.line) from error

    return convert_or_say


def positive(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(_("'{text}' is not a number above 0", text=text))
    return value


def at_least(lowest: int) -> Callable[[str], int]:
    """A whole number that is not below `lowest`."""

    def convert(text: str) -> int:
        if not text.strip().lstrip("-").isdigit() or int(text) < lowest:
            raise argparse.ArgumentTypeError(
                _("'{text}' is not a whole number of at least {lowest}", text=text, lowest=lowest)
            )
        return int(text)

    return convert

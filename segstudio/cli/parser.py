"""The parser that every command shares: one line for a usage error, help that keeps its paragraphs."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from segstudio.errors import UsageError
from segstudio.text import _

__all__ = ["CommandParser", "at_least", "checked", "positive"]


class CommandParser(argparse.ArgumentParser):
    """No abbreviations: a script that leans on one breaks when an option is added."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong, and end with 2."""
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help says more)\n")

    def describe(self, description: str, *examples: str) -> None:
        """Set the text above the options, and examples below them."""
        self.description = _(description)
        if examples:
            self.epilog = _("examples:") + "\n" + "\n".join(f"  {example}" for example in examples)

    def add_project(self) -> None:
        """The project, the first argument of most commands."""
        self.add_argument("project", metavar="PROJECT", help=_("the folder NAME.segstudio"))

    def add_map(self) -> None:
        """Add `--map KEY=CLASS,...`, given any number of times, and `--pattern`."""
        self.add_argument(
            "--map",
            metavar="KEY=CLASS,...",
            action="append",
            default=[],
            help=_(
                "the class that a key means: a value, a range (0-127), a colour (#RRGGBB, which makes masks of "
                "colour pictures too), or a name that a file of annotations uses; without a class: unknown"
            ),
        )
        self.add_argument(
            "--pattern",
            metavar="PATTERN",
            help=_("how masks are called after their image: '{stem}_mask', '{stem}/mask' (like the image)"),
        )

    def add_json(self) -> None:
        """`--json`."""
        self.add_argument("--json", action="store_true", help=_("print one JSON object on standard output"))


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)


def checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type for an option whose `UsageError` is shown as the parser shows its own."""

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
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0")
    return value


def at_least(lowest: int) -> Callable[[str], int]:
    """A whole number that is not below `lowest`."""

    def convert(text: str) -> int:
        if not text.strip().lstrip("-").isdigit() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {lowest} on")
        return int(text)

    return convert

"""The table of commands, each listed once: help, the overview and the parser are made from it.

A command is a module with `arguments` and `run`, imported when the command is given. Another package adds one through
an entry point of the group `segstudio.commands` that names a `Command`.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from segstudio.cli.parser import CommandParser
from segstudio.registry import Registry, named
from segstudio.text import N_, _

__all__ = ["COMMANDS", "Command", "CommandModule", "is_command"]


class CommandModule(Protocol):
    """What the module of a command offers."""

    def arguments(self, parser: CommandParser) -> None:
        """Describe the command and its options."""
        ...

    def run(self, options: object) -> int:
        """Run the command; the exit code. Raises `UserError`."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word, the dotted name of its module, and a short summary, translated when it is shown."""

    name: str
    module: str
    summary: str

    def load(self) -> CommandModule:
        """The module, imported when first needed."""
        return cast(CommandModule, import_module(self.module))


def _own(name: str, summary: str, module: str = "") -> Command:
    return Command(name, f"segstudio.cli.{module or name}", summary)


_TABLE = (
    _own("new", N_("make a project from images")),
    _own("add", N_("add images to a project")),
    _own("remove", N_("take images out of a project, keeping files and labels")),
    _own("import", N_("read masks or annotations into a project, as labels or as proposals"), "import_"),
    _own("classes", N_("list the classes of a project, or add, rename, recolour, merge and remove them")),
    _own("train", N_("fine-tune the network on the labels")),
    _own("predict", N_("propose masks for images")),
    _own("accept", N_("turn proposals into labels, and mark images done")),
    _own("export", N_("write labels to files, read them back and compare")),
    _own("formats", N_("list the formats for import and export")),
    _own("evaluate", N_("compare proposals or labels with true masks")),
    _own("lint", N_("find specks, pinholes and other faults in the labels, and mend them")),
    _own("info", N_("show what a project holds")),
    _own("snapshot", N_("keep, list and restore named states of a project")),
    _own("backup", N_("copy a project, even while a window is writing to it, and check the copy")),
    _own("compact", N_("make a project smaller by forgetting how labels were painted long ago")),
    _own("merge", N_("make one project from two, and list where they differ")),
    _own("compare", N_("show how far two people's labels agree, and where")),
    _own("repair", N_("salvage a damaged project into a new one")),
    _own("relink", N_("find images that were moved or renamed")),
    _own("doctor", N_("check this installation, or a project: devices, models, damage, missing parts")),
)

_WORD = re.compile("[a-z][a-z0-9-]*")


def _refusal(name: str, row: object) -> str:
    return named(Command)(name, row) or (
        "" if _WORD.fullmatch(name) else _("a command is a word of lower-case letters")
    )


COMMANDS: Registry[Command] = Registry("commands", {command.name: command for command in _TABLE}, _refusal)


def is_command(word: str) -> bool:
    """Whether a word of the command line is a command. Other packages are not searched when it is a path."""
    return _WORD.fullmatch(word) is not None and word in COMMANDS

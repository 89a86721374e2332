"""The table of commands, each listed once: help, the overview and the parser come from it.

A command is a module with `arguments` and `run`, imported when the command is given. Another package adds one by an
entry point of the group `segstudio.commands` that names a `Command`.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from segstudio.cli.parser import CommandParser
from segstudio.registry import Registry, named

__all__ = ["COMMANDS", "Command", "CommandModule", "is_command"]


class CommandModule(Protocol):
    """What the module of a command offers."""

    def arguments(self, parser: CommandParser) -> None:
        """Describe the command and its options."""
        ...

    def run(self, options: object) -> int:
        """Do it; the exit code. Raises `UserError`."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word, the dotted name of its module, and what it does in a few words."""

    name: str
    module: str
    summary: str

    def load(self) -> CommandModule:
        """The module, imported when it is first needed."""
        return cast(CommandModule, import_module(self.module))


def _own(name: str, summary: str, module: str = "") -> Command:
    return Command(name, f"segstudio.cli.{module or name}", summary)


_TABLE = (
    _own("new", "make a project of images"),
    _own("add", "add images to a project"),
    _own("remove", "take images out of a project, keeping files and labels"),
    _own("import", "read masks or annotations into a project, as labels or as proposals", "import_"),
    _own("classes", "list the classes of a project, or add, rename, recolour, merge and remove them"),
    _own("train", "fine-tune the network on the labels"),
    _own("predict", "propose masks for images"),
    _own("accept", "turn proposals into labels, and mark images done"),
    _own("export", "write labels to files, read them back and compare"),
    _own("formats", "list what labels are imported from and exported to"),
    _own("evaluate", "compare proposals or labels with true masks"),
    _own("info", "say what a project holds"),
    _own("snapshot", "keep, list and restore named states of a project"),
    _own("backup", "copy a project, also beside a window that writes, and check the copy"),
    _own("compact", "make a project smaller by forgetting how labels were painted long ago"),
    _own("merge", "make one project of two, and list where they differ"),
    _own("compare", "say how far two people's labels agree, and where"),
    _own("repair", "salvage a damaged project into a new one"),
    _own("relink", "find images that were moved or renamed"),
    _own("doctor", "check this installation, or a project: devices, models, damage, what is missing"),
)

_WORD = re.compile("[a-z][a-z0-9-]*")


def _refusal(name: str, row: object) -> str:
    return named(Command)(name, row) or ("" if _WORD.fullmatch(name) else "a command is a word of small letters")


COMMANDS: Registry[Command] = Registry("commands", {command.name: command for command in _TABLE}, _refusal)


def is_command(word: str) -> bool:
    """Whether a word of the command line is a command. Other packages are not looked up for a path."""
    return _WORD.fullmatch(word) is not None and word in COMMANDS

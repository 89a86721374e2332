"""`segstudio classes`."""

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.text import _, count

__all__ = ["arguments", "run"]


class _InOrder(Action):
    """Keeps options of several kinds in the order in which they were written: (option, text)."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option: str | None = None,
    ) -> None:
        name = self.option_strings[0].removeprefix("--")
        namespace.changes = [*(namespace.changes or []), (name, str(values))]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "List the classes of a project, or change them. Options are applied in the order given, all in one edit\n"
        "that can be undone; if one of them is not possible, none is applied. Classes are never deleted: one that\n"
        "is removed or merged keeps its value and its pixels, which then count as unknown or as the other class.",
        "segstudio classes leaves.segstudio",
        "segstudio classes leaves.segstudio --add 'dead leaf:#D55E00' --add stem::instance --rename object=leaf",
        "segstudio classes leaves.segstudio --colour leaf=#009E73 --merge 'old leaf=leaf' --remove debris",
    )
    parser.add_project()
    options = (
        (
            ("--add",),
            "NAME[:#RRGGBB[:KIND]]",
            _("add a class at the end of the list; KIND: semantic (default), instance, ignore"),
        ),
        (("--rename",), "OLD=NEW", _("change its name")),
        (("--colour", "--color"), "NAME=#RRGGBB", _("change its colour")),
        (("--kind",), "NAME=KIND", _("change its kind, while no pixel has the class")),
        (("--merge",), "OLD=NEW", _("count OLD as NEW from now on")),
        (("--remove",), "NAME", _("take a class out of use")),
    )
    for names, metavar, text in options:
        parser.add_argument(*names, dest="changes", metavar=metavar, action=_InOrder, help=text)
    parser.add_json()


def run(options: Namespace) -> int:
    """List, or change and list."""
    from segstudio.tasks.labels.classes import change_classes, listed_classes, parsed_change

    changes = [parsed_change(name, text) for name, text in options.changes or []]
    with opened(options.project, write=bool(changes)) as project:
        report = change_classes(project, changes) if changes else listed_classes(project)
    if options.json:
        say_json(
            {
                "classes": [
                    {
                        "name": c.name,
                        "color": c.color,
                        "kind": c.kind,
                        "value": c.value,
                        "pixels": report.pixels.get(c.id, 0),
                    }
                    for c in report.classes
                ],
                "changed": report.changed,
                "last_edit": report.last_edit,
            }
        )
        return 0
    for c in report.classes:
        say(
            count(
                report.pixels.get(c.id, 0),
                "class {value}: {name} ({kind}, {color}), {n} pixel",
                "class {value}: {name} ({kind}, {color}), {n} pixels",
                value=c.value,
                name=c.name,
                kind=c.kind,
                color=c.color,
            )
        )
    if changes and not report.changed:
        say(_("Nothing was changed: the classes are already like that."))
    return 0

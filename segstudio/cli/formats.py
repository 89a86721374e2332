"""`segstudio formats`."""

from argparse import Namespace

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.formats.table import FORMATS, Holds
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "List the formats for import and export. With --json, kinds says what survives writing and reading back:\n"
        "classes, objects, unknown pixels.",
        "segstudio formats",
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """List them."""
    rows = [
        {
            "name": form.name,
            "title": form.title,
            "import": form.imports,
            "export": form.exports,
            "kinds": [str(kind) for kind in Holds if kind in form.holds],
            "extensions": list(form.extensions),
        }
        for form in FORMATS.rows
    ]
    if options.json:
        say_json(rows)
        return 0
    width = max(map(len, FORMATS))
    for form in FORMATS.rows:
        both = form.imports and form.exports
        one = _("import") if form.imports else _("export")
        ways = _("import and export") if both else one
        line = _("{title}: {ways}; lost: {losses}", title=_(form.title), ways=ways, losses=_(form.losses))
        say(f"{form.name:<{width}}  {line}")
    return 0

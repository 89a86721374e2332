"""`segstudio formats`."""

from argparse import Namespace

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.formats.table import FORMATS, Holds

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "List the formats that labels are exported to and imported from. With --json kinds are what of the labels is\n"
        "there again after writing and reading: classes, objects, unknown pixels.",
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
        ways = " and ".join(word for word, way in (("import", form.imports), ("export", form.exports)) if way)
        say(f"{form.name:<{width}}  {form.title}: {ways}; lost are: {form.losses}")
    return 0

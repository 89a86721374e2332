"""`segstudio relink`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.errors import UserError

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Find images that were moved or renamed, below a folder: by relative path, by name, by content. Only\n"
        "a file with the content that was labelled counts. Images that are where the project knows them stay so.",
        "segstudio relink leaves.segstudio /data/leaves-2026",
    )
    parser.add_project()
    parser.add_argument("folder", metavar="FOLDER", help="where to look, with all folders below")
    parser.add_json()


def run(options: Namespace) -> int:
    """Look, and write where they are."""
    from segstudio.tasks.images.relink import relink

    with opened(options.project, write=True) as project:
        report = shown(relink(project, Path(options.folder)), "image")
    if report.missing and not report.found:
        other = f" ({len(report.different)} files of these names hold another content)" if report.different else ""
        raise UserError(
            f"None of the {len(report.missing)} missing images is in {report.folder}{other}; the first is "
            f"'{report.missing[0]}'."
        )
    if options.json:
        say_json({"found": len(report.found), "missing": list(report.missing), "different": list(report.different)})
        return 0
    if not report.found:
        say("No image is missing.")
        return 0
    say(f"{len(report.found)} images found, {len(report.missing)} still missing.")
    for path in report.missing:
        say(f"missing: {path}")
    return 0

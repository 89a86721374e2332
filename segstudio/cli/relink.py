"""`segstudio relink`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.errors import UserError
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Find images that were moved or renamed, below a folder: by relative path, by name, by content. Only\n"
        "a file with the content that was labelled counts. Images that are where the project knows them stay so.",
        "segstudio relink leaves.segstudio /data/leaves-2026",
    )
    parser.add_project()
    parser.add_argument("folder", metavar="FOLDER", help=_("where to look, with all folders below"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Look, and write where they are."""
    from segstudio.tasks.images.relink import relink

    with opened(options.project, write=True) as project:
        report = shown(relink(project, Path(options.folder)), "image")
    if report.missing and not report.found:
        other = f" ({len(report.different)} files of these names hold another content)" if report.different else ""
        raise UserError(
            _(
                "None of the {n} missing images is in {folder}{other}; the first is '{missing}'.",
                n=len(report.missing),
                folder=report.folder,
                other=other,
                missing=report.missing[0],
            )
        )
    if options.json:
        say_json({"found": len(report.found), "missing": list(report.missing), "different": list(report.different)})
        return 0
    if not report.found:
        say(_("No image is missing."))
        return 0
    say(_("{n} images found, {n2} still missing.", n=len(report.found), n2=len(report.missing)))
    for path in report.missing:
        say(_("missing: {path}", path=path))
    return 0

"""`segstudio relink`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.errors import UserError
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Find images that were moved or renamed, below a folder: by relative path, by name, by content. Only a file\n"
        "with the content that was labelled counts. Images that are still where the project expects them stay as\n"
        "they are.",
        "segstudio relink leaves.segstudio /data/leaves-2026",
    )
    parser.add_project()
    parser.add_argument("folder", metavar="FOLDER", help=_("where to look, including all folders below"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Search, and store where they are."""
    from segstudio.tasks.images.relink import relink

    with opened(options.project, write=True) as project:
        report = shown(relink(project, Path(options.folder)), _("image"))
    if report.missing and not report.found:
        nowhere = count(
            len(report.missing),
            "The missing image '{first}' is not in {folder}.",
            "None of the {n} missing images is in {folder}; the first is '{first}'.",
            folder=report.folder,
            first=report.missing[0],
        )
        different = (
            count(
                len(report.different),
                "{n} file of that name has different content.",
                "{n} files of these names have different content.",
            )
            if report.different
            else ""
        )
        raise UserError(" ".join(filter(None, (nowhere, different))))
    if options.json:
        say_json({"found": len(report.found), "missing": list(report.missing), "different": list(report.different)})
        return 0
    if not report.found:
        say(_("No image is missing."))
        return 0
    say(
        count(
            len(report.found),
            "{n} image found, {missing} still missing.",
            "{n} images found, {missing} still missing.",
            missing=len(report.missing),
        )
    )
    for path in report.missing:
        say(_("missing: {path}", path=path))
    return 0

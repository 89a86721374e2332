"""`segstudio import`."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json, say_skipped
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import FORMATS, readable
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.tasks.labels.import_masks import ImportReport
    from segstudio.tasks.labels.import_preview import ImportPreview

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    formats = "\n".join(
        fill(_("{name}: {about}", name=f.name, about=_(f.about)), 110) for f in FORMATS.rows if f.imports
    )
    parser.describe(
        "Read masks, or a file of annotations, into a project. Known pixels replace what is there; unknown ones\n"
        "leave it alone. Everything is checked before anything is written, and one undo takes the whole import\n"
        "back.",
        "segstudio import leaves.segstudio --format png masks --status done",
        "segstudio import leaves.segstudio --format png masks --map 0-127=soil,200=crack,255=unsure,9= --new-classes",
        "segstudio import leaves.segstudio --format png masks --map '#FF0000=crack' --pattern '{stem}_mask'",
        "segstudio import leaves.segstudio instances.json --new-classes --dry-run",
        more=formats,
    )
    parser.add_project()
    parser.add_argument(
        "--format",
        default="",
        choices=readable(),
        help=_("the format (by default that of the file's ending, or of the masks in the folder)"),
    )
    parser.add_argument("path", metavar="PATH", help=_("a folder of masks, one mask, or a file of annotations"))
    parser.add_argument(
        "--as",
        dest="target",
        choices=("labels", "proposals"),
        default="labels",
        help=_("import them as labels or as proposals (labels)"),
    )
    parser.add_map()
    parser.add_argument(
        "--new-classes",
        action="store_true",
        help=_("make classes that the project does not have: those in --map, and those named in the file"),
    )
    parser.add_argument(
        "--status",
        choices=("done", "in-progress"),
        help=_("the status of the images that receive labels (in-progress); nothing is filled in"),
    )
    parser.add_argument("--dry-run", action="store_true", help=_("say what would be imported, and import nothing"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Import, or say what would be imported."""
    from segstudio.errors import UsageError
    from segstudio.formats.naming import StemPattern
    from segstudio.labels.model import Status
    from segstudio.tasks.labels.import_masks import Target, import_masks
    from segstudio.tasks.labels.import_preview import preview_import
    from segstudio.tasks.labels.mask_map import parsed_map

    mapping = parsed_map(options.map)
    if options.status and options.target == Target.PROPOSALS:
        raise UsageError(_("--status applies to labels only: proposals leave an image's status as it is."))
    pattern = None if options.pattern is None else StemPattern(options.pattern)
    what = options.format, Path(options.path)
    with opened(options.project, write=not options.dry_run) as project:
        if options.dry_run:
            preview = preview_import(project, *what, mapping=mapping, new_classes=options.new_classes, pattern=pattern)
            _say_preview(shown(preview, _("image")), json=options.json)
            return 0
        task = import_masks(
            project,
            *what,
            target=Target(options.target),
            mapping=mapping,
            new_classes=options.new_classes,
            pattern=pattern,
            status=Status(options.status or Status.IN_PROGRESS),
        )
        report = shown(task, _("image"))
    if options.json:
        if report.binary:
            complain(_binary_note(report))
        say_json(
            {
                "images": report.images,
                "masks": report.masks,
                "pixels": report.pixels,
                "skipped": list(report.skipped),
                "unread": list(report.unread),
                "as": options.target,
                "binary": list(report.binary),
                "reopened": list(report.reopened),
                "new_classes": list(report.new_classes),
            }
            | ({"annotations": report.annotations, "notes": list(report.notes)} if report.annotations else {})
        )
        return 0
    _say_for_people(report, options.target)
    return 0


def _say_preview(preview: "ImportPreview", *, json: bool) -> None:
    if json:
        say_json(
            {
                "images": [asdict(plane) for plane in preview.planes],
                "unmatched": list(preview.skipped),
                "new_classes": list(preview.new_classes),
                "notes": list(preview.notes),
                "binary": list(preview.binary),
            }
        )
        return
    for plane in preview.planes:
        found = {
            "path": plane.path,
            "objects": count(plane.objects, "{n} object", "{n} objects"),
            "pixels": count(plane.pixels, "{n} known pixel", "{n} known pixels"),
            "source": plane.source,
        }
        if plane.overwrites:
            over = count(plane.overwrites, "{n} labelled pixel", "{n} labelled pixels")
            say(_("{path}: {objects}, {pixels} from {source}, overwriting {over}", over=over, **found))
        else:
            say(_("{path}: {objects}, {pixels} from {source}", **found))
    if preview.new_classes:
        say(_("New classes: {new_classes}.", new_classes=", ".join(preview.new_classes)))
    if preview.binary:
        say(_binary_note(preview))
    for sentence in preview.notes:
        say(_("note: {sentence}", sentence=sentence))
    say_skipped(preview.skipped, preview.unread)
    say(_("Nothing was imported: this was a dry run."))


def _binary_note(report: "ImportReport | ImportPreview") -> str:
    return count(
        len(report.binary),
        "note: {n} mask holds only 0 and {value} ({first}). Here {value} means unknown; if it is your object, import "
        "again with --map {value}=CLASS.",
        "note: {n} masks hold only 0 and {value} (the first is {first}). Here {value} means unknown; if it is your "
        "object, import again with --map {value}=CLASS.",
        value=report.binary_value,
        first=report.binary[0],
    )


def _say_for_people(report: "ImportReport", target: str) -> None:
    from segstudio.tasks.labels.import_words import imported_words

    say(imported_words(report))
    if report.new_classes:
        say(_("New classes: {new_classes}.", new_classes=", ".join(report.new_classes)))
    if report.binary:
        say(_binary_note(report))
    for sentence in report.notes:
        say(_("note: {sentence}", sentence=sentence))
    if report.reopened:
        say(
            count(
                len(report.reopened),
                "note: {n} image that was done is in progress again ({first}); --status done keeps the mark.",
                "note: {n} images that were done are in progress again (the first is {first}); --status done keeps "
                "the mark.",
                first=report.reopened[0],
            )
        )
    say_skipped(report.skipped, report.unread)

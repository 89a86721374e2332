"""`segstudio import`."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, counted, say, say_json, say_skipped
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
    formats = "\n".join(fill(f"{f.name}: {f.about}", 110) for f in FORMATS.rows if f.imports)
    parser.describe(
        "Read masks, or a file of annotations, into a project. Known pixels replace what is there, unknown ones leave\n"
        "it. Everything is checked before the first is taken in, and undo takes the whole import back.\n\n" + formats,
        "segstudio import leaves.segstudio --format png masks --status done",
        "segstudio import leaves.segstudio --format png masks --map 0-127=soil,200=crack,255=unsure,9= --new-classes",
        "segstudio import leaves.segstudio --format png masks --map '#FF0000=crack' --pattern '{stem}_mask'",
        "segstudio import leaves.segstudio instances.json --new-classes --dry-run",
    )
    parser.add_project()
    parser.add_argument(
        "--format", default="", choices=readable(), help=_("the format (by default that of the ending, else png)")
    )
    parser.add_argument("path", metavar="PATH", help=_("a folder of masks, one mask, or a file of annotations"))
    parser.add_argument(
        "--as", dest="target", choices=("labels", "proposals"), default="labels", help=_("what they become (labels)")
    )
    parser.add_map()
    parser.add_argument(
        "--new-classes",
        action="store_true",
        help=_("make the classes that the project lacks: those of --map, and those that the file names"),
    )
    parser.add_argument(
        "--status",
        choices=("done", "in-progress"),
        help=_("the status of the images that get labels (in-progress); nothing is filled in"),
    )
    parser.add_argument("--dry-run", action="store_true", help=_("say what would be imported, and import nothing"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Import, or say what would be."""
    from segstudio.errors import UsageError
    from segstudio.formats.naming import StemPattern
    from segstudio.labels.model import Status
    from segstudio.tasks.labels.import_masks import Target, import_masks
    from segstudio.tasks.labels.import_preview import preview_import
    from segstudio.tasks.labels.mask_map import parsed_map

    mapping = parsed_map(options.map)
    if options.status and options.target == Target.PROPOSALS:
        raise UsageError(_("--status is of labels; proposals leave an image's status as it is."))
    pattern = None if options.pattern is None else StemPattern(options.pattern)
    what = options.format, Path(options.path)
    with opened(options.project, write=not options.dry_run) as project:
        if options.dry_run:
            preview = preview_import(project, *what, mapping=mapping, new_classes=options.new_classes, pattern=pattern)
            _say_preview(shown(preview, "image"), json=options.json)
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
        report = shown(task, "image")
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
            }
        )
        return
    for plane in preview.planes:
        objects, pixels = (
            count(plane.objects, "{n} object", "{n} objects"),
            count(plane.pixels, "{n} known pixel", "{n} known pixels"),
        )
        over = f", {counted(plane.overwrites, 'labelled pixel')} written over" if plane.overwrites else ""
        say(
            _(
                "{path}: {objects}, {pixels} from {source}{over}",
                path=plane.path,
                objects=objects,
                pixels=pixels,
                source=plane.source,
                over=over,
            )
        )
    if preview.new_classes:
        say(_("New classes: {new_classes}.", new_classes=", ".join(preview.new_classes)))
    for sentence in preview.notes:
        say(_("note: {sentence}", sentence=sentence))
    say_skipped(preview.skipped, preview.unread)
    say(_("Nothing was imported: this was a dry run."))


def _binary_note(report: "ImportReport") -> str:
    masks, value = count(len(report.binary), "{n} mask", "{n} masks"), report.binary_value
    return (
        f"note: {masks} of nothing but 0 and {value} (the first is {report.binary[0]}). Here {value} means unknown; "
        f"if it is your object, import again with --map {value}=CLASS."
    )


def _say_for_people(report: "ImportReport", target: str) -> None:
    what = (
        count(report.annotations, "{n} annotation", "{n} annotations")
        if report.annotations
        else count(report.masks, "{n} mask", "{n} masks")
    )
    images, pixels = (
        count(report.images, "{n} image", "{n} images"),
        count(report.pixels, "{n} known pixel", "{n} known pixels"),
    )
    say(_("{what} of {images} imported as {target}: {pixels}.", what=what, images=images, target=target, pixels=pixels))
    if report.new_classes:
        say(_("New classes: {new_classes}.", new_classes=", ".join(report.new_classes)))
    if report.binary:
        say(_binary_note(report))
    for sentence in report.notes:
        say(_("note: {sentence}", sentence=sentence))
    if report.reopened:
        images = count(len(report.reopened), "{n} image", "{n} images")
        say(
            _(
                "note: in progress again, though done before: {images} (the first is {reopened}); --status "
                "done keeps the mark.",
                images=images,
                reopened=report.reopened[0],
            )
        )
    say_skipped(report.skipped, report.unread)

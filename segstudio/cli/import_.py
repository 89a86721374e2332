"""`segstudio import`."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, counted, say, say_json, say_skipped
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import readable

if TYPE_CHECKING:
    from segstudio.tasks.labels.import_masks import ImportReport

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Read masks into a project. Known pixels replace what is there, unknown ones leave it; in an instance class\n"
        "each 8-connected component becomes an object.\n\n"
        "png: 8- or 16-bit grey or palette PNG whose pixels are class values (background 0, the others 1, 2, 3 ... in\n"
        "the order they were made), 255 = unknown; matched to images by path and stem, also where masks and images\n"
        "lie in parallel folders (train/masks, train/images). All masks are checked before the first is taken in. A\n"
        "mask without an image is named and skipped.",
        "segstudio import leaves.segstudio --format png masks --status done",
        "segstudio import leaves.segstudio --format png masks --map 0-127=soil,200=crack,255=unsure,9= --new-classes",
        "segstudio import leaves.segstudio --format png masks --map '#FF0000=crack' --pattern '{stem}_mask'",
    )
    parser.add_project()
    parser.add_argument("--format", required=True, choices=readable(), help="the format of the masks")
    parser.add_argument("path", metavar="PATH", help="a folder of masks, or one mask")
    parser.add_argument(
        "--as", dest="target", choices=("labels", "proposals"), default="labels", help="what they become (labels)"
    )
    parser.add_map()
    parser.add_argument(
        "--new-classes",
        action="store_true",
        help="make the classes of --map that the project lacks",
    )
    parser.add_argument(
        "--status",
        choices=("done", "in-progress"),
        help="the status of the images that get labels (in-progress); nothing is filled in",
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Import the masks."""
    from segstudio.errors import UsageError
    from segstudio.formats.naming import StemPattern
    from segstudio.labels.model import Status
    from segstudio.tasks.labels.import_masks import Target, import_masks
    from segstudio.tasks.labels.mask_map import parsed_map

    mapping = parsed_map(options.map)
    if options.status and options.target == Target.PROPOSALS:
        raise UsageError("--status is of labels; proposals leave an image's status as it is.")
    pattern = None if options.pattern is None else StemPattern(options.pattern)
    with opened(options.project, write=True) as project:
        task = import_masks(
            project,
            options.format,
            Path(options.path),
            target=Target(options.target),
            mapping=mapping,
            new_classes=options.new_classes,
            pattern=pattern,
            status=Status(options.status or Status.IN_PROGRESS),
        )
        report = shown(task, "mask")
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
        )
        return 0
    _say_for_people(report, options.target)
    return 0


def _binary_note(report: "ImportReport") -> str:
    masks, value = counted(len(report.binary), "mask"), report.binary_value
    return (
        f"note: {masks} of nothing but 0 and {value} (the first is {report.binary[0]}). Here {value} means unknown; "
        f"if it is your object, import again with --map {value}=CLASS."
    )


def _say_for_people(report: "ImportReport", target: str) -> None:
    masks, images = counted(report.masks, "mask"), counted(report.images, "image")
    say(f"{masks} of {images} imported as {target}: {counted(report.pixels, 'known pixel')}.")
    if report.new_classes:
        say(f"New classes: {', '.join(report.new_classes)}.")
    if report.binary:
        say(_binary_note(report))
    if report.reopened:
        images = counted(len(report.reopened), "image")
        say(
            f"note: in progress again, though done before: {images} (the first is {report.reopened[0]}); --status done "
            "keeps the mark."
        )
    say_skipped(report.skipped, report.unread)

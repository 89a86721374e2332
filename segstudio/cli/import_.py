"""`segstudio import`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import counted, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import readable

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Read masks into a project. Known pixels replace what is there, unknown ones leave it; in an instance class\n"
        "each 8-connected component becomes an object.\n\n"
        "png: 8- or 16-bit grey or palette PNG whose pixels are class values (background 0, the others 1, 2, 3 ... in\n"
        "the order they were made), 255 = unknown; matched to images by path and stem. All masks are checked before\n"
        "the first is taken in. A mask without an image is named and skipped.",
        "segstudio import leaves.segstudio --format png masks --status done",
        "segstudio import leaves.segstudio --format png masks --map 0=soil,7=crack,255=unsure,9=",
    )
    parser.add_project()
    parser.add_argument("--format", required=True, choices=readable(), help="the format of the masks")
    parser.add_argument("path", metavar="PATH", help="a folder of masks, or one mask")
    parser.add_argument(
        "--as", dest="target", choices=("labels", "proposals"), default="labels", help="what they become (labels)"
    )
    parser.add_map()
    parser.add_argument(
        "--status",
        choices=("done", "in-progress"),
        help="the status of the images that get labels (in-progress); nothing is filled in",
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Import the masks."""
    from segstudio.errors import UsageError
    from segstudio.labels.model import Status
    from segstudio.tasks.import_masks import Target, import_masks
    from segstudio.tasks.masks import parsed_map

    mapping = parsed_map(options.map)
    if options.status and options.target == Target.PROPOSALS:
        raise UsageError("--status is of labels; proposals leave an image's status as it is.")
    status = Status(options.status or Status.IN_PROGRESS)
    with opened(options.project, write=True) as project:
        task = import_masks(
            project, options.format, Path(options.path), target=Target(options.target), mapping=mapping, status=status
        )
        report = shown(task, "mask")
    if options.json:
        say_json(
            {
                "images": report.images,
                "masks": report.masks,
                "pixels": report.pixels,
                "skipped": list(report.skipped),
                "as": options.target,
                "binary": list(report.binary),
                "reopened": list(report.reopened),
            }
        )
        return 0
    masks, images = counted(report.masks, "mask"), counted(report.images, "image")
    say(f"{masks} of {images} imported as {options.target}: {counted(report.pixels, 'known pixel')}.")
    if report.binary:
        masks = counted(len(report.binary), "mask")
        say(
            f"note: {masks} of nothing but 0 and 255 (the first is {report.binary[0]}). Here 255 means unknown; "
            "if it is your object, import again with --map 255=CLASS."
        )
    if report.reopened:
        images = counted(len(report.reopened), "image")
        say(
            f"note: in progress again, though done before: {images} (the first is {report.reopened[0]}); --status done "
            "keeps the mark."
        )
    for name in report.skipped:
        say(f"skipped {name}: it belongs to no image of the project, or to several alike.")
    return 0

"""`segstudio new`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a project of images. Only headers are read, and the images stay where they are.\n\n"
        "A named file that cannot be read is refused with its name, and no folder stays behind. A folder or glob\n"
        "skips what is no image and says how many; projects and masks exported by SegStudio are skipped as well,\n"
        "and so are folders below it that look like masks of the images ('masks', 'labels' ...); name one to take it.\n"
        "A folder is a root: paths are relative to it. For files and globs their deepest common folder is.",
        "segstudio new leaves.segstudio --images photos --class leaf --class symptom:#D55E00",
        "segstudio new cells.segstudio --images 'scans/*.tif' --class nucleus::instance --class debris::ignore",
    )
    parser.add_argument("project", metavar="PROJECT", help="the folder NAME.segstudio to make")
    parser.add_argument(
        "--images",
        metavar="PATH",
        nargs="+",
        action="extend",
        required=True,
        help="files, folders (with all below) and globs",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="NAME[:#RRGGBB[:KIND]]",
        action="append",
        default=[],
        help="a class, in the order of the list; KIND is semantic (default), instance, background or ignore, and an "
        "empty field is its default (without --class: background and one semantic class 'object')",
    )
    parser.add_argument("--copy", action="store_true", help="take the image files into the project")
    parser.add_json()


def run(options: Namespace) -> int:
    """Make the project."""
    from segstudio.tasks.new import new_project

    task = new_project(Path(options.project), options.images, options.classes, copy_files=options.copy)
    report = shown(task, "file")
    if options.json:
        say_json(
            {
                "project": str(report.path),
                "images": report.images,
                "skipped": report.skipped,
                "own_masks_skipped": report.own_masks,
                "mask_folders_skipped": [{"folder": str(f.folder), "files": f.files} for f in report.mask_folders],
                "classes": [
                    {"name": c.name, "color": c.color, "kind": c.kind, "value": c.value} for c in report.classes
                ],
            }
        )
        return 0
    say(f"{report.path}: {report.images} images, classes {', '.join(c.name for c in report.classes)}.")
    if report.skipped:
        say(f"{report.skipped} files are no image and were skipped.")
    if report.own_masks:
        say(f"{report.own_masks} masks exported by SegStudio were skipped.")
    for masks in report.mask_folders:
        say(
            f"{masks.files} files in '{masks.folder}' look like masks of these images and were skipped. To label them "
            f"as images, name that folder too; to take them as labels, import them."
        )
    say(f"Next: 'segstudio {report.path}' opens it; 'segstudio import' reads masks that you have.")
    return 0

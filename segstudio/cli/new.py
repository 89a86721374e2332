"""`segstudio new`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a project from images. Only headers are read, and the images stay where they are.\n\n"
        "If a named file cannot be read, the error names it and no folder is left behind. In a folder or glob,\n"
        "files that are not images are skipped and named with the reason. Hidden files, projects and masks exported\n"
        "by SegStudio are passed over, and so are masks of the images: folders of them ('masks', 'labels' ...) and\n"
        "p1.png beside p1.jpg; name one to take it. Within a folder or glob the order is natural: img_2 before\n"
        "img_10. Paths are relative to the folder given or, for files and globs, to the deepest folder they share.",
        "segstudio new leaves.segstudio --images photos --class leaf --class symptom:#D55E00",
        "segstudio new cells.segstudio --images 'scans/*.tif' --class nucleus::instance --class debris::ignore",
        "segstudio new wells.segstudio --images plate --combine '{name}_{c}.tif' --dry-run",
    )
    parser.add_argument("project", metavar="PROJECT", help=_("the folder NAME.segstudio to make"))
    parser.add_argument(
        "--images",
        metavar="PATH",
        nargs="+",
        action="extend",
        required=True,
        help=_("files, folders (with everything below) and globs"),
    )
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="NAME[:#RRGGBB[:KIND]]",
        action="append",
        default=[],
        help=_(
            "a class, in the order of the list; KIND is semantic (default), instance, background or ignore; "
            "an empty field takes its default (without --class: background and one semantic class 'object')"
        ),
    )
    parser.add_argument(
        "--combine",
        metavar="PATTERN",
        help=_(
            "files that are one image, such as '{pattern}': equal in {name}, a channel a {c}, a slice a {z}",
            pattern="{name}_{c}.tif",
            name="{name}",
            c="{c}",
            z="{z}",
        ),
    )
    parser.add_argument("--dry-run", action="store_true", help=_("print the images and their files, and make nothing"))
    parser.add_argument("--copy", action="store_true", help=_("copy the image files into the project"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Make the project."""
    from segstudio.cli.new_dry_run import show_images
    from segstudio.cli.passed_over import complain_of, keys_of, say_masks
    from segstudio.tasks.images.new import new_project

    if options.dry_run:
        return show_images(options)
    task = new_project(
        Path(options.project), options.images, options.classes, copy_files=options.copy, combine=options.combine
    )
    report = shown(task, _("file"))
    complain_of(report)
    if options.json:
        say_json(
            {
                "project": str(report.path),
                "images": report.images,
                **keys_of(report),
                "classes": [
                    {"name": c.name, "color": c.color, "kind": c.kind, "value": c.value} for c in report.classes
                ],
            }
        )
        return 0
    images, classes = count(report.images, "{n} image", "{n} images"), ", ".join(c.name for c in report.classes)
    say(_("{path}: {images}, classes {classes}.", path=report.path, images=images, classes=classes))
    say_masks(report, options.project)
    say(
        _(
            "Next: 'segstudio {path}' opens it; 'segstudio import' reads masks you already have; 'segstudio add' adds "
            "more images.",
            path=report.path,
        )
    )
    return 0

"""`segstudio add`."""

from argparse import Namespace

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Add images to a project: files, folders and globs, as for 'segstudio new --images'.\n\n"
        "Images that are there already, by path or by content, are passed over and counted. New images go behind\n"
        "the old ones, so that places in 'info' never change; where a path is taken, the name of the root folder is\n"
        "put in front. An image that was removed comes back in its old place with its labels. If a named file\n"
        "cannot be read, nothing is added. A project made with --copy copies the new files in.",
        "segstudio add leaves.segstudio photos",
        "segstudio add leaves.segstudio 'june/*.jpg' july/extra.tif",
    )
    parser.add_project()
    parser.add_argument("images", metavar="PATH", nargs="+", help=_("files, folders (with everything below) and globs"))
    parser.add_argument("--combine", metavar="PATTERN", help=_("files that are one image, as for 'segstudio new'"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Add them."""
    from segstudio.cli.passed_over import complain_of, keys_of, say_masks
    from segstudio.tasks.images.add import add_images

    with opened(options.project, write=True) as project:
        report = shown(add_images(project, options.images, combine=options.combine), _("file"))
        images = project.count_images()
    complain_of(report)
    back = [row.path for row in report.back]
    if options.json:
        say_json(
            {
                "added": list(report.added),
                "brought_back": back,
                "already_there": len(report.there),
                "images": images,
                **keys_of(report),
            }
        )
        return 0
    say(
        _(
            "{added} added; the project has {images}.",
            added=count(len(report.added), "{n} image", "{n} images"),
            images=count(images, "{n} image", "{n} images"),
        )
    )
    if back:
        say(
            count(
                len(back),
                "{n} image that had been removed was brought back with its labels.",
                "{n} images that had been removed were brought back with their labels.",
            )
        )
    if report.there:
        say(count(len(report.there), "{n} image was there already.", "{n} images were there already."))
    say_masks(report, options.project)
    return 0

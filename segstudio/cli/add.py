"""`segstudio add`."""

from argparse import Namespace
from collections.abc import Sized

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Add images to a project: files, folders and globs, as 'segstudio new --images' takes them.\n\n"
        "What is there already, by its path or by its content, is passed over and counted. New images stand behind\n"
        "the old ones, so that places in 'info' never move; a path that is taken gets the name of its root folder\n"
        "in front. An image that was removed comes back in its place with its labels. A named file that cannot be\n"
        "read is refused, and then nothing is added. A project made with --copy takes the files in.",
        "segstudio add leaves.segstudio photos",
        "segstudio add leaves.segstudio 'june/*.jpg' july/extra.tif",
    )
    parser.add_project()
    parser.add_argument("images", metavar="PATH", nargs="+", help=_("files, folders (with all below) and globs"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Add them."""
    from segstudio.cli.passed_over import complain_of, keys_of, say_masks
    from segstudio.tasks.images.add import add_images

    with opened(options.project, write=True) as project:
        report = shown(add_images(project, options.images), "file")
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
            "{images} added; the project has {images2}.",
            images=count(len(report.added), "{n} image", "{n} images"),
            images2=count(images, "{n} image", "{n} images"),
        )
    )
    if back:
        say(
            _(
                "{images} that had been removed {were} brought back, with the labels.",
                images=count(len(back), "{n} image", "{n} images"),
                were=_were(back),
            )
        )
    if report.there:
        say(
            _(
                "{images} {were} there already.",
                images=count(len(report.there), "{n} image", "{n} images"),
                were=_were(report.there),
            )
        )
    say_masks(report, options.project)
    return 0


def _were(images: Sized) -> str:
    return "was" if len(images) == 1 else "were"

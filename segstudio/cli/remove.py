"""`segstudio remove`."""

from argparse import Namespace

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Take images out of a project: they are no longer listed, exported, predicted or learned from.\n\n"
        "Their files are not touched and their labels are kept: undo brings them back from any image, and so does\n"
        "'segstudio add', in their old places and with their labels. PATH is a path as 'info' shows it, or a glob\n"
        "over these paths ('*' also crosses folders); if one matches no image, nothing is removed.",
        "segstudio remove leaves.segstudio blurred.png 'series-3/*'",
    )
    parser.add_project()
    parser.add_argument("images", metavar="PATH", nargs="+", help=_("paths as 'info' shows them, or globs"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Take them out."""
    from segstudio.tasks.images.remove import remove_images

    with opened(options.project, write=True) as project:
        removed = [row.path for row in remove_images(project, options.images)]
        images = project.count_images()
    if options.json:
        say_json({"removed": removed, "images": images})
        return 0
    say(
        _(
            "{removed} removed; the project has {images}.",
            removed=count(len(removed), "{n} image", "{n} images"),
            images=count(images, "{n} image", "{n} images"),
        )
    )
    say(_("Files and labels are kept: undo or 'segstudio add' brings the images back."))
    return 0

"""`segstudio accept`."""

from argparse import Namespace

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, counted, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Turn proposals into labels: what is unlabelled is filled with the proposal, what is labelled stays as it is,\n"
        "and a locked class gets no pixel. With --done the rest is filled by the project's setting of what Done fills\n"
        "(the proposal unless it was changed in the window), and the image is marked done.\n\n"
        "Images without a proposal are passed over and counted; so are those whose file was changed since it was\n"
        "labelled and, with --done, those in which nothing would be labelled. All images are written together, or\n"
        "none, and the window takes them back together.",
        "segstudio accept leaves.segstudio",
        "segstudio accept leaves.segstudio --images 'field1/*' --done",
    )
    parser.add_project()
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path, as in info, fits"))
    parser.add_argument("--done", action="store_true", help=_("also fill the rest and mark the images done"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Accept, or finish."""
    from segstudio.tasks.images.selection import selected_images
    from segstudio.tasks.labels.accept import accept

    with opened(options.project, write=True) as project:
        images = project.images()
        chosen = images if options.images is None else selected_images(images, options.images)
        report = shown(accept(project, chosen, done=options.done), "image")
    if options.json:
        say_json(
            {
                "images": report.images,
                "edits": report.edits,
                "passed_over": report.passed_over,
                "empty": list(report.empty),
                "changed": list(report.changed),
            }
        )
    else:
        verb = "marked done" if options.done else "accepted"
        without = f"; passed over: {len(report.without)} without a proposal" if report.without else ""
        say(f"{counted(report.images, 'image')} {verb}{without}.")
    if report.changed:
        complain(
            _(
                "{images} passed over, the first '{changed}': the file is not what was labelled. Open it in the "
                "window and decide.",
                images=count(len(report.changed), "{n} image", "{n} images"),
                changed=report.changed[0],
            )
        )
    if report.empty:
        complain(
            _(
                "{images} not marked done, the first '{empty}': nothing would be labelled. If it is empty, "
                "confirm that in the window.",
                images=count(len(report.empty), "{n} image", "{n} images"),
                empty=report.empty[0],
            )
        )
    return 0

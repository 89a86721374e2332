"""`segstudio accept`."""

from argparse import Namespace

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Turn proposals into labels: unlabelled pixels take the proposal, labelled ones stay as they are, and a\n"
        "locked class or object gets no pixels. With --done the rest is filled as the project's setting for Done\n"
        "says (with the proposal, unless it was changed in the window), and the image is marked done.\n\n"
        "Images without a proposal are passed over and counted; so are those whose file has changed since it was\n"
        "labelled and, with --done, those in which nothing would be labelled. All images are written together or\n"
        "not at all, and the window undoes them together.",
        "segstudio accept leaves.segstudio",
        "segstudio accept leaves.segstudio --images 'field1/*' --done",
    )
    parser.add_project()
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path, as shown by info, matches"))
    parser.add_argument("--done", action="store_true", help=_("fill the rest too, and mark the images done"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Accept, or finish."""
    from segstudio.tasks.images.selection import selected_images
    from segstudio.tasks.labels.accept import accept

    with opened(options.project, write=True) as project:
        images = project.images()
        chosen = images if options.images is None else selected_images(images, options.images)
        report = shown(accept(project, chosen, done=options.done), _("image"))
    if options.json:
        say_json(
            {
                "images": report.images,
                "edits": report.edits,
                "passed_over": report.passed_over,
                "planes_left": report.planes_left,
                "empty": list(report.empty),
                "changed": list(report.changed),
            }
        )
    else:
        said = (
            count(report.images, "{n} image marked done.", "{n} images marked done.")
            if options.done
            else count(report.images, "{n} image accepted.", "{n} images accepted.")
        )
        without = (
            count(
                len(report.without),
                "{n} image without a proposal was passed over.",
                "{n} images without a proposal were passed over.",
            )
            if report.without
            else ""
        )
        left = (
            count(
                report.planes_left,
                "{n} plane of a stack was left: it has no proposal, or nothing would be labelled.",
                "{n} planes of stacks were left: they have no proposal, or nothing would be labelled.",
            )
            if report.planes_left
            else ""
        )
        say(" ".join(filter(None, (said, without, left))))
    if report.changed:
        complain(
            count(
                len(report.changed),
                "'{first}' was passed over: its file has changed since it was labelled. Open it in the window and "
                "decide.",
                "{n} images were passed over (the first is '{first}'): their files have changed since they were "
                "labelled. Open them in the window and decide.",
                first=report.changed[0],
            )
        )
    if report.empty:
        complain(
            count(
                len(report.empty),
                "'{first}' was not marked done: nothing would be labelled. If it is empty, confirm that in the window.",
                "{n} images were not marked done (the first is '{first}'): nothing would be labelled. If they are "
                "empty, confirm that in the window.",
                first=report.empty[0],
            )
        )
    return 0

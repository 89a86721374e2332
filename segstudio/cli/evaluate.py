"""`segstudio evaluate`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json, say_skipped
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import readable
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Compare proposals or labels with masks taken as the truth, over all pixels that are neither unknown (255)\n"
        "nor of an ignored class. A pixel where nothing was found counts as a miss. IoU, Dice, precision and recall\n"
        "are given for each class in the truth; means leave out the others. Masks with only 0 and 255 need --map to\n"
        "say what 255 means; masks written by 'segstudio export' are read as they are.",
        "segstudio evaluate leaves.segstudio --truth masks --json",
        "segstudio evaluate leaves.segstudio --truth masks --split held-out --map 7=crack",
    )
    parser.add_project()
    parser.add_argument(
        "--truth", metavar="PATH", required=True, help=_("masks or a file of annotations, matched as by import")
    )
    parser.add_argument(
        "--format",
        default="",
        choices=readable(),
        help=_("the format of the truth (by default that of the file's ending, or of the masks in the folder)"),
    )
    parser.add_map()
    parser.add_argument(
        "--content", choices=("proposals", "labels"), default="proposals", help=_("what to compare (proposals)")
    )
    parser.add_argument(
        "--split",
        choices=("all", "train", "held-out"),
        default="all",
        help=_("only images on this side of the split (all)"),
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Evaluate."""
    from segstudio.formats.naming import StemPattern
    from segstudio.tasks.labels.evaluate import evaluate
    from segstudio.tasks.labels.mask_map import parsed_map

    mapping = parsed_map(options.map)
    pattern = None if options.pattern is None else StemPattern(options.pattern)
    with opened(options.project, write=False) as project:
        task = evaluate(
            project,
            Path(options.truth),
            format_=options.format,
            mapping=mapping,
            pattern=pattern,
            content=options.content,
            split=options.split,
        )
        report = shown(task, _("image"))
    if options.json:
        say_json(report.as_json())
        return 0
    figures = report.figures
    mean = _("mean")
    width = max(len(name) for name in (*report.names, mean))
    for note in report.notes:  # first: it says what the figures count
        say(_("note: {note}", note=note))
    say(
        _(
            "{images}, {pixels}, pixel accuracy {accuracy:.4f}",
            images=count(report.images, "{n} image", "{n} images"),
            pixels=count(figures.pixels, "{n} pixel", "{n} pixels"),
            accuracy=figures.pixel_accuracy,
        )
    )
    heads = (_("IoU").rjust(6), _("Dice").rjust(6), _("precision").rjust(9), _("recall").rjust(6))
    say("  ".join((" " * width, *heads)))
    for name, m in (*figures.classes.items(), (mean, figures.mean)):
        if name in report.names and name not in report.in_truth:
            say("  ".join((name.ljust(width), _("not in the truth"))))
            continue
        say(f"{name:<{width}}  {m.iou:.4f}  {m.dice:.4f}     {m.precision:.4f}  {m.recall:.4f}")
    say_skipped(report.skipped, report.unread)
    return 0

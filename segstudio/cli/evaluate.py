"""`segstudio evaluate`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json, say_skipped
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import readable
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Compare proposals, or labels, with masks that are held to be true, over all their pixels that are neither\n"
        "unknown (255) nor of an ignored class. Where nothing was found the pixel counts as a miss. IoU, Dice,\n"
        "precision and recall are given for every class of the truth; means leave out the others. Masks of nothing\n"
        "but 0 and 255 need --map to say what 255 means; those that 'segstudio export' wrote are read as they stand.",
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
        help=_("the format of the truth (by default that of its ending, else png)"),
    )
    parser.add_map()
    parser.add_argument(
        "--content", choices=("proposals", "labels"), default="proposals", help=_("what is compared (proposals)")
    )
    parser.add_argument(
        "--split", choices=("all", "train", "held-out"), default="all", help=_("only images of this side (all)")
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
        report = shown(task, "image")
    if options.json:
        say_json(report.as_json())
        return 0
    figures = report.figures
    width = max(len(name) for name in (*report.names, "mean"))
    say(
        _(
            "{images} images, {pixels} pixels, pixel accuracy {pixel_accuracy:.4f}",
            images=report.images,
            pixels=figures.pixels,
            pixel_accuracy=figures.pixel_accuracy,
        )
    )
    say(f"{'':<{width}}     IoU    Dice  precision  recall")
    for name, m in (*figures.classes.items(), ("mean", figures.mean)):
        if name in report.names and name not in report.in_truth:
            say(f"{name:<{width}}  not in the truth")
            continue
        say(f"{name:<{width}}  {m.iou:.4f}  {m.dice:.4f}     {m.precision:.4f}  {m.recall:.4f}")
    if report.note:
        say(_("note: {note}", note=report.note))
    say_skipped(report.skipped, report.unread)
    return 0

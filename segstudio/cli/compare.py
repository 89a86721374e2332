"""`segstudio compare`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Compare two people's labels of the same images: IoU and Dice of each class, the share of pixels on which\n"
        "they agree, Cohen's kappa, and for instance classes matched objects. Figures are over the pixels that both\n"
        "know; ignored ones count nowhere. Images are paired by content, classes by name. Changes nothing.\n\n"
        "With --out a map of each plane is written to DIR/agreement: 0 nobody knows, 1 agree, 2 differ, 3 only A\n"
        "knows, 4 only B knows, 5 ignored.",
        "segstudio compare anna.segstudio ben.segstudio",
        "segstudio compare anna.segstudio ben.segstudio --images 'field1/*' --out maps --json",
    )
    parser.add_argument("a", metavar="A", help=_("one project"))
    parser.add_argument("b", metavar="B", help=_("the other project"))
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path in A, as in info, fits"))
    parser.add_argument("--out", metavar="DIR", help=_("write maps of agreement to this folder"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Compare."""
    from segstudio.tasks.labels.compare import compare

    with opened(options.a, write=False) as a, opened(options.b, write=False) as b:
        out = None if options.out is None else Path(options.out)
        report = shown(compare(a, b, images=options.images, out=out), "image")
    if options.json:
        say_json(report.as_json())
        return 0
    overall = report.overall
    say(_("{n} images, {pixels} pixels that both know", n=len(report.images), pixels=overall.pixels))
    say(
        _(
            "{only_a} pixels known to A alone, {only_b} to B alone, {nobody} to nobody",
            only_a=overall.only_a,
            only_b=overall.only_b,
            nobody=overall.nobody,
        )
    )
    say(
        _(
            "pixel agreement {shown}, kappa {shown2}",
            shown=_shown(overall.pixel_agreement),
            shown2=_shown(overall.kappa),
        )
    )
    width = max(len(name) for name in (*overall.classes, "mean"))
    say(f"{'':<{width}}     IoU    Dice")
    for name, c in overall.classes.items():
        o = c.objects
        objects = "" if o is None else f"   {o.matched} objects matched, {o.only_a} in A alone, {o.only_b} in B alone"
        say(f"{name:<{width}}  {_shown(c.iou):>6}  {_shown(c.dice):>6}{objects}")
    say(f"{'mean':<{width}}  {_shown(overall.mean_iou):>6}  {_shown(overall.mean_dice):>6}")
    for image in report.images:
        figures = image.figures
        say(
            _(
                "{path}: agreement {shown}, mean IoU {shown2}",
                path=image.path,
                shown=_shown(figures.pixel_agreement),
                shown2=_shown(figures.mean_iou),
            )
        )
    if options.out is not None:
        say(_("Maps of agreement are in {out}.", out=options.out))
    return 0


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"

"""`segstudio compare`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Compare two people's labels of the same images: IoU and Dice of each class, the share of pixels on which\n"
        "they agree, Cohen's kappa and, for instance classes, matched objects. Only pixels known in both count;\n"
        "ignored ones never do. Images are paired by content, classes by name. Nothing is changed.\n\n"
        "--out writes a map of each plane to DIR/agreement: 0 known to neither, 1 agree, 2 differ, 3 known in A\n"
        "only, 4 known in B only, 5 ignored.",
        "segstudio compare anna.segstudio ben.segstudio",
        "segstudio compare anna.segstudio ben.segstudio --images 'field1/*' --out maps --json",
    )
    parser.add_argument("a", metavar="A", help=_("one project"))
    parser.add_argument("b", metavar="B", help=_("the other project"))
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path in A, as shown by info, matches"))
    parser.add_argument("--out", metavar="DIR", help=_("write agreement maps to this folder"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Compare."""
    from segstudio.tasks.labels.compare import compare

    with opened(options.a, write=False) as a, opened(options.b, write=False) as b:
        out = None if options.out is None else Path(options.out)
        report = shown(compare(a, b, images=options.images, out=out), _("image"))
    if options.json:
        say_json(report.as_json())
        return 0
    overall = report.overall
    say(
        _(
            "{images}, {pixels} known in both",
            images=count(len(report.images), "{n} image", "{n} images"),
            pixels=count(overall.pixels, "{n} pixel", "{n} pixels"),
        )
    )
    say(
        _(
            "pixels known in A only: {only_a:,}; in B only: {only_b:,}; in neither: {nobody:,}",
            only_a=overall.only_a,
            only_b=overall.only_b,
            nobody=overall.nobody,
        )
    )
    say(
        _(
            "pixel agreement {agreement}, kappa {kappa}",
            agreement=_shown(overall.pixel_agreement),
            kappa=_shown(overall.kappa),
        )
    )
    mean = _("mean")
    width = max(len(name) for name in (*overall.classes, mean))
    say("  ".join((" " * width, _("IoU").rjust(6), _("Dice").rjust(6))))
    for name, c in overall.classes.items():
        cells = [f"{name:<{width}}", f"{_shown(c.iou):>6}", f"{_shown(c.dice):>6}"]
        if c.objects is not None:
            objects = _(
                "objects: {matched} matched, {only_a} in A only, {only_b} in B only",
                matched=c.objects.matched,
                only_a=c.objects.only_a,
                only_b=c.objects.only_b,
            )
            cells.append(f" {objects}")
        say("  ".join(cells))
    say(f"{mean:<{width}}  {_shown(overall.mean_iou):>6}  {_shown(overall.mean_dice):>6}")
    for image in report.images:
        figures = image.figures
        say(
            _(
                "{path}: agreement {agreement}, mean IoU {iou}",
                path=image.path,
                agreement=_shown(figures.pixel_agreement),
                iou=_shown(figures.mean_iou),
            )
        )
    if options.out is not None:
        say(_("The agreement maps are in {out}.", out=options.out))
    return 0


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"

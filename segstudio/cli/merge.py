"""`segstudio merge`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a new project of two others, which are only read. Images are paired by content, classes by name. Pixel\n"
        "by pixel: what only one side knows is taken; copies of one project are compared with their last common edit,\n"
        "and a side that changed alone wins; where both know and differ A stays, and what B says becomes a proposal\n"
        "and is listed. A's history, versions and split are kept; B's versions are not taken.",
        "segstudio merge anna.segstudio ben.segstudio --out both.segstudio",
        "segstudio merge anna.segstudio ben.segstudio --out both.segstudio --json",
    )
    parser.add_argument("a", metavar="A", help=_("the project that stays where both know and differ"))
    parser.add_argument("b", metavar="B", help=_("the project that is merged into it"))
    parser.add_argument("--out", metavar="C", required=True, help=_("the new project; nothing may stand there"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Merge."""
    from segstudio.cli.opening import place_of
    from segstudio.tasks.images.new import project_path
    from segstudio.tasks.keeping.merge import merge

    out = project_path(Path(options.out))
    report = shown(merge(place_of(options.a), place_of(options.b), out), "image")
    if options.json:
        say_json(report.as_json())
        return 0
    say(
        _(
            "{images} images in {out}: {changed} changed by B, {added} that only B had.",
            images=report.images,
            out=out,
            changed=report.changed,
            added=report.added,
        )
    )
    for conflict in report.conflicts:
        x, y, w, h = conflict.rect
        say(
            _(
                "{path}, plane {plane}: {pixels} pixels differ, within {x}, {y}, {w} x {h}.",
                path=conflict.path,
                plane=conflict.plane,
                pixels=conflict.pixels,
                x=x,
                y=y,
                w=w,
                h=h,
            )
        )
    if report.conflicts:
        say(_("Where they differ A's labels stand and B's are proposed."))
    if report.versions_left:
        say(_("Versions of B that were not taken: {versions_left}.", versions_left=", ".join(report.versions_left)))
    for note in report.notes:
        say(note)
    return 0

"""`segstudio merge`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Make a new project from two others, which are only read. Images are paired by content, classes by name.\n"
        "Pixel by pixel: what only one side knows is taken; copies of one project are compared with their last\n"
        "common edit, and a side that changed alone wins; where both know and differ, A stays, and B's version\n"
        "becomes a proposal and is listed. A's history, versions and split are kept; B's versions are not taken.",
        "segstudio merge anna.segstudio ben.segstudio --out both.segstudio",
        "segstudio merge anna.segstudio ben.segstudio --out both.segstudio --json",
    )
    parser.add_argument("a", metavar="A", help=_("the project that wins where both know and differ"))
    parser.add_argument("b", metavar="B", help=_("the project that is merged into it"))
    parser.add_argument("--out", metavar="C", required=True, help=_("the new project; the path must be free"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Merge."""
    from segstudio.cli.opening import place_of
    from segstudio.tasks.images.new import project_path
    from segstudio.tasks.keeping.merge import merge

    out = project_path(Path(options.out))
    report = shown(merge(place_of(options.a), place_of(options.b), out), _("image"))
    if options.json:
        say_json(report.as_json())
        return 0
    say(
        count(
            report.images,
            "{n} image in {out}: {changed} changed by B, {added} only in B.",
            "{n} images in {out}: {changed} changed by B, {added} only in B.",
            out=out,
            changed=report.changed,
            added=report.added,
        )
    )
    for conflict in report.conflicts:
        x, y, w, h = conflict.rect
        say(
            count(
                conflict.pixels,
                "{path}, plane {plane}: {n} pixel differs, within {x}, {y}, {w} x {h}.",
                "{path}, plane {plane}: {n} pixels differ, within {x}, {y}, {w} x {h}.",
                path=conflict.path,
                plane=conflict.plane,
                x=x,
                y=y,
                w=w,
                h=h,
            )
        )
    if report.conflicts:
        say(_("Where they differ, A's labels stay and B's are proposed."))
    if report.versions_left:
        say(_("Versions of B that were not taken: {versions}.", versions=", ".join(report.versions_left)))
    for note in report.notes:
        say(note)
    return 0

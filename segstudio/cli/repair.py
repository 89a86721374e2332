"""`segstudio repair`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.geometry import TILE
from segstudio.text import _

__all__ = ["arguments", "run"]

_LISTED = 20


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Take what can be read of a damaged project into a new one, and list what could not. The old project is not\n"
        "touched. Tiles of labels are proved by their digests, and rebuilt from the journal where they are broken;\n"
        "what cannot be proved becomes unknown, never a guess. Exit status 0 where something was salvaged, whole or\n"
        "with a list of what is lost; 1 where nothing could be read.",
        "segstudio repair leaves.segstudio",
        "segstudio repair leaves.segstudio --out rescued.segstudio --json",
    )
    parser.add_project()
    parser.add_argument("--out", metavar="NEW", help=_("the new project (default: NAME-repaired.segstudio beside it)"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Salvage, and say what is lost."""
    from segstudio.cli.opening import place_of
    from segstudio.tasks.keeping.repair import repair

    report = shown(repair(place_of(options.project), None if options.out is None else Path(options.out)), "tile")
    if options.json:
        say_json(report.as_json())
        return 0
    say(
        _(
            "{images} images and {tiles} tiles of labels were taken into {out}.",
            images=report.images,
            tiles=report.tiles,
            out=report.out,
        )
    )
    if report.rebuilt:
        say(_("{rebuilt} of the tiles were broken and were rebuilt from the journal.", rebuilt=report.rebuilt))
    if report.waiting_saved:
        say(
            _(
                "{waiting_saved} edits that waited in the state folder are in it too.",
                waiting_saved=report.waiting_saved,
            )
        )
    if report.whole:
        say(_("Nothing is lost."))
        return 0
    if not report.history:
        say(_("lost: the history; what was painted before cannot be undone"))
    lost = [
        f"labels of {t.path or 'an unknown image'} from x {t.tx * TILE} to {(t.tx + 1) * TILE}, y {t.ty * TILE} to "
        f"{(t.ty + 1) * TILE}, plane {t.plane}"
        for t in report.lost_tiles
    ]
    lost += [f"image {name}" for name in report.lost_images]
    lost += [f"object {id_} of {path}" for path, id_ in report.lost_objects]
    lost += [f"{count} rows of {table}" for table, count in report.lost_rows.items()]
    lost += [f"the weights of version {name}" for name in report.lost_weights]
    lost += [f"file {name}" for name in report.lost_files]
    lost += [f"snapshot '{name}', whose labels can no longer be restored" for name in report.lost_snapshots]
    for line in lost[:_LISTED]:
        say(_("lost: {line}", line=line))
    if len(lost) > _LISTED:
        say(_("lost: {n} more (--json lists them)", n=len(lost) - _LISTED))
    for note in report.notes:
        say(_("note: {note}", note=note))
    if report.lost_tiles or report.lost_objects:
        say(_("Images that lost labels are in progress again. A backup may still have them: 'segstudio merge'."))
    return 0

"""`segstudio repair`."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.geometry import TILE
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.tasks.keeping.repair import RepairReport

__all__ = ["arguments", "run"]

_LISTED = 20


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Salvage what can be read of a damaged project into a new one, and list what could not. The old project is\n"
        "not touched. Tiles of labels are checked against their digests, and rebuilt from the journal where they\n"
        "are broken; what cannot be verified becomes unknown, never a guess. Exit status 0 if something was\n"
        "salvaged, whole or with a list of what is lost; 1 if nothing could be read.",
        "segstudio repair leaves.segstudio",
        "segstudio repair leaves.segstudio --out rescued.segstudio --json",
    )
    parser.add_project()
    parser.add_argument("--out", metavar="NEW", help=_("the new project (default: NAME-repaired.segstudio beside it)"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Salvage, and list what is lost."""
    from segstudio.cli.opening import place_of
    from segstudio.tasks.keeping.repair import repair

    report = shown(repair(place_of(options.project), None if options.out is None else Path(options.out)), _("tile"))
    if options.json:
        say_json(report.as_json())
        return 0
    say(
        _(
            "{images} and {tiles} were taken into {out}.",
            images=count(report.images, "{n} image", "{n} images"),
            tiles=count(report.tiles, "{n} tile of labels", "{n} tiles of labels"),
            out=report.out,
        )
    )
    if report.rebuilt:
        say(
            count(
                report.rebuilt,
                "{n} of the tiles was broken and was rebuilt from the journal.",
                "{n} of the tiles were broken and were rebuilt from the journal.",
            )
        )
    if report.waiting_saved:
        say(
            count(
                report.waiting_saved,
                "{n} edit that was waiting in the state folder is included.",
                "{n} edits that were waiting in the state folder are included.",
            )
        )
    if report.whole:
        say(_("Nothing is lost."))
        return 0
    if not report.history:
        say(_("lost: the history; earlier painting cannot be undone"))
    lost = _losses(report)
    for line in lost[:_LISTED]:
        say(_("lost: {line}", line=line))
    if len(lost) > _LISTED:
        say(_("lost: {more} more (--json lists them)", more=len(lost) - _LISTED))
    for note in report.notes:
        say(_("note: {note}", note=note))
    if report.lost_tiles or report.lost_objects:
        say(
            _(
                "Images that lost labels are in progress again. If a backup still has those labels, "
                "'segstudio merge' can bring them back."
            )
        )
    return 0


def _losses(report: "RepairReport") -> list[str]:
    """One line for each thing that is lost."""
    lost = [
        _(
            "labels of {image} from x {left} to {right}, y {top} to {bottom}, plane {plane}",
            image=t.path or _("an unknown image"),
            left=t.tx * TILE,
            right=(t.tx + 1) * TILE,
            top=t.ty * TILE,
            bottom=(t.ty + 1) * TILE,
            plane=t.plane,
        )
        for t in report.lost_tiles
    ]
    lost += [_("image {name}", name=name) for name in report.lost_images]
    lost += [_("object {number} of {path}", number=id_, path=path) for path, id_ in report.lost_objects]
    lost += [
        count(rows, "{n} row of {table}", "{n} rows of {table}", table=table)
        for table, rows in report.lost_rows.items()
    ]
    lost += [_("the weights of version {name}", name=name) for name in report.lost_weights]
    lost += [_("file {name}", name=name) for name in report.lost_files]
    lost += [
        _("snapshot '{name}', whose labels can no longer be restored", name=name) for name in report.lost_snapshots
    ]
    return lost

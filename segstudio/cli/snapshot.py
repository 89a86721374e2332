"""`segstudio snapshot`."""

from argparse import Namespace
from datetime import datetime
from typing import Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.store.project import Project
from segstudio.store.snapshots import Snapshot
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Keep a snapshot: a name for the labels, classes and status of all images as they stand now. It copies\n"
        "nothing. Before the first edit of a day a project keeps one by itself ('before YYYY-MM-DD').\n\n"
        "--restore makes the project, or with --images some images, again what it was: as edits of one batch, which\n"
        "can be undone. Classes made since go out of use; with --images classes stay as they are.",
        "segstudio snapshot leaves.segstudio --name 'before the meeting'",
        "segstudio snapshot leaves.segstudio --restore 'before the meeting' --images 'north/*'",
    )
    parser.add_project()
    parser.add_argument("--name", metavar="NAME", help=_("the name to keep it under (the local date and time)"))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help=_("list the snapshots, newest first, and keep none"))
    what.add_argument("--restore", metavar="NAME", help=_("make the labels again what they were"))
    what.add_argument("--rename", metavar="NAME", help=_("give a snapshot the name of --name"))
    what.add_argument("--delete", metavar="NAME", help=_("take the name away; no label changes"))
    parser.add_argument("--images", metavar="GLOB", help=_("with --restore: only images whose path, as in info, fits"))
    parser.add_json()


def run(options: Namespace) -> int:
    """Keep, list, restore, rename or delete."""
    _check(options)
    from segstudio.store import snapshots

    with opened(options.project, write=not options.list) as project:
        if options.list:
            _list(snapshots.listed(project), as_json=options.json)
        elif options.restore is not None:
            _restore(project, options)
        elif options.rename is not None:
            found = snapshots.named(project, options.rename)
            _say("renamed", snapshots.rename(project, found.id, options.name).result(), as_json=options.json)
        elif options.delete is not None:
            found = snapshots.named(project, options.delete)
            _say("deleted", snapshots.delete(project, found.id).result(), as_json=options.json)
        else:
            _say("kept", snapshots.keep(project, options.name or "").result(), as_json=options.json)
    return 0


def _check(options: Namespace) -> None:
    from segstudio.errors import UsageError

    if options.images is not None and options.restore is None:
        raise UsageError(_("--images belongs to --restore."))
    if (options.rename is not None) and options.name is None:
        raise UsageError(_("--rename needs the new name: --name NEW."))
    if options.name is not None and (options.list or options.restore is not None or options.delete is not None):
        raise UsageError(_("--name names the snapshot to keep, or with --rename the new name."))


def _restore(project: Project, options: Namespace) -> None:
    from segstudio.store.snapshots import named
    from segstudio.tasks.images.selection import selected_images
    from segstudio.tasks.keeping.snapshots import restore

    snapshot = named(project, options.restore)
    chosen = None if options.images is None else [row.id for row in selected_images(project.images(), options.images)]
    report = shown(restore(project, snapshot.seq, chosen), "image")
    paths = [project.image(image).path for image in report.images]
    if options.json:
        say_json(
            {
                "snapshot": _object(snapshot),
                "images": paths,
                "classes": report.classes,
                "unused_classes": list(report.unused),
                "last_edit": int(project.last_seq()),
            }
        )
        return
    if report.batch is None:
        say(_("Nothing differs from the snapshot '{name}'; nothing was changed.", name=snapshot.name))
        return
    classes = " and the classes" if report.classes else ""
    images = "1 image" if len(paths) == 1 else f"{len(paths)} images"
    say(_("{images}{classes} restored to the snapshot '{name}'.", images=images, classes=classes, name=snapshot.name))
    say(_("Undo takes it back: Ctrl+Z in the window, on one of these images."))
    for name in report.unused:
        say(_("the class '{name}' is out of use: restored pixels of it count as nothing.", name=name))


def _list(found: list[Snapshot], *, as_json: bool) -> None:
    if as_json:
        say_json({"snapshots": [_object(snapshot) for snapshot in found]})
        return
    for s in found:
        local = datetime.fromisoformat(s.time).astimezone().strftime("%Y-%m-%d %H:%M")
        kept = "" if s.kept else ", compacted away"
        by = f", {s.author}" if s.author else ""
        say(
            _(
                "{name}  ({local}, edit {seq}, {edits} since{by}{kept})",
                name=s.name,
                local=local,
                seq=s.seq,
                edits=s.edits,
                by=by,
                kept=kept,
            )
        )
    if not found:
        say(_("No snapshots yet."))


def _say(done: str, snapshot: Snapshot, *, as_json: bool) -> None:
    if as_json:
        say_json({done: _object(snapshot)})
    else:
        say(_("Snapshot '{name}' {done} (edit {seq}).", name=snapshot.name, done=done, seq=snapshot.seq))


def _object(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "kind": snapshot.kind.value,
        "time": snapshot.time,
        "author": snapshot.author,
        "edit": int(snapshot.seq),
        "edits_since": snapshot.edits,
        "restorable": snapshot.kept,
    }

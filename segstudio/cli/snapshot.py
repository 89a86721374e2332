"""`segstudio snapshot`."""

from argparse import Namespace
from datetime import datetime
from typing import Any, Literal

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.store.project import Project
from segstudio.store.snapshots import Snapshot
from segstudio.text import _, count

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Keep a snapshot: a name for the labels, classes and status of all images as they are now. Nothing is\n"
        "copied. A project keeps one automatically before the first edit of each day ('before YYYY-MM-DD').\n\n"
        "--restore returns the project, or with --images some of its images, to that state: as one batch of edits\n"
        "that can be undone. Classes made since then go out of use; with --images, classes stay as they are.",
        "segstudio snapshot leaves.segstudio --name 'before the meeting'",
        "segstudio snapshot leaves.segstudio --restore 'before the meeting' --images 'north/*'",
    )
    parser.add_project()
    parser.add_argument("--name", metavar="NAME", help=_("the name of the snapshot (default: the local date and time)"))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help=_("list the snapshots, newest first, and keep none"))
    what.add_argument("--restore", metavar="NAME", help=_("restore the labels as they were"))
    what.add_argument("--rename", metavar="NAME", help=_("give a snapshot the name of --name"))
    what.add_argument("--delete", metavar="NAME", help=_("delete the name; labels do not change"))
    parser.add_argument(
        "--images", metavar="GLOB", help=_("with --restore: only images whose path, as shown by info, matches")
    )
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
        raise UsageError(_("--images needs --restore."))
    if (options.rename is not None) and options.name is None:
        raise UsageError(_("--rename needs the new name: --name NEW."))
    if options.name is not None and (options.list or options.restore is not None or options.delete is not None):
        raise UsageError(_("--name is the name of a new snapshot or, with --rename, the new name."))


def _restore(project: Project, options: Namespace) -> None:
    from segstudio.store.snapshots import named
    from segstudio.tasks.images.selection import selected_images
    from segstudio.tasks.keeping.snapshots import restore

    snapshot = named(project, options.restore)
    chosen = None if options.images is None else [row.id for row in selected_images(project.images(), options.images)]
    report = shown(restore(project, snapshot.seq, chosen), _("image"))
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
    said = (
        count(
            len(paths),
            "{n} image and the classes restored to the snapshot '{name}'.",
            "{n} images and the classes restored to the snapshot '{name}'.",
            name=snapshot.name,
        )
        if report.classes
        else count(
            len(paths),
            "{n} image restored to the snapshot '{name}'.",
            "{n} images restored to the snapshot '{name}'.",
            name=snapshot.name,
        )
    )
    say(said)
    say(_("Undo it with Ctrl+Z in the window, on any of these images."))
    for name in report.unused:
        say(_("The class '{name}' is out of use: its restored pixels count as unknown.", name=name))


def _list(found: list[Snapshot], *, as_json: bool) -> None:
    if as_json:
        say_json({"snapshots": [_object(snapshot) for snapshot in found]})
        return
    for s in found:
        local = datetime.fromisoformat(s.time).astimezone().strftime("%Y-%m-%d %H:%M")
        parts = [local, _("edit {number}", number=s.seq), count(s.edits, "{n} edit since", "{n} edits since")]
        if s.author:
            parts.append(s.author)
        if not s.kept:
            parts.append(_("compacted away"))
        say(f"{s.name}  ({', '.join(parts)})")
    if not found:
        say(_("No snapshots yet."))


def _say(done: Literal["kept", "renamed", "deleted"], snapshot: Snapshot, *, as_json: bool) -> None:
    if as_json:
        say_json({done: _object(snapshot)})
        return
    said = {
        "kept": _("Snapshot '{name}' kept (edit {number}).", name=snapshot.name, number=snapshot.seq),
        "renamed": _("Snapshot '{name}' renamed (edit {number}).", name=snapshot.name, number=snapshot.seq),
        "deleted": _("Snapshot '{name}' deleted (edit {number}).", name=snapshot.name, number=snapshot.seq),
    }
    say(said[done])


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

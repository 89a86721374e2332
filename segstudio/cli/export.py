"""`segstudio export`."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import FORMATS, Option, writable
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.tasks.labels.export import ExportReport

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    formats = "\n".join(
        _("{name}: {title}; lost: {losses}.", name=f.name, title=_(f.title), losses=_(f.losses))
        for f in FORMATS.rows
        if f.exports
    )
    parser.describe(
        "Write masks. Files are written to a folder beside DIR, read back there and compared with the project, and\n"
        "only then moved into place one by one; a failure before that leaves DIR as it was. Works while a window is\n"
        "writing.",
        "segstudio export leaves.segstudio --format png --out out",
        "segstudio export leaves.segstudio --format coco --out out --content finished --images 'field1/*'",
        more=formats,
    )
    parser.add_project()
    parser.add_argument("--format", required=True, choices=writable(), help=_("the format to write"))
    parser.add_argument("--out", metavar="DIR", required=True, help=_("the folder to write to"))
    parser.add_argument(
        "--content",
        choices=("labels", "proposals", "finished"),
        default="labels",
        help=_(
            "labels: every image with a known pixel (default); finished: images, and planes, marked done; "
            "proposals: the network's proposals"
        ),
    )
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path, as shown by info, matches"))
    parser.add_argument(
        "--grey",
        action="store_true",
        help=_("write masks without colours: plain grey, the same values ({formats})", formats=_with(Option.GREY)),
    )
    parser.add_argument(
        "--background",
        action="store_true",
        help=_(
            "write the background too, where the format leaves it out ({formats})", formats=_with(Option.BACKGROUND)
        ),
    )
    parser.add_json()


def _with(option: Option) -> str:
    return ", ".join(form.name for form in FORMATS.rows if option in form.options)


def run(options: Namespace) -> int:
    """Export."""
    from segstudio.tasks.labels.export import export

    with opened(options.project, write=False) as project:
        task = export(
            project,
            options.format,
            Path(options.out),
            content=options.content,
            images=options.images,
            background=options.background,
            grey=options.grey,
        )
        report, waiting = shown(task, _("image")), project.unsaved.edits
    if report.changed:
        complain(
            count(
                len(report.changed),
                "The file of '{first}' has changed since it was labelled; its labels were exported as they are.",
                "The files of {n} images have changed since they were labelled (the first is '{first}'); their labels "
                "were exported as they are.",
                first=report.changed[0],
            )
        )
    if options.json:
        say_json(
            {
                "format": report.format,
                "out": str(report.out),
                "images": report.images,
                "changed": list(report.changed),
                "planes": report.planes,
                "left_out": [{"path": image.path, "reason": image.why} for image in report.left_out],
                "planes_left_out": report.planes_left_out,
                "cleared": [file.relative_to(report.out).as_posix() for file in report.cleared],
                "stale": [file.relative_to(report.out).as_posix() for file in report.stale],
                "waiting_edits": waiting,
                "files": [file.relative_to(report.out).as_posix() for file in report.files],
            }
        )
        return 0
    images, files = count(report.images, "{n} image", "{n} images"), count(len(report.files), "{n} file", "{n} files")
    say(_("{images} exported to {out} ({files}), read back and equal.", images=images, out=report.out, files=files))
    for line in _notes(report):
        say(line)
    return 0


def _notes(report: "ExportReport") -> Iterator[str]:
    """What was left out, and what happened to earlier exports."""
    for why, paths in groupby(sorted(report.left_out, key=lambda i: i.why), key=lambda i: i.why):
        left_out = [image.path for image in paths]
        yield count(
            len(left_out),
            "left out: {n} image, {reason} (the first is {first}).",
            "left out: {n} images, {reason} (the first is {first}).",
            reason=_(why),
            first=left_out[0],
        )
    if report.planes_left_out:
        yield count(
            report.planes_left_out,
            "left out: {n} plane without a known pixel.",
            "left out: {n} planes without a known pixel.",
        )
    if report.cleared:
        yield count(
            len(report.cleared),
            "removed: {n} file of this project's earlier exports that no longer belongs here (the first was {first}).",
            "removed: {n} files of this project's earlier exports that no longer belong here (the first was {first}).",
            first=report.cleared[0].relative_to(report.out),
        )
    if report.stale:
        yield count(
            len(report.stale),
            "note: {n} file of earlier exports, perhaps from another project, was kept (the first is {first}).",
            "note: {n} files of earlier exports, perhaps from another project, were kept (the first is {first}).",
            first=report.stale[0].relative_to(report.out),
        )

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
    formats = "\n".join(f"{f.name + ':':<6}{f.title}; lost are: {f.losses}." for f in FORMATS.rows if f.exports)
    parser.describe(
        "Write masks. Everything is written to a folder beside DIR, read back there, compared with what was exported,\n"
        "and only then moved into place, file by file; a failure before that leaves DIR as it was. Works beside a\n"
        f"window that writes.\n\n{formats}",
        "segstudio export leaves.segstudio --format png --out out",
        "segstudio export leaves.segstudio --format coco --out out --content finished --images 'field1/*'",
    )
    parser.add_project()
    parser.add_argument("--format", required=True, choices=writable(), help=_("the format to write"))
    parser.add_argument("--out", metavar="DIR", required=True, help=_("the folder to write to"))
    parser.add_argument(
        "--content",
        choices=("labels", "proposals", "finished"),
        default="labels",
        help=_(
            "labels: every image with a known pixel (default); finished: images marked done; "
            "proposals: what the model draws"
        ),
    )
    parser.add_argument("--images", metavar="GLOB", help=_("only images whose path, as in info, fits"))
    parser.add_argument(
        "--grey",
        action="store_true",
        help=_("write masks without colours: plain grey, the same values ({value})", value=_with(Option.GREY)),
    )
    parser.add_argument(
        "--background",
        action="store_true",
        help=_("write the background too, where the format leaves it out ({value})", value=_with(Option.BACKGROUND)),
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
        report, waiting = shown(task, "image"), project.unsaved.edits
    if report.changed:
        complain(
            _(
                "{n} of the images hold another content than when they were labelled, the first '{changed}'; "
                "their labels were exported as they are.",
                n=len(report.changed),
                changed=report.changed[0],
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
    """What was left out, and what became of earlier exports."""
    for why, paths in groupby(sorted(report.left_out, key=lambda i: i.why), key=lambda i: i.why):
        left_out = [image.path for image in paths]
        yield _(
            "left out: {images}, {why} (the first is {left_out}).",
            images=count(len(left_out), "{n} image", "{n} images"),
            why=why,
            left_out=left_out[0],
        )
    if report.planes_left_out:
        yield _(
            "left out: {planes} without a known pixel.", planes=count(report.planes_left_out, "{n} plane", "{n} planes")
        )
    if report.cleared:
        files = count(len(report.cleared), "{n} file", "{n} files")
        first = report.cleared[0].relative_to(report.out)
        yield _(
            "removed: {files} of this project's earlier exports, which no longer belonged (the first was {first}).",
            files=files,
            first=first,
        )
    if report.stale:
        files = count(len(report.stale), "{n} file", "{n} files")
        first = report.stale[0].relative_to(report.out)
        yield _(
            "note: {files} of earlier exports, perhaps of another project, stayed (the first is {first}).",
            files=files,
            first=first,
        )

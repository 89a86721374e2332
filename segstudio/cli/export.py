"""`segstudio export`."""

from argparse import Namespace
from pathlib import Path

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import shown
from segstudio.formats.table import FORMATS, writable

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    formats = "\n".join(f"{f.name + ':':<6}{f.title}; lost are: {f.losses}." for f in FORMATS if f.write)
    parser.describe(
        "Write masks. Everything is written to a folder beside DIR, read back there, compared with what was exported,\n"
        "and only then moved into place, file by file; a failure before that leaves DIR as it was. Works beside a\n"
        f"window that writes.\n\n{formats}",
        "segstudio export leaves.segstudio --format png --out out",
        "segstudio export leaves.segstudio --format coco --out out --content finished --images 'field1/*'",
    )
    parser.add_project()
    parser.add_argument("--format", required=True, choices=writable(), help="the format to write")
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    parser.add_argument(
        "--content",
        choices=("labels", "proposals", "finished"),
        default="labels",
        help="labels: every image with a known pixel (default); finished: images marked done; proposals: what the "
        "model draws",
    )
    parser.add_argument("--images", metavar="GLOB", help="only images whose path, as in info, fits")
    parser.add_argument(
        "--background", action="store_true", help="write the background too, where the format leaves it out (coco)"
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Export."""
    from segstudio.tasks.export import export

    with opened(options.project, write=False) as project:
        task = export(
            project,
            options.format,
            Path(options.out),
            content=options.content,
            images=options.images,
            background=options.background,
        )
        report, waiting = shown(task, "image"), project.unsaved.edits
    if report.changed:
        complain(
            f"{len(report.changed)} of the images hold another content than when they were labelled, the first "
            f"'{report.changed[0]}'; their labels were exported as they are."
        )
    if options.json:
        say_json(
            {
                "format": report.format,
                "out": str(report.out),
                "images": report.images,
                "changed": list(report.changed),
                "waiting_edits": waiting,
                "files": [file.relative_to(report.out).as_posix() for file in report.files],
            }
        )
        return 0
    say(f"{report.images} images exported to {report.out} ({len(report.files)} files), read back and equal.")
    return 0

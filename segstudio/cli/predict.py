"""`segstudio predict`."""

import re
from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import Bar, run_task
from segstudio.errors import UserError
from segstudio.store.project import Project
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.tasks.learning.predict import Plane

__all__ = ["arguments", "run"]

_ALWAYS = ("current", "instant", "embedded")


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Write proposals: masks drawn by the network for a person to accept or correct. Labels stay as they are.\n\n"
        "'current' is the promoted version or the instant learner, whichever is better on held-out pixels; before\n"
        "the first version it is the instant learner if two classes have known pixels, and otherwise the embedded\n"
        "guess. A file that cannot be read does not stop the others; the exit code is then 1, and 'info' shows the\n"
        "problem. A proposal that a person imported or merged is passed over and counted, unless --replace is\n"
        "given.",
        "segstudio predict leaves.segstudio",
        "segstudio predict leaves.segstudio --all --version v2",
        "segstudio predict stack.segstudio --all --planes 10-19",
    )
    parser.add_project()
    parser.add_argument(
        "--version", metavar="V|current|instant|embedded", default="current", help=_("what predicts (current)")
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--images", metavar="GLOB", help=_("images whose path, as shown by info, matches"))
    which.add_argument("--all", action="store_true", help=_("every plane that is not done"))
    which.add_argument("--unlabelled", action="store_true", help=_("planes without a known pixel (default)"))
    parser.add_argument("--planes", metavar="A-B", type=_planes, help=_("of these, only planes A to B, counted from 0"))
    parser.add_argument(
        "--replace",
        action="store_true",
        help=_("also replace proposals that were imported or merged (otherwise passed over)"),
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Predict."""
    import msgspec

    from segstudio.engine.client import EngineClient
    from segstudio.tasks.learning.predict import PredictReport, PredictSeconds, predict

    with opened(options.project, write=True) as project:
        known = {version.name for version in project.versions()}
        if options.version not in (*_ALWAYS, *known):
            raise UserError(
                _(
                    "'{version}' is not a version: choose one of {versions}.",
                    version=options.version,
                    versions=", ".join((*_ALWAYS, *sorted(known))),
                )
            )
        planes = _chosen(project, options)
        images = list(dict.fromkeys(image for image, _ in planes))
        report = PredictReport(0, 0, 1.0, PredictSeconds(0.0, 0.0, 0.0))
        if images:
            bar = Bar(_("plane"))
            try:
                with EngineClient(project.path) as engine:
                    task = predict(
                        project,
                        engine,
                        images,
                        planes=planes,
                        version=options.version,
                        replace_people=options.replace,
                    )
                    report = run_task(task, lambda p: bar.show(p.done, p.total))
            finally:
                bar.close()
    if options.json:
        seconds = msgspec.to_builtins(report.seconds)
        say_json(
            {
                "images": report.images,
                "network_pixels": report.network_pixels,
                "scale": report.scale,
                "seconds": seconds,
                "passed_over": report.passed_over,
            }
        )
    else:
        if report.version:
            say(
                count(
                    report.images,
                    "{n} image has a proposal of {version}.",
                    "{n} images have a proposal of {version}.",
                    version=report.version,
                )
            )
        else:
            say(count(report.images, "{n} image has a proposal.", "{n} images have a proposal."))
        if report.passed_over:
            say(
                count(
                    report.passed_over,
                    "{n} plane keeps a proposal that a person made; --replace predicts it too.",
                    "{n} planes keep proposals that a person made; --replace predicts them too.",
                )
            )
    if report.failed:
        first, more = report.failed[0], len(report.failed) - 1
        failed = _(
            "{failed} of {images} failed.",
            failed=len(report.failed),
            images=count(len(images), "{n} image", "{n} images"),
        )
        others = count(more, "{n} more could not be read either.", "{n} more could not be read either.") if more else ""
        complain(" ".join(filter(None, (failed, f"{first.path}: {first.sentence}", others))))
        return 1
    return 0


def _chosen(project: Project, options: Namespace) -> "list[Plane]":
    from segstudio.tasks.learning.planes import Which, planes_to_predict

    which = Which.NOT_DONE if options.all else Which.UNLABELLED
    return planes_to_predict(project, which, glob=options.images, between=options.planes)


def _planes(text: str) -> tuple[int, int]:
    """`A-B` or `A` as the first and the last number. Raises `ArgumentTypeError`."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    if found is None:
        raise ArgumentTypeError(_("'{text}' is not a range of planes: write A-B, counted from 0", text=text))
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if last < first:
        raise ArgumentTypeError(
            _("'{text}' is not a range of planes: {last} comes before {first}", text=text, last=last, first=first)
        )
    return first, last

"""`segstudio predict`."""

from argparse import Namespace

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.cli.progress import Bar, run_task
from segstudio.errors import UserError
from segstudio.store.project import ImageRow, Project

__all__ = ["arguments", "run"]

_ALWAYS = ("current", "instant", "embedded")


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Write proposals: masks that the network draws and a person accepts or corrects. Labels stay as they are.\n\n"
        "current is the promoted version or the instant learner, whichever is better on held-out pixels; before there\n"
        "is a version, the instant learner where two classes have known pixels, else the embedded guess. A file that\n"
        "cannot be read does not keep the others from being done; the exit code is then 1, and info has the problem.",
        "segstudio predict leaves.segstudio",
        "segstudio predict leaves.segstudio --all --version v2",
    )
    parser.add_project()
    parser.add_argument(
        "--version", metavar="V|current|instant|embedded", default="current", help="what predicts (current)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--images", metavar="GLOB", help="images whose path, as in info, fits")
    which.add_argument("--all", action="store_true", help="every image")
    which.add_argument("--unlabelled", action="store_true", help="images without a known pixel (default)")
    parser.add_json()


def run(options: Namespace) -> int:
    """Predict."""
    import msgspec

    from segstudio.engine.client import EngineClient
    from segstudio.tasks.predict import PredictReport, PredictSeconds, predict

    with opened(options.project, write=True) as project:
        known = {version.name for version in project.versions()}
        if options.version not in (*_ALWAYS, *known):
            raise UserError(f"'{options.version}' is no version: there are {', '.join((*_ALWAYS, *sorted(known)))}.")
        images = [image.id for image in _chosen(project, options)]
        report = PredictReport(0, 0, 1.0, PredictSeconds(0.0, 0.0, 0.0))
        if images:
            bar = Bar("plane")
            try:
                with EngineClient(project.path) as engine:
                    task = predict(project, engine, images, version=options.version)
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
            }
        )
    else:
        say(f"{report.images} images have a proposal{f' of {report.version}' if report.version else ''}.")
    if report.failed:
        first, more = report.failed[0], len(report.failed) - 1
        others = f" {more} more could not be read either." if more else ""
        complain(f"{len(report.failed)} of {len(images)} images failed. {first.path}: {first.sentence}{others}")
        return 1
    return 0


def _chosen(project: Project, options: Namespace) -> list[ImageRow]:
    from segstudio.tasks.selection import selected_images

    images = project.images()
    if options.images is not None:
        return selected_images(images, options.images)
    return images if options.all else [image for image in images if not image.labelled_pixels]

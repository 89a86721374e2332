"""`segstudio info`."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.store.project import Project

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Show what a project holds: images with status and split, classes, versions, the work so far with a\n"
        "forecast where the versions support one, and the number of the last edit.\n"
        "Works while a window is writing. With --json every image is listed, with a digest of its labels.",
        "segstudio info leaves.segstudio",
        "segstudio info leaves.segstudio --json",
    )
    parser.add_project()
    parser.add_json()


def run(options: Namespace) -> int:
    """Print it."""
    from segstudio.tasks.images.info import info

    with opened(options.project, write=False) as project:
        found = info(project)
        forecasts = [] if options.json else list(_forecast(project))
    if options.json:
        say_json(found)
        return 0
    images = found["images"]
    status = Counter(image["status"] for image in images)
    split = Counter(image["split"] if image["labelled_pixels"] else None for image in images)
    say(
        _(
            "{images}: {done} done, {in_progress} in progress, {new} new",
            images=_images(len(images)),
            done=status["done"],
            in_progress=status["in-progress"],
            new=status["new"],
        )
    )
    planes = sum(image["planes"] for image in images)
    if planes > len(images):
        done = sum(image["planes_done"] for image in images)
        say(count(planes, "{done} of {n} plane done", "{done} of {n} planes done", done=done))
    say(
        _(
            "{train} in training, {held_out} held out, {unlabelled} not labelled yet",
            train=split["train"],
            held_out=split["held-out"],
            unlabelled=split[None],
        )
    )
    for c in found["classes"]:
        say(
            _(
                "class {value}: {name} ({kind}, {color})",
                value=c["value"],
                name=c["name"],
                kind=c["kind"],
                color=c["color"],
            )
        )
    for version in found["versions"]:
        candidate = _("candidate") if version["weights"] else _("candidate without weights")
        older = _("promoted") if version["promoted"] else candidate
        state = _("current") if version["current"] else older
        say(
            _(
                "version {version}: {state}, compared with {parent}, {made}",
                version=version["version"],
                state=state,
                parent=version["parent"],
                made=version["made"],
            )
        )
    for line in (*_work(images), *forecasts):
        say(line)
    for image in images:
        if "problem" in image:
            say(_("problem with {path}: {problem}", path=image["path"], problem=image["problem"]))
    say(_("last edit: {number}", number=found["last_edit"]))
    return 0


def _work(images: list[dict[str, Any]]) -> Iterator[str]:
    """Time and corrections, where there are any."""
    seconds = [image["seconds"] for image in images if image["seconds"]]
    if seconds:
        yield _("worked {minutes:.1f} minutes on {images}", minutes=sum(seconds) / 60, images=_images(len(seconds)))
    efforts = [image["effort"] for image in images if image["effort"]]
    proposed = sum(effort["proposed"] for effort in efforts)
    if proposed:
        corrected = sum(effort["corrected"] for effort in efforts)
        yield _(
            "corrected {share:.1f} % of the first proposals of {images} ({corrected} of {proposed} pixels)",
            share=100 * corrected / proposed,
            images=_images(len(efforts)),
            corrected=corrected,
            proposed=proposed,
        )


def _forecast(project: "Project") -> Iterator[str]:
    """How many more images it takes, where the versions so far carry that."""
    from segstudio.tasks.learning.effort_curve import costs, forecast, forecast_words, next_target, points

    known = points(project)
    target = next_target(known)
    found = None if target is None else forecast(known, costs(project), target)
    if found is not None:
        yield forecast_words(found)


def _images(n: int) -> str:
    return count(n, "{n} image", "{n} images")

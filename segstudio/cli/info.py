"""`segstudio info`."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from typing import Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser
from segstudio.text import _

__all__ = ["arguments", "run"]


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Say what a project holds: images with status and split, classes, versions, the number of the last edit.\n"
        "Works beside a window that writes. With --json every image is listed, with a digest of its labels.",
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
    if options.json:
        say_json(found)
        return 0
    images = found["images"]
    status = Counter(image["status"] for image in images)
    split = Counter(image["split"] for image in images)
    say(
        _(
            "{n} images: {status} done, {status2} in progress, {status3} new",
            n=len(images),
            status=status["done"],
            status2=status["in-progress"],
            status3=status["new"],
        )
    )
    say(
        _(
            "{split} in training, {split2} held out, {split3} not labelled yet",
            split=split["train"],
            split2=split["held-out"],
            split3=split[None],
        )
    )
    for c in found["classes"]:
        say(_("class {c}: {c2} ({c3}, {c4})", c=c["value"], c2=c["name"], c3=c["kind"], c4=c["color"]))
    for version in found["versions"]:
        state = "current" if version["current"] else "promoted" if version["promoted"] else "candidate"
        say(
            _(
                "version {version}: {state}, from {version2}, {version3}",
                version=version["version"],
                state=state,
                version2=version["parent"],
                version3=version["made"],
            )
        )
    for line in _work(images):
        say(line)
    for image in images:
        if "problem" in image:
            say(_("problem with {image}: {image2}", image=image["path"], image2=image["problem"]))
    say(_("last edit: {found}", found=found["last_edit"]))
    return 0


def _work(images: list[dict[str, Any]]) -> Iterator[str]:
    """Time and corrections, where there are any."""
    seconds = [image["seconds"] for image in images if image["seconds"]]
    if seconds:
        yield _("worked {sum:.1f} minutes on {images}", sum=sum(seconds) / 60, images=_images(len(seconds)))
    efforts = [image["effort"] for image in images if image["effort"]]
    proposed = sum(effort["proposed"] for effort in efforts)
    if proposed:
        corrected = sum(effort["corrected"] for effort in efforts)
        share = f"{100 * corrected / proposed:.1f} %"
        yield _(
            "corrected {share} of the first proposals of {images} ({corrected} of {proposed} pixels)",
            share=share,
            images=_images(len(efforts)),
            corrected=corrected,
            proposed=proposed,
        )


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"

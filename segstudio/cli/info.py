"""`segstudio info`."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from typing import Any

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser

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
    say(f"{len(images)} images: {status['done']} done, {status['in-progress']} in progress, {status['new']} new")
    say(f"{split['train']} in training, {split['held-out']} held out, {split[None]} not labelled yet")
    for c in found["classes"]:
        say(f"class {c['value']}: {c['name']} ({c['kind']}, {c['color']})")
    for version in found["versions"]:
        state = "current" if version["current"] else "promoted" if version["promoted"] else "candidate"
        say(f"version {version['version']}: {state}, from {version['parent']}, {version['made']}")
    for line in _work(images):
        say(line)
    for image in images:
        if "problem" in image:
            say(f"problem with {image['path']}: {image['problem']}")
    say(f"last edit: {found['last_edit']}")
    return 0


def _work(images: list[dict[str, Any]]) -> Iterator[str]:
    """Time and corrections, where there are any."""
    seconds = [image["seconds"] for image in images if image["seconds"]]
    if seconds:
        yield f"worked {sum(seconds) / 60:.1f} minutes on {_images(len(seconds))}"
    efforts = [image["effort"] for image in images if image["effort"]]
    proposed = sum(effort["proposed"] for effort in efforts)
    if proposed:
        corrected = sum(effort["corrected"] for effort in efforts)
        share = f"{100 * corrected / proposed:.1f} %"
        yield f"corrected {share} of the first proposals of {_images(len(efforts))} ({corrected} of {proposed} pixels)"


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"

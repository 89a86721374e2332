"""`segstudio info`."""

from argparse import Namespace
from collections import Counter

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
    from segstudio.tasks.info import info

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
    for image in images:
        if "problem" in image:
            say(f"problem with {image['path']}: {image['problem']}")
    say(f"last edit: {found['last_edit']}")
    return 0

"""`segstudio new --dry-run`: the images that a project would have, each with its files."""

from argparse import Namespace

from segstudio.cli.output import complain, say, say_json
from segstudio.cli.progress import shown
from segstudio.imaging.metadata import known
from segstudio.store.values import NewImage
from segstudio.tasks.images.new import found_images, parsed_classes
from segstudio.tasks.images.skipped import named_few, named_groups
from segstudio.text import _, count

__all__ = ["show_images"]


def show_images(options: Namespace) -> int:
    """Look at the files and print what would become of them."""
    parsed_classes(options.classes)
    found = shown(found_images(options.images, options.combine), _("file"))
    for line in named_groups(found.skipped):
        complain(line)
    for why, paths in found.apart.items():
        complain(_("Not joined: {files} ({why}).", files=named_few(paths), why=_(why)))
    if options.json:
        say_json({"dry_run": True, "images": [_entry(image) for image in found.images]})
        return 0
    for image in found.images:
        channels = count(image.channels, "{n} channel", "{n} channels")
        planes = count(len(image.planes), "{n} plane", "{n} planes")
        say(_("{path}: {channels}, {planes}", path=image.name or image.path, channels=channels, planes=planes))
        if image.more:
            for file in _files(image):
                say(f"    {file}")
    say(count(len(found.images), "{n} image; nothing was made.", "{n} images; nothing was made."))
    return 0


def _files(image: NewImage) -> list[str]:
    return [image.path, *(file.path for file in image.more)]


def _entry(image: NewImage) -> dict[str, object]:
    return {
        "path": image.name or image.path,
        "files": _files(image),
        "planes": len(image.planes),
        "channels": image.channels,
        "channel_names": [channel.name for channel in known(image.metadata).channels],
    }

"""What `new` and `add` passed over: the keys of their JSON object, and the words for people."""

from collections.abc import Sequence
from typing import Any, Protocol

from segstudio.cli.output import complain, say
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.skipped import SkippedFile, named_groups
from segstudio.text import _, count

__all__ = ["complain_of", "keys_of", "say_masks"]


class PassedOver(Protocol):
    """What the reports of both have."""

    @property
    def skipped_files(self) -> Sequence[SkippedFile]:
        """Files that cannot be taken."""
        ...

    @property
    def own_masks(self) -> int:
        """Masks that we exported."""
        ...

    @property
    def mask_folders(self) -> Sequence[MaskFolder]:
        """Folders with masks of the images."""
        ...


def keys_of(report: PassedOver) -> dict[str, Any]:
    """The keys of `--json`."""
    return {
        "skipped": len(report.skipped_files),
        "skipped_files": [{"path": file.path, "reason": file.reason.word} for file in report.skipped_files],
        "own_masks_skipped": report.own_masks,
        "mask_folders_skipped": _folders(report, among_images=False),
        "masks_beside_images_skipped": _folders(report, among_images=True),
    }


def _folders(report: PassedOver, *, among_images: bool) -> list[dict[str, Any]]:
    masks = (f for f in report.mask_folders if f.among_images is among_images)
    return [{"folder": str(f.folder), "files": f.files} for f in masks]


def complain_of(report: PassedOver) -> None:
    """Name what was skipped, the first three of each reason, on standard error."""
    for line in named_groups(report.skipped_files):
        complain(line)


def say_masks(report: PassedOver, project: str) -> None:
    """Say which masks were left out, and how to read them."""
    if report.own_masks:
        were = "was" if report.own_masks == 1 else "were"
        say(
            _(
                "{masks} exported by SegStudio {were} skipped.",
                masks=count(report.own_masks, "{n} mask", "{n} masks"),
                were=were,
            )
        )
    for masks in report.mask_folders:
        look, were = ("looks", "was") if masks.files == 1 else ("look", "were")
        mask, them = ("a mask", "it") if masks.files == 1 else ("masks", "them")
        which = "of the images beside" if masks.among_images else "of these images"
        which += f" {them}" if masks.among_images else ""
        name = "the files" if masks.among_images else "that folder"
        say(
            _(
                "{files} in '{folder}' {look} like {mask} {which} and {were} skipped: 'segstudio import "
                "{project} --format png {folder}' takes {them} as labels; to label {them} as images, name {name} "
                "too.",
                files=count(masks.files, "{n} file", "{n} files"),
                folder=masks.folder,
                look=look,
                mask=mask,
                which=which,
                were=were,
                project=project,
                them=them,
                name=name,
            )
        )

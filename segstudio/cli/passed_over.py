"""What `new` and `add` passed over: the keys of their JSON object, and the words for people."""

from collections.abc import Sequence
from typing import Any, Protocol

from segstudio.cli.output import complain, counted, say
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.skipped import SkippedFile, named_groups

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
        say(f"{counted(report.own_masks, 'mask')} exported by SegStudio {were} skipped.")
    for masks in report.mask_folders:
        look, were = ("looks", "was") if masks.files == 1 else ("look", "were")
        mask, them = ("a mask", "it") if masks.files == 1 else ("masks", "them")
        which = "of the images beside" if masks.among_images else "of these images"
        which += f" {them}" if masks.among_images else ""
        name = "the files" if masks.among_images else "that folder"
        say(
            f"{counted(masks.files, 'file')} in '{masks.folder}' {look} like {mask} {which} and {were} skipped: "
            f"'segstudio import {project} --format png {masks.folder}' takes {them} as labels; to label {them} as "
            f"images, name {name} too."
        )

"""What `new` and `add` passed over: keys of their JSON object, and sentences for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from segstudio.cli.output import complain, say
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.skipped import SkippedFile, named_few, named_groups
from segstudio.text import _, count

__all__ = ["complain_of", "keys_of", "say_masks"]


class PassedOver(Protocol):
    """What both reports have in common."""

    @property
    def skipped_files(self) -> Sequence[SkippedFile]:
        """Files that cannot be taken."""
        ...

    @property
    def own_masks(self) -> int:
        """Number of masks exported by SegStudio."""
        ...

    @property
    def personal(self) -> int:
        """Number of images that were taken in and whose files name a person."""
        ...

    @property
    def apart(self) -> Mapping[str, Sequence[str]]:
        """Files, by why, that are not one image though they are named so."""
        ...

    @property
    def mask_folders(self) -> Sequence[MaskFolder]:
        """Folders that hold masks of the images."""
        ...


def keys_of(report: PassedOver) -> dict[str, Any]:
    """The keys of `--json`."""
    return {
        "skipped": len(report.skipped_files),
        "skipped_files": [{"path": file.path, "reason": file.reason.word} for file in report.skipped_files],
        "own_masks_skipped": report.own_masks,
        "mask_folders_skipped": _folders(report, among_images=False),
        "masks_beside_images_skipped": _folders(report, among_images=True),
        "not_joined": [{"path": path, "reason": why} for why, paths in report.apart.items() for path in paths],
    }


def _folders(report: PassedOver, *, among_images: bool) -> list[dict[str, Any]]:
    masks = (f for f in report.mask_folders if f.among_images is among_images)
    return [{"folder": str(f.folder), "files": f.files} for f in masks]


def complain_of(report: PassedOver) -> None:
    """Name what was skipped, the first three of each reason, on standard error, and say what was copied with names."""
    for line in named_groups(report.skipped_files):
        complain(line)
    for why, paths in report.apart.items():
        complain(_("Not joined: {files} ({why}).", files=named_few(paths), why=_(why)))
    if report.personal:
        complain(
            count(
                report.personal,
                "1 image was copied into the project with the name of a person in its file.",
                "{n} images were copied into the project with names of persons in their files.",
            )
        )


def say_masks(report: PassedOver, project: str) -> None:
    """Print which masks were left out, and how to read them."""
    if report.own_masks:
        say(
            count(
                report.own_masks,
                "{n} mask exported by SegStudio was skipped.",
                "{n} masks exported by SegStudio were skipped.",
            )
        )
    for masks in report.mask_folders:
        if masks.among_images:
            skipped = count(
                masks.files,
                "{n} file in '{folder}' looks like a mask of the image beside it and was skipped.",
                "{n} files in '{folder}' look like masks of the images beside them and were skipped.",
                folder=masks.folder,
            )
            how = _(
                "To read masks as labels, run 'segstudio import {project} --format png {folder}{pattern}'; to take the "
                "files as images, name them too.",
                project=project,
                folder=masks.folder,
                pattern=f' --pattern "{masks.pattern}"' if masks.pattern else "",
            )
        else:
            skipped = count(
                masks.files,
                "{n} file in '{folder}' looks like a mask of one of these images and was skipped.",
                "{n} files in '{folder}' look like masks of these images and were skipped.",
                folder=masks.folder,
            )
            how = _(
                "To read masks as labels, run 'segstudio import {project} --format png {folder}'; to take the files as "
                "images, name that folder too.",
                project=project,
                folder=masks.folder,
            )
        say(" ".join((skipped, how)))

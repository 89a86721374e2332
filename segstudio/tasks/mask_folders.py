"""Folders of masks beside the images: told from images by names and headers alone, and only below a folder or glob.

A folder is taken for masks when each of its pictures has a partner of the same stem and size in another folder, and
either the folder is called so (masks, labels, ground_truth ...) or its pictures are palette PNGs and the partners are
none. Two folders of equal stems, such as two stains, stay images.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from segstudio.imaging.readers.table import is_palette_png
from segstudio.labels.model import folded_name
from segstudio.store.values import NewImage

__all__ = ["MaskFolder", "without_mask_folders"]

_WORDS = {"mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "gt"}
_PHRASES = {("ground", "truth"), ("groundtruth",)}


@dataclass(frozen=True, slots=True)
class MaskFolder:
    """A folder whose files look like masks of other images, and how many they are."""

    folder: Path
    files: int


def without_mask_folders(
    images: Sequence[NewImage], may_leave: Callable[[NewImage], bool]
) -> tuple[list[NewImage], list[MaskFolder]]:
    """The images without those of folders that look like masks, and these folders in the order met.

    `may_leave` says which images were not named by the person, nor lie in a folder that was.
    """
    by_folder = _by_folder(images)
    free = [folder for folder, inside in by_folder.items() if all(map(may_leave, inside))]
    if len(by_folder) < 2 or not free:
        return list(images), []
    partners = _by_stem(by_folder)
    masks = {folder for folder in free if _is_called_so(folder) and _is_matched(folder, by_folder, partners, set())}
    for folder in free:
        if folder not in masks and _is_matched(folder, by_folder, partners, masks) and _is_palette(folder, by_folder):
            keys = {_key(image) for image in by_folder[folder]}
            others = [f for f in by_folder if f != folder and f not in masks and keys & {*map(_key, by_folder[f])}]
            if not any(_is_palette(other, by_folder) for other in others):
                masks.add(folder)
    left_out = {image.path for folder in masks for image in by_folder[folder]}
    kept = [image for image in images if image.path not in left_out or _folder(image) not in masks]
    return kept, [MaskFolder(Path(folder), len(inside)) for folder, inside in by_folder.items() if folder in masks]


def _folder(image: NewImage) -> str:
    inner = image.path.rpartition("/")[0]
    return os.path.join(image.root, *inner.split("/")) if inner else str(image.root)


def _by_folder(images: Sequence[NewImage]) -> dict[str, list[NewImage]]:
    """Images by their folder, as text: with 100,000 of them paths as objects cost seconds."""
    inner: dict[tuple[Path, str], list[NewImage]] = defaultdict(list)
    for image in images:
        inner[image.root, image.path.rpartition("/")[0]].append(image)
    found: dict[str, list[NewImage]] = defaultdict(list)
    for inside in inner.values():
        found[_folder(inside[0])] += inside
    return found


def _key(image: NewImage) -> tuple[str, int, int]:
    name = image.path.rpartition("/")[2]
    return folded_name(name.rpartition(".")[0] or name), image.planes[0].width, image.planes[0].height


def _by_stem(by_folder: dict[str, list[NewImage]]) -> dict[tuple[str, int, int], set[str]]:
    """The folders that hold a picture of each stem and size."""
    found: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for folder, inside in by_folder.items():
        for image in inside:
            found[_key(image)].add(folder)
    return found


def _is_called_so(folder: str) -> bool:
    words = tuple(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", os.path.basename(folder)).lower()))
    return bool(_WORDS.intersection(words)) or any(
        words[i : i + len(phrase)] == phrase for phrase in _PHRASES for i in range(len(words))
    )


def _is_matched(
    folder: str,
    by_folder: dict[str, list[NewImage]],
    partners: dict[tuple[str, int, int], set[str]],
    masks: set[str],
) -> bool:
    """Whether each picture has a partner in a folder that is no folder of masks itself."""
    return all(
        any(other != folder and other not in masks and not _is_called_so(other) for other in partners[_key(image)])
        for image in by_folder[folder]
    )


def _is_palette(folder: str, by_folder: dict[str, list[NewImage]]) -> bool:
    return all(is_palette_png(Path(folder, image.path.rpartition("/")[2])) for image in by_folder[folder])

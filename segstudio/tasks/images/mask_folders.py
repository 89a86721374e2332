"""Masks among what a scan finds: folders, recognised by names and headers alone, and single ones beside their images.

A folder is taken for masks when each picture has a partner of the same stem and size in another folder, and either
the folder has such a name (masks, labels, ground_truth ...) or its pictures are palette PNGs and the partners are
none. Two folders of equal stems, such as two stains, stay images. Masks in one folder with their images (p1.jpg and
p1.png) are recognised by their content: `mask_pairs`.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from segstudio.formats.folder_words import is_called_masks, words_behind
from segstudio.imaging.readers.table import is_palette_png
from segstudio.labels.model import folded_name
from segstudio.store.values import NewImage
from segstudio.tasks.images.mask_pairs import masks_beside_images

__all__ = ["MaskFolder", "without_mask_folders"]

_Key = tuple[str, int, int]
"""Stem and size of a picture: what a mask shares with its image."""


@dataclass(frozen=True, slots=True)
class MaskFolder:
    """A folder with files that look like masks of other images, how many they are, and whether the images lie there.

    `pattern` says how these are named, where all have the same words behind the stem of their image: `{stem}_mask`.
    """

    folder: Path
    files: int
    among_images: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Folder:
    """One folder of the scan; `named_masks` says that it, or one above it below the root, is called like masks."""

    path: str
    images: list[NewImage]
    keys: frozenset[_Key]
    named_masks: bool
    may_leave: bool

    @property
    def all_palette(self) -> bool:
        """Whether all pictures are palette PNGs; reads a header each, so it is asked last."""
        return all(is_palette_png(Path(self.path, _name(image))) for image in self.images)


def without_mask_folders(
    images: Sequence[NewImage],
    may_leave: Callable[[NewImage], bool],
    may_leave_one: Callable[[NewImage], bool] | None = None,
) -> tuple[list[NewImage], list[MaskFolder]]:
    """The images without those that look like masks, and the folders of these in the order met.

    `may_leave` says which images were not named by the person, nor lie in a folder that was: only of them a whole
    folder is left out. `may_leave_one` says which may be left out as masks beside their images; by default the same.
    """
    folders = _folders(images, may_leave)
    masks = _mask_folders(folders)
    left_out = {id(image) for folder in masks for image in folder.images}
    rest = [image for image in images if id(image) not in left_out]
    beside = {id(image) for image in masks_beside_images(rest, may_leave_one or may_leave)}
    kept = [image for image in rest if id(image) not in beside]
    said = [MaskFolder(Path(folder.path), len(folder.images)) for folder in masks]
    among = ((folder.path, [image for image in folder.images if id(image) in beside]) for folder in folders)
    return kept, said + [
        MaskFolder(Path(path), len(found), among_images=True, pattern=_pattern(found)) for path, found in among if found
    ]


def _pattern(masks: Sequence[NewImage]) -> str:
    """See `MaskFolder`; '' where the masks have the stems of their images, or are named in several ways."""
    ends = {words_behind(_stem(_name(mask))) for mask in masks}
    return f"{{stem}}{ends.pop()}" if len(ends) == 1 and ends != {""} else ""


def _mask_folders(folders: Sequence[_Folder]) -> list[_Folder]:
    if len(folders) < 2 or not any(folder.may_leave for folder in folders):
        return []
    partners: dict[_Key, list[_Folder]] = defaultdict(list)
    for folder in folders:
        for key in folder.keys:
            if not folder.named_masks:
                partners[key].append(folder)
    return [folder for folder in folders if folder.may_leave and _looks_like_masks(folder, partners)]


def _looks_like_masks(folder: _Folder, partners: dict[_Key, list[_Folder]]) -> bool:
    others = {id(other): other for key in folder.keys for other in partners.get(key, ()) if other is not folder}
    if not folder.keys <= frozenset().union(*(other.keys for other in others.values())):
        return False
    return folder.named_masks or (folder.all_palette and not any(other.all_palette for other in others.values()))


def _folders(images: Sequence[NewImage], may_leave: Callable[[NewImage], bool]) -> list[_Folder]:
    """The folders of the scan in the order met; names stay text, for 100,000 paths as objects cost seconds."""
    by_folder: dict[tuple[Path, str], list[NewImage]] = defaultdict(list)
    for image in images:
        by_folder[image.root, image.path.rpartition("/")[0]].append(image)
    return [
        _Folder(
            os.path.join(root, *inner.split("/")),
            inside,
            frozenset(map(_key, inside)) if len(by_folder) > 1 else frozenset(),
            any(map(is_called_masks, inner.split("/"))),
            all(map(may_leave, inside)),
        )
        for (root, inner), inside in by_folder.items()
    ]


def _name(image: NewImage) -> str:
    return image.path.rpartition("/")[2]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _key(image: NewImage) -> _Key:
    name = _name(image)
    return folded_name(_stem(name)), image.planes[0].width, image.planes[0].height

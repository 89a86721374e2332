"""Words in the names of masks and of images and of their folders: one set for scans and for matching."""

import re
import unicodedata
from itertools import groupby, pairwise

__all__ = ["ROLE_WORDS", "is_called_masks", "stem_of_image", "words_behind"]

_MASKS = frozenset({
    "mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "gt",
    "groundtruth", "segmentationclass",
})  # fmt: skip
_TWO_WORDS = ("ground", "truth")
_IMAGES = frozenset({"image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures"})

ROLE_WORDS = _MASKS | _IMAGES | frozenset(_TWO_WORDS)
"""Folded words for what a folder holds rather than for which images: `train/masks` and `train/images` are one place."""


def is_called_masks(folder: str) -> bool:
    """Whether one of the words in a folder's name says that it holds masks: `Masks_v2`, `groundTruth`, `train-gt`."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", folder).lower())
    return not _MASKS.isdisjoint(words) or _TWO_WORDS in pairwise(words)


_AT_THE_END = _MASKS | frozenset(_TWO_WORDS) | {"seg", "cp"}
"""Words that programs put behind an image's stem: `p1_mask`, `p1_seg`, `p1_cp_masks`."""


def stem_of_image(stem: str) -> str:
    """The folded stem of the image that a mask called like this belongs to: `p1` for `p1_mask` and `p1-ground_truth`.

    A stem of other words, and one of such words alone, stays as it is."""
    return _at_the_words(stem)[0]


def words_behind(stem: str) -> str:
    """What stands behind the stem of its image in an unfolded one, as it is written: `_Mask` for `Straße_Mask`."""
    return _at_the_words(stem)[1]


def _at_the_words(stem: str) -> tuple[str, str]:
    """A stem in two: before the words at its end, and these with what is before each. The second may be empty."""
    parts = _parts(stem)
    end = len(parts)
    while end > 1 and parts[end - 1].casefold() in _AT_THE_END:
        end -= 2
    head = "".join(parts[:end])
    return (head, stem[len(head) :]) if head else (stem, "")


def _parts(stem: str) -> list[str]:
    """Words and what is between them, by turns."""
    if stem.isascii():
        return re.split(r"([\W_]+)", stem)
    return ["".join(part) for _, part in groupby(stem, _is_between)]


def _is_between(character: str) -> bool:
    """Whether it parts words. A mark on a letter does not, and is no letter either: macOS writes `é` in two parts."""
    return not character.isalnum() and not unicodedata.category(character).startswith("M")

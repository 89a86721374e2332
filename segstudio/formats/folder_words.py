"""Words in the names of masks and of images and of their folders: one set for scans and for matching."""

import re
from itertools import pairwise

__all__ = ["ROLE_WORDS", "is_called_masks", "stem_of_image"]

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
    parts = re.split(r"([\W_]+)", stem)  # words and what is between them, by turns
    end = len(parts)
    while end > 1 and parts[end - 1] in _AT_THE_END:
        end -= 2
    return "".join(parts[:end]) if end > 0 and "".join(parts[:end]) else stem

"""Words in the names of folders of masks and of images: one set for scans and for matching."""

import re
from itertools import pairwise

__all__ = ["ROLE_WORDS", "is_called_masks"]

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

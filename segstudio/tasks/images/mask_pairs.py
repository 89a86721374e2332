"""Masks that lie beside their images in one folder: p1.jpg and its mask p1.png or p1_mask.png. Recognised by content.

A mask has the stem of another picture of its folder, or words such as `mask` behind it, and its size; it is stored
without loss, and is flat: few values, that change between neighbours only at the borders of areas. The other picture is
not flat, and not the same one stored a second time. A real image beside its preview stays an image.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.formats.folder_words import stem_of_image
from segstudio.imaging.source import Pixels, open_image
from segstudio.labels.model import folded_name
from segstudio.store.values import NewImage

__all__ = ["is_flat", "is_same_picture", "masks_beside_images"]

_LOSSLESS = ("png", "bmp", "gif", "tiff", "npy")
_ROWS = 512
_FEW = 64
_FEW_16_BIT = 4096
_BORDERS = 0.2
_SAME = 0.1
_JUDGED = 8
_LARGEST_PIXELS = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A picture that may be a mask, and those that may be its image."""

    mask: NewImage
    images: tuple[NewImage, ...]


def masks_beside_images(images: Iterable[NewImage], may_leave: Callable[[NewImage], bool]) -> list[NewImage]:
    """The images that are masks of others in their folder. Decodes some pictures of a folder where stems are equal,
    and all of them only where these are of both sorts."""
    found: list[NewImage] = []
    for pairs in _pairs(images, may_leave):
        step = max(1, len(pairs) // _JUDGED)
        sample = pairs[::step]
        judged = {id(pair): _is_mask(pair) for pair in sample}
        if all(judged.values()):
            found += [pair.mask for pair in pairs]
        elif any(judged.values()):
            found += [p.mask for p in pairs if (judged[id(p)] if id(p) in judged else _is_mask(p))]
    return found


def _pairs(images: Iterable[NewImage], may_leave: Callable[[NewImage], bool]) -> list[list[_Pair]]:
    """Candidates with their partners, by folder and format of the candidate."""
    groups: defaultdict[tuple[Path, str, str, int, int], list[NewImage]] = defaultdict(list)
    for image in images:
        folder, _, name = image.path.rpartition("/")
        plane = image.planes[0]
        if len(image.planes) == 1 and plane.width * plane.height <= _LARGEST_PIXELS:
            stem = folded_name(name.rpartition(".")[0] or name)
            groups[image.root, folder, stem, plane.width, plane.height].append(image)
    found: defaultdict[tuple[object, ...], list[_Pair]] = defaultdict(list)
    for (root, folder, stem, width, height), group in groups.items():
        named_after = groups.get((root, folder, stem_of_image(stem), width, height), group)
        partners = group if named_after is group else [*group, *named_after]
        for image in group if len(partners) > 1 else ():
            if image.family in _LOSSLESS and image.channels in (1, 3) and may_leave(image):
                others = tuple(other for other in partners if other is not image)
                found[root, folder, image.family, named_after is group].append(_Pair(image, others))
    return list(found.values())


def _is_mask(pair: _Pair) -> bool:
    mask = _pixels(pair.mask)
    if mask is None or not is_flat(mask):
        return False
    others = [pixels for image in pair.images if (pixels := _pixels(image)) is not None]
    return any(not is_flat(other) and not is_same_picture(mask, other) for other in others)


def _pixels(image: NewImage) -> Pixels | None:
    """Rows of a picture, at most 512 spread over it; None where it cannot be read."""
    plane = image.planes[0]
    try:
        source = open_image(Path(image.root, *image.path.split("/")))
        try:
            pixels = source.read()
        finally:
            source.close()
    except UnreadableImage:
        return None
    return pixels[:: max(1, plane.height // _ROWS)]


def is_flat(pixels: Pixels) -> bool:
    """Whether samples (h, w, c) hold few values, that change between neighbours only at the borders of areas.

    Up to 64 values, of 16 bits and one channel up to 4096 (a number an object). Where both neighbours have the most
    common value nothing is counted: an image of a small object on black is not flat for that.
    """
    values = _as_numbers(pixels)
    if values is None:
        return False
    distinct, counts = np.unique(values, return_counts=True)
    deep = pixels.shape[2] == 1 and pixels.dtype.itemsize > 1
    if len(distinct) < 2 or len(distinct) > (_FEW_16_BIT if deep else _FEW):
        return False
    common = distinct[np.argmax(counts)]
    left, right = values[:, :-1], values[:, 1:]
    looked = (left != common) | (right != common)
    total = int(np.count_nonzero(looked))
    return total > 0 and int(np.count_nonzero(left != right)) <= _BORDERS * total


def _as_numbers(pixels: Pixels) -> NDArray[np.int64] | None:
    """One whole number a pixel; None for samples that are not whole numbers."""
    if not np.issubdtype(pixels.dtype, np.integer) and pixels.dtype != np.bool_:
        return None
    numbers = np.zeros(pixels.shape[:2], np.int64)
    for channel in range(pixels.shape[2]):
        numbers = (numbers << 16) + pixels[..., channel].astype(np.int64)
    return numbers


def is_same_picture(a: Pixels, b: Pixels) -> bool:
    """Whether two pictures (h, w, c) of one size show the same, as a drawing stored as PNG and as JPEG does."""
    grey_a, grey_b = _grey(a), _grey(b)
    if grey_a.shape != grey_b.shape:
        return False
    return float(np.abs(grey_a - grey_b).mean()) < _SAME * float(grey_a.std())


def _grey(pixels: Pixels) -> NDArray[np.float32]:
    scale = float(np.iinfo(pixels.dtype).max) if np.issubdtype(pixels.dtype, np.integer) else 1.0
    return pixels.astype(np.float32).mean(2) / scale

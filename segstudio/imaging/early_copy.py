"""A smaller copy of a large plane that its format gives sooner than the plane itself: to show while that is decoded."""

from pathlib import Path

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.frames import upright
from segstudio.imaging.readers.raster import orientation_of
from segstudio.imaging.source import ImageInfo, Pixels

__all__ = ["early_copy", "reduced_jpeg"]

_WORTH_PX = 1 << 23
"""Planes of fewer pixels are decoded before anybody notices."""

_STEP = 8
"""How much smaller it is each way."""


def early_copy(file: Path, info: ImageInfo, plane: int) -> Pixels | None:
    """Samples (h, w, c) as stored, an eighth of the width and height rounded up; None where none is to be had soon."""
    whole = info.planes[plane]
    if whole.width * whole.height < _WORTH_PX:
        return None
    try:
        if info.family == "jpeg" and len(info.planes) == 1:
            return _early_jpeg(file, info)
        if info.family == "tiff" and info.by_block and not info.alpha:
            return _early_tiff(file, info, plane)
    except UnreadableImage:
        return None  # whoever reads the plane itself is told
    return None


def _early_jpeg(file: Path, info: ImageInfo) -> Pixels | None:
    from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow

    with opened_by_pillow(file, ("JPEG", "MPO")) as image, reading_by_pillow(file):
        if image.info.get("progressive"):
            return None  # all of it is read before any size of it is known
    found = reduced_jpeg(file, _STEP, "L" if info.channels == 1 else "RGB")
    plane = info.planes[0]
    return found if found.shape[:2] == (-(-plane.height // _STEP), -(-plane.width // _STEP)) else None


def reduced_jpeg(file: Path, step: int, mode: str = "RGB") -> Pixels:
    """A JPEG as uint8 (h, w, 3), or (h, w, 1) for mode 'L', upright and reduced by at most 1, 2, 4 or 8 each way while
    it is decoded, which takes a fraction of the time. Raises `UnreadableImage`.
    """
    from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow

    with opened_by_pillow(file, ("JPEG", "MPO")) as image, reading_by_pillow(file):
        orientation = orientation_of(file, image)
        width, height = image.size
        image.draft(None, (max(width // step, 1), max(height // step, 1)))
        samples = np.array(image if image.mode == mode else image.convert(mode))
    return upright(samples[..., None] if samples.ndim == 2 else samples, orientation)


def _early_tiff(file: Path, info: ImageInfo, plane: int) -> Pixels | None:
    """Every eighth pixel of a page whose samples lie in the file as they are."""
    import tifffile

    from segstudio.imaging.readers.refusal import reading

    with reading(file, tifffile.TiffFileError), tifffile.TiffFile(file) as tiff:
        pages = tiff.series[0].pages
        page = pages[plane] if len(tiff.series) == 1 and len(pages) == len(info.planes) else None
        form = None if page is None else page.keyframe
        if page is None or form is None or not form.is_memmappable or not page.is_contiguous:
            return None
        if int(form.photometric) not in (1, 2) or form.planarconfig != 1 or str(form.dtype) != info.dtype:
            return None
        if form.samplesperpixel != info.channels or form.imagedepth != 1:
            return None
        dtype = np.dtype(info.dtype).newbyteorder(tiff.byteorder)
        samples = np.memmap(file, dtype, "r", page.dataoffsets[0], form.shape)
        found = np.asarray(samples[::_STEP, ::_STEP], info.dtype)
    return found[..., None] if found.ndim == 2 else found

"""Pillow, opened with our own limits: only the formats named, damage as a sentence, no warning on standard error."""

from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.imaging.readers.refusal import reading

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["opened_by_pillow", "reading_by_pillow"]

# `checked_size` checks the header; this limit is for frames inside a file, which only Pillow sees in time.
_LARGEST_PIXELS = 2**30


def opened_by_pillow(path: Path, formats: tuple[str, ...], data: bytes | None = None) -> "Image":
    """The file, or its whole content, with its header read; the caller closes it. Raises `UnreadableImage`."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _LARGEST_PIXELS
    with reading_by_pillow(path):
        return Image.open(path if data is None else BytesIO(data), formats=formats)


def reading_by_pillow(path: Path) -> AbstractContextManager[None]:
    """Turn whatever Pillow raises about the content inside the block into `UnreadableImage`."""
    from PIL import Image

    return reading(path, Image.DecompressionBombError)

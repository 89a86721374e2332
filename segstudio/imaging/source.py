"""What an image is to the rest of the program: planes of pixels that are read by rectangle.

`probe` looks at headers alone, `open_image` gives a source that decodes when pixels are first asked for. Which family
of files a path belongs to is decided by its first bytes, never by its name.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["ImageInfo", "ImageSource", "Pixels", "PlaneInfo", "open_image", "probe"]

Pixels = NDArray[Any]
"""Samples as (h, w, c) in the file's own dtype."""


@dataclass(frozen=True, slots=True)
class PlaneInfo:
    """One plane (page, frame, slice); the size in pixels is that of the shown (EXIF) orientation.

    `key` names the plane within its file for good, whatever order a later reader gives.
    """

    key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header tells. `channels` leaves transparency out, `alpha` says whether there is some.

    `dtype` is the NumPy name of a sample's type, `family` the reader's (`png`, `jpeg`, ...).
    """

    planes: tuple[PlaneInfo, ...]
    channels: int
    dtype: str
    family: str
    alpha: bool = False


class ImageSource(Protocol):
    """An open image. Reading is safe from any thread; the first read of a plane decodes it."""

    info: ImageInfo

    def read(self, plane: int, rect: Rect) -> Pixels:
        """Samples (h, w, c) of a rectangle, cut at the plane's edges; read-only; transparency left out.

        Raises `UnreadableImage` where the pixels are cut short or damaged.
        """
        ...

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """Opacity (h, w) of a rectangle in the samples' dtype; None where the file has none."""
        ...

    def drop(self, plane: int) -> None:
        """Let go of what was decoded of a plane; reading it afterwards decodes it again."""
        ...

    def close(self) -> None:
        """Let go of file and memory; reading afterwards opens it again."""
        ...


def probe(path: Path) -> ImageInfo:
    """What the header of a file says, without decoding a pixel (some 0.1 ms).

    Raises `UnreadableImage` with the file's name where it is missing, no image, or its header is damaged.
    """
    from segstudio.imaging.readers.table import family_of

    return family_of(path).reader().probe(path)


def open_image(path: Path) -> ImageSource:
    """A source of the file's pixels. Raises as `probe` does; damaged pixels are met at the first read."""
    from segstudio.imaging.readers.table import family_of

    return family_of(path).reader().open_image(path)

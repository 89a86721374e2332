"""What an image is to the rest of the program: planes of pixels that are read by rectangle.

`probe` reads headers only; `open_image` gives a source that decodes when pixels are first requested. A file's family is
decided by its first bytes, never by its name.
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
    """The content of a header. `channels` leaves transparency out, `alpha` says whether there is any.

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

        Raises `UnreadableImage` if the pixels are cut short or damaged.
        """
        ...

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """Opacity (h, w) of a rectangle in the samples' dtype; None if the file has none."""
        ...

    def drop(self, plane: int) -> None:
        """Release the decoded plane; reading it afterwards decodes it again."""
        ...

    def close(self) -> None:
        """Release file and memory; reading afterwards opens it again."""
        ...


def probe(path: Path) -> ImageInfo:
    """The header of a file, without decoding a pixel (some 0.1 ms).

    Raises `UnreadableImage` with the file's name if it is missing, not an image, or its header is damaged.
    """
    from segstudio.imaging.readers.table import family_of

    return family_of(path).reader().probe(path)


def open_image(path: Path) -> ImageSource:
    """A source of the file's pixels. Raises as `probe` does; damaged pixels are found at the first read."""
    from segstudio.imaging.readers.table import family_of

    return family_of(path).reader().open_image(path)

"""What an image is to the rest of the program: planes of pixels that are read by rectangle.

`probe` reads the header of one file; `open_image` gives a source that decodes when pixels are first requested;
`open_stored` does that for the files of an image as a project knows them. A file's family is decided by its first
bytes, never by its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.metadata import PLAIN, Metadata

__all__ = [
    "ImageInfo",
    "ImageSource",
    "Part",
    "Pixels",
    "PlaneInfo",
    "Stored",
    "open_image",
    "open_stored",
    "probe",
]

Pixels = NDArray[Any]
"""Samples as (h, w, c) in the file's own dtype."""


@dataclass(frozen=True, slots=True)
class PlaneInfo:
    """One plane (page, frame, slice); the size in pixels is that of the shown (EXIF) orientation.

    `key` names the plane within its image for good, whatever order a later reader gives. `file` is the place of its
    file among those of the image.
    """

    key: str
    width: int
    height: int
    file: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What a file that is one of several of an image says of its place among them.

    Files of one `series` belong together; `name` is what a person calls it, safe as a name of a file. `order` sorts the
    files where nothing better is known.
    """

    series: str
    name: str
    order: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """The content of a header. `channels` leaves transparency out, `alpha` says whether there is any.

    `dtype` is the NumPy name of a sample's type, `family` the reader's (`png`, `jpeg`, ...). `levels` are (width,
    height) of the smaller copies of every plane that the file itself has, largest first. `part` says that the file may
    be one of several of an image. `beside` are names of files in its folder without which it has no pixels.
    `by_block`: reading a rectangle costs what it covers, and not the whole plane.
    """

    planes: tuple[PlaneInfo, ...]
    channels: int
    dtype: str
    family: str
    alpha: bool = False
    metadata: Metadata = PLAIN
    levels: tuple[tuple[int, int], ...] = ()
    part: Part | None = None
    beside: tuple[str, ...] = ()
    by_block: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """An image as a project knows it: its files in their order, and its planes, in theirs.

    `planes` are keyed as the reader keyed them when the image came into the project. Of one file without keys they
    stand in the reader's order. `metadata` is what was known of all of them together.
    """

    files: tuple[Path, ...]
    planes: tuple[PlaneInfo, ...] = ()
    metadata: Metadata = PLAIN

    @property
    def first(self) -> Path:
        """The first file, after which an image is named."""
        return self.files[0]


class ImageSource(Protocol):
    """An open image. Reading is safe from any thread; the first read of a plane decodes it."""

    info: ImageInfo

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """Samples (h, w, c) as stored of a rectangle in pixels of a level (0 is the plane, n is `info.levels[n - 1]`),
        cut at its edges, or of all of it; of these channels, or all; read-only; transparency left out.

        Raises `UnreadableImage` if the pixels are cut short or damaged.
        """
        ...

    def rescale(self, plane: int) -> tuple[float, float]:
        """Slope and intercept that make values of stored samples: value = slope * sample + intercept."""
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


def open_stored(stored: Stored) -> ImageSource:
    """A source of an image's pixels, its planes in the project's order. Raises as `open_image` does."""
    from segstudio.imaging.joined import open_joined
    from segstudio.imaging.readers.table import family_of
    from segstudio.imaging.reordered import reordered

    first, *more = stored.files
    if more and stored.metadata.files:
        return open_joined(stored)
    if more:
        return family_of(first).series_reader().open_series(stored)
    return reordered(open_image(first), [plane.key for plane in stored.planes])

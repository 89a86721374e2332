"""The pixels of the image on screen, as RGB at every level of reduction, prepared away from the GUI thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect

if TYPE_CHECKING:
    from segstudio.imaging.display import Levels
    from segstudio.imaging.source import PlaneInfo

__all__ = ["DisplayImage", "OtherSize", "load_display_image"]

_SMALLEST = 512


class OtherSize(UnreadableImage):
    """The file has other pixels than its labels are for."""


class DisplayImage:
    """One plane. Level n is reduced by 2 ** n; `rgb` gives views, which are not to be written."""

    def __init__(self, pixels: NDArray[np.generic], levels: "Levels") -> None:
        self.pixels = pixels
        self._rgb = _rgb_levels(pixels, levels)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in image pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def levels(self) -> int:
        """How many levels there are; level 0 is the image itself."""
        return len(self._rgb)

    def rgb(self, level: int, rect: Rect) -> NDArray[np.uint8]:
        """The pixels (h, w, 3) of a rectangle given in the level's own pixels, clipped to it."""
        image = self._rgb[level]
        inside = rect.intersected(Rect(0, 0, image.shape[1], image.shape[0]))
        return image[inside.y : inside.bottom, inside.x : inside.right]

    def value_text(self, x: int, y: int) -> str:
        """The stored value of a pixel in words."""
        value = np.atleast_1d(self.pixels[y, x])
        return " ".join(f"{v:g}" if isinstance(v, np.floating) else str(v) for v in value)


def _rgb_levels(pixels: NDArray[np.generic], levels: "Levels") -> list[NDArray[np.uint8]]:
    from segstudio.imaging.display import to_rgb
    from segstudio.imaging.pyramid import halved

    out = [np.ascontiguousarray(to_rgb(pixels, levels))]
    while max(out[-1].shape[:2]) > _SMALLEST:
        out.append(halved(out[-1]))
    return out


def load_display_image(file: Path, plane: int, size: tuple[int, int] | None = None) -> DisplayImage:
    """Decode a plane, which is to have this width and height, and prepare it. For a worker thread.

    Raises `UnreadableImage`; `OtherSize` where the labels would not lie on these pixels.
    """
    from segstudio.imaging.display import auto_levels
    from segstudio.imaging.source import open_image

    source = open_image(file)
    try:
        planes = source.info.planes
        if plane >= len(planes) or (size is not None and (planes[plane].width, planes[plane].height) != size):
            raise OtherSize(_other_size(file, planes, plane, size))
        info = planes[plane]
        pixels = source.read(plane, Rect(0, 0, info.width, info.height))
    finally:
        source.close()
    return DisplayImage(pixels, auto_levels(pixels))


def _other_size(file: Path, planes: "Sequence[PlaneInfo]", plane: int, size: tuple[int, int] | None) -> str:
    if plane >= len(planes):
        return f"{file.name} was changed: it has {len(planes)} planes now, and plane {plane} is not among them."
    now = planes[plane]
    was = "another size" if size is None else f"{size[0]} x {size[1]} pixels"
    return (
        f"{file.name} was changed: it has {now.width} x {now.height} pixels now, and its labels are for {was}. "
        "They are untouched; put the image back as it was to go on."
    )

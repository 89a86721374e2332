"""The pixels of the image on screen: samples as they are stored, at every level, and how they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segstudio.app.viewing.scale_bar import Spacing
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.imaging.display import View
    from segstudio.imaging.levels import Levels
    from segstudio.imaging.outside_map import OutsideMap
    from segstudio.imaging.samples import Samples
    from segstudio.imaging.source import PlaneInfo, Stored

__all__ = ["DisplayImage", "OtherSize", "load_display_image"]


class OtherSize(UnreadableImage):
    """The file has other pixels than its labels are for."""


@dataclass(frozen=True, slots=True, eq=False)
class DisplayImage:
    """One plane in one view; a value. Nothing of its samples is copied where another view is taken.

    `found` are the levels of the plane, `view` says how it is shown, `spacing` how wide a pixel is where that is known;
    `inverted`: low values are to be bright, until somebody chooses otherwise; `beyond` says what lies outside the
    picture, None where nothing does. Arrays handed out are not to be written.
    """

    stored: "Samples"
    found: "Levels"
    view: "View"
    spacing: Spacing | None = None
    inverted: bool = False
    beyond: "OutsideMap | None" = None

    @staticmethod
    def of(
        samples: NDArray[Any],
        found: "Levels",
        folder: Path | None = None,
        *,
        inverted: bool = False,
        beyond: "OutsideMap | None" = None,
    ) -> "DisplayImage":
        """Samples (h, w, c) of a whole plane in their automatic view, and their pyramid. For a worker thread.

        Large ones lie in a file in `folder`, if there is one, and are in memory where somebody looks at them.
        """
        from segstudio.imaging.paged import paged
        from segstudio.imaging.pyramid import pyramid
        from segstudio.imaging.samples import HeldSamples

        held = HeldSamples(*paged(pyramid(samples), folder))
        return DisplayImage.shown(held, found, inverted=inverted, beyond=beyond)

    @staticmethod
    def shown(
        stored: "Samples", found: "Levels", *, inverted: bool = False, beyond: "OutsideMap | None" = None
    ) -> "DisplayImage":
        """Samples in their automatic view."""
        from segstudio.imaging.display import automatic_view

        view = automatic_view(stored.channels, found, inverted=inverted)
        return DisplayImage(stored, found, view, inverted=inverted, beyond=beyond)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in image pixels."""
        return self.stored.sizes[0]

    @property
    def levels(self) -> int:
        """How many levels there are; level n is reduced by 2 ** n, level 0 is the image itself."""
        return len(self.stored.sizes)

    @property
    def channels(self) -> int:
        """How many channels the image has, shown or not."""
        return self.stored.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its samples."""
        return self.stored.dtype

    @property
    def overview(self) -> NDArray[Any]:
        """The samples (h, w, c) of the smallest level, as far as they are decoded."""
        return self.stored.overview

    def smallest(self) -> NDArray[Any]:
        """The same once all is decoded: for a worker thread. Raises `UnreadableImage`."""
        last = self.levels - 1
        return self.stored.read(last, Rect(0, 0, *self.stored.sizes[last]))

    @property
    def automatic(self) -> "View":
        """The view until somebody chooses another."""
        from segstudio.imaging.display import automatic_view

        return automatic_view(self.channels, self.found, inverted=self.inverted)

    def fits(self, view: "View") -> bool:
        """Whether the image has every channel of a view."""
        return all(0 <= channel.index < self.channels for channel in view.channels)

    def seen(self, view: "View") -> "DisplayImage":
        """The same samples in another view. Raises `ValueError` where that names a channel the image does not have."""
        if not self.fits(view):
            raise ValueError(f"an image of {self.channels} channels cannot be shown as {view}")
        return replace(self, view=view)

    def samples(self, level: int, rect: Rect) -> NDArray[Any]:
        """The samples (h, w, c) of a rectangle given in the level's own pixels, clipped to it.

        Waits for what is not decoded yet. Raises `UnreadableImage` where a large file is damaged there, or gone.
        """
        return self.stored.read(level, rect)

    def at_once(self, level: int, rect: Rect) -> NDArray[Any]:
        """The same for a canvas, which never waits: what is not decoded yet is blurred, and is asked for."""
        return self.stored.at_once(level, rect)

    def has(self, level: int, rect: Rect) -> bool:
        """Whether `samples` would not wait."""
        return self.stored.has(level, rect)

    def outside(self, rect: Rect) -> "NDArray[np.bool_] | None":
        """Which pixels (h, w) of a rectangle within the image lie outside the picture; None where none does."""
        return None if self.beyond is None else self.beyond.mask(rect)

    def value_text(self, x: int, y: int) -> str:
        """The stored value of a pixel in words; '…' where it is not decoded yet."""
        if not self.has(0, Rect(x, y, 1, 1)):
            return "…"
        value = self.samples(0, Rect(x, y, 1, 1))[0, 0]
        return " ".join(f"{v:g}" if isinstance(v, np.floating) else str(v) for v in value)


def load_display_image(
    stored: "Stored",
    plane: int,
    size: tuple[int, int] | None = None,
    known: "Levels | None" = None,
    folder: Path | None = None,
) -> DisplayImage:
    """Decode a plane, which is to have this width and height, and prepare it. For a worker thread.

    `known` are its levels where they were found before, `folder` is for the samples of a large one. Raises
    `UnreadableImage`; `OtherSize` where the labels would not lie on these pixels.
    """
    from segstudio.imaging.early_copy import early_copy
    from segstudio.imaging.filling_samples import FillingSamples
    from segstudio.imaging.levels import levels_of
    from segstudio.imaging.outside_map import outside_map
    from segstudio.imaging.paged import LARGE_BYTES, room_for
    from segstudio.imaging.source import open_stored
    from segstudio.imaging.tiled_samples import TiledSamples, may_be_tiled

    source = open_stored(stored)
    info = source.info
    try:
        planes = info.planes
        if plane >= len(planes) or (size is not None and (planes[plane].width, planes[plane].height) != size):
            raise OtherSize(_other_size(stored.first, planes, plane, size))
        found = known or levels_of(source, plane)
        beyond = outside_map(source, plane)
        shown = partial(DisplayImage.shown, found=found, inverted=info.metadata.inverted, beyond=beyond)
        if may_be_tiled(info, plane):
            return shown(TiledSamples(source, plane))
        early = early_copy(stored.first, info, plane) if len(stored.files) == 1 else None
        decoded = None if early is not None or info.by_block else source.read(plane=plane)
        if decoded is None or decoded.nbytes >= LARGE_BYTES:
            # From here on it is there row by row: smaller levels and a file take as long again as decoding.
            return shown(FillingSamples(source, plane, partial(room_for, folder=folder), early))
    except BaseException:
        source.close()
        raise
    source.close()
    return DisplayImage.of(decoded, found, folder, inverted=info.metadata.inverted, beyond=beyond)


def _other_size(file: Path, planes: "Sequence[PlaneInfo]", plane: int, size: tuple[int, int] | None) -> str:
    if plane >= len(planes):
        return count(
            len(planes),
            "{name} was changed: it now has 1 plane, and plane {plane} is not there.",
            "{name} was changed: it now has {n} planes, and plane {plane} is not among them.",
            name=file.name,
            plane=plane,
        )
    now = planes[plane]
    values = {"name": file.name, "width": now.width, "height": now.height}
    if size is None:
        return _(
            "{name} was changed: it now has {width} x {height} pixels, and its labels are for another size. They are "
            "untouched; restore the image file to continue.",
            **values,
        )
    return _(
        "{name} was changed: it now has {width} x {height} pixels, and its labels are for {w} x {h} pixels. They are "
        "untouched; restore the image file to continue.",
        **values,
        w=size[0],
        h=size[1],
    )

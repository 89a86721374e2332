"""The pixels of the image on screen: their values (samples after slope and intercept) at every level, and how they are
shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segstudio.app.viewing.scale_bar import Spacing
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.imaging.display import View
    from segstudio.imaging.levels import Levels
    from segstudio.imaging.samples import Samples
    from segstudio.imaging.source import PlaneInfo, Stored
    from segstudio.imaging.values import Rescale
    from segstudio.imaging.windows import NamedWindow

__all__ = ["DisplayImage", "OtherSize", "load_display_image"]


class OtherSize(UnreadableImage):
    """The file has other pixels than its labels are for."""


@dataclass(frozen=True, slots=True, eq=False)
class DisplayImage:
    """One plane in one view; a value. Nothing of its samples is copied where another view is taken.

    Samples, levels and views are in values after rescale. `found` are the levels of the plane (`found_stored` those of
    its samples as stored, `by_channel` those of each channel of a composite), `view` says how it is shown, `spacing`
    how wide a pixel is where that is known, `metadata` what the file says beside its pixels.
    Arrays handed out are not to be written.
    """

    stored: "Samples"
    found: "Levels"
    view: "View"
    spacing: Spacing | None = None
    metadata: Metadata = PLAIN
    found_stored: "Levels | None" = None
    by_channel: "tuple[Levels, ...]" = ()

    @staticmethod
    def of(
        samples: NDArray[Any],
        found: "Levels",
        folder: Path | None = None,
        *,
        metadata: Metadata = PLAIN,
        rescale: "Rescale" = (1.0, 0.0),
    ) -> "DisplayImage":
        """Samples (h, w, c) of a whole plane as stored in their first view, and their pyramid. For a worker thread.

        `found` are levels of the samples. Large ones lie in a file in `folder`, if there is one, and are in memory
        where somebody looks at them.
        """
        from segstudio.imaging.bands import is_composite
        from segstudio.imaging.first_view import first_view_of
        from segstudio.imaging.levels import seen_by_channel, seen_levels
        from segstudio.imaging.paged import paged
        from segstudio.imaging.pyramid import pyramid
        from segstudio.imaging.samples import HeldSamples
        from segstudio.imaging.values import PLAIN_VALUES, ValuedSamples, levels_in_values

        held = HeldSamples(*paged(pyramid(samples), folder))
        stored = held if rescale == PLAIN_VALUES else ValuedSamples(held, rescale)
        levels = levels_in_values(seen_levels(samples, found), rescale)
        each = seen_by_channel(samples) if is_composite(metadata, held.channels) else ()
        by_channel = tuple(levels_in_values(one, rescale) for one in each)
        view = first_view_of(metadata, held.channels, levels, by_channel)
        return DisplayImage(stored, levels, view, metadata=metadata, found_stored=found, by_channel=by_channel)

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
        """The type of its values."""
        return self.stored.dtype

    @property
    def overview(self) -> NDArray[Any]:
        """The values (h, w, c) of the smallest level."""
        return self.stored.overview

    @property
    def automatic(self) -> "View":
        """The view between the levels that were found."""
        from segstudio.imaging.first_view import automatic_view_of

        return automatic_view_of(self.metadata, self.channels, self.found, self.by_channel)

    @property
    def first(self) -> "View":
        """The view until somebody chooses another: in the file's own window, if it has one."""
        from segstudio.imaging.first_view import first_view_of

        return first_view_of(self.metadata, self.channels, self.found, self.by_channel)

    @property
    def windows(self) -> "tuple[NamedWindow, ...]":
        """The windows that can be chosen by name."""
        from segstudio.imaging.windows import offered

        return offered(self.metadata, self.channels)

    @property
    def lightened(self) -> bool:
        """Whether a picture of 8 bits is so dark that it is first shown between its own levels."""
        from segstudio.imaging.levels import EIGHT_BIT

        return self.dtype == np.uint8 and any(each != EIGHT_BIT for each in (self.found, *self.by_channel))

    def levels_of(self, channel: int) -> "Levels":
        """The levels that were found for a channel."""
        from segstudio.imaging.first_view import channel_levels

        return channel_levels(channel, self.found, self.by_channel)

    def fits(self, view: "View") -> bool:
        """Whether the image has every channel of a view."""
        wanted = view.indices if view.formula is None else view.formula.channels
        return all(0 <= channel < self.channels for channel in wanted)

    def seen(self, view: "View") -> "DisplayImage":
        """The same samples in another view. Raises `ValueError` where that names a channel the image does not have."""
        if not self.fits(view):
            raise ValueError(f"an image of {self.channels} channels cannot be shown as {view}")
        return replace(self, view=view)

    def samples(self, level: int, rect: Rect) -> NDArray[Any]:
        """The values (h, w, c) of a rectangle given in the level's own pixels, clipped to it."""
        return self.stored.read(level, rect)

    def value_text(self, x: int, y: int) -> str:
        """The value of a pixel in words."""
        value = self.samples(0, Rect(x, y, 1, 1))[0, 0]
        return " ".join(f"{v:.7g}" if isinstance(v, np.floating) else str(v) for v in value)


def load_display_image(
    stored: "Stored",
    plane: int,
    size: tuple[int, int] | None = None,
    known: "Levels | None" = None,
    folder: Path | None = None,
) -> DisplayImage:
    """Decode a plane, which is to have this width and height, and prepare it. For a worker thread.

    `known` are the levels of its samples where they were found before, `folder` is for the samples of a large one.
    Raises `UnreadableImage`; `OtherSize` where the labels would not lie on these pixels.
    """
    from segstudio.imaging.levels import levels_of
    from segstudio.imaging.source import open_stored
    from segstudio.imaging.values import rescale_of

    source = open_stored(stored)
    try:
        planes = source.info.planes
        if plane >= len(planes) or (size is not None and (planes[plane].width, planes[plane].height) != size):
            raise OtherSize(_other_size(stored.first, planes, plane, size))
        pixels = source.read(plane=plane)
        found, rescale = known or levels_of(source, plane), rescale_of(source, plane)
    finally:
        source.close()
    return DisplayImage.of(pixels, found, folder, metadata=source.info.metadata, rescale=rescale)


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

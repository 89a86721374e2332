"""The pixels of the image on screen: their values (samples after slope and intercept) at every level, and how they are
shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from segstudio.app.viewing.scale_bar import Spacing, spacing_of
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.imaging.display import View
    from segstudio.imaging.levels import Levels
    from segstudio.imaging.outside_map import OutsideMap
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
    how wide a pixel is where that is known, `metadata` what the file says beside its pixels; `beyond` says what lies
    outside the picture, None where nothing does. Arrays handed out are not to be written.
    """

    stored: "Samples"
    found: "Levels"
    view: "View"
    spacing: Spacing | None = None
    metadata: Metadata = PLAIN
    found_stored: "Levels | None" = None
    by_channel: "tuple[Levels, ...]" = ()
    beyond: "OutsideMap | None" = None

    @staticmethod
    def of(
        samples: NDArray[Any],
        found: "Levels",
        folder: Path | None = None,
        *,
        metadata: Metadata = PLAIN,
        rescale: "Rescale" = (1.0, 0.0),
        beyond: "OutsideMap | None" = None,
    ) -> "DisplayImage":
        """Samples (h, w, c) of a whole plane as stored in their first view, and their pyramid. For a worker thread.

        `found` are levels of the samples. Large ones lie in a file in `folder`, if there is one, and are in memory
        where somebody looks at them.
        """
        from segstudio.imaging.paged import paged
        from segstudio.imaging.pyramid import pyramid
        from segstudio.imaging.samples import HeldSamples

        held = HeldSamples(*paged(pyramid(samples), folder))
        return DisplayImage.shown(held, found, samples, metadata=metadata, rescale=rescale, beyond=beyond)

    @staticmethod
    def shown(
        held: "Samples",
        found: "Levels",
        known: "NDArray[Any] | None",
        *,
        metadata: Metadata = PLAIN,
        rescale: "Rescale" = (1.0, 0.0),
        beyond: "OutsideMap | None" = None,
    ) -> "DisplayImage":
        """Samples as stored in their first view. `known` (h, w, c) are the plane or a smaller copy, by which a dark
        picture and the channels of a composite get levels of their own; None where there is none yet.
        """
        from segstudio.imaging.bands import is_composite
        from segstudio.imaging.first_view import first_view_of
        from segstudio.imaging.levels import seen_by_channel, seen_levels
        from segstudio.imaging.values import PLAIN_VALUES, ValuedSamples, levels_in_values

        stored = held if rescale == PLAIN_VALUES else ValuedSamples(held, rescale)
        levels = levels_in_values(found if known is None else seen_levels(known, found), rescale)
        composite = known is not None and is_composite(metadata, held.channels)
        each = seen_by_channel(known) if composite and known is not None else ()
        by_channel = tuple(levels_in_values(one, rescale) for one in each)
        view = first_view_of(metadata, held.channels, levels, by_channel)
        return DisplayImage(
            stored,
            levels,
            view,
            spacing_of(metadata),
            metadata,
            found_stored=found,
            by_channel=by_channel,
            beyond=beyond,
        )

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
        """The values (h, w, c) of the smallest level, as far as they are decoded."""
        return self.stored.overview

    def smallest(self) -> NDArray[Any]:
        """The same once all is decoded: for a worker thread. Raises `UnreadableImage`."""
        last = self.levels - 1
        return self.stored.read(last, Rect(0, 0, *self.stored.sizes[last]))

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

        return self.found_stored == EIGHT_BIT and any(each != EIGHT_BIT for each in (self.found, *self.by_channel))

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
        """The values (h, w, c) of a rectangle given in the level's own pixels, clipped to it.

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
        """The value of a pixel in words, of a CT in Hounsfield units; '…' where it is not decoded yet."""
        at = Rect(x, y, 1, 1)
        if self.outside(at) is not None:
            return _("no data")
        if not self.has(0, at):
            return "…"
        value = self.samples(0, at)[0, 0]
        text = " ".join(f"{v:.7g}" if isinstance(v, np.floating) else str(v) for v in value)
        return _("{value} HU", value=text) if self.metadata.modality == "CT" and self.channels == 1 else text


class _More(TypedDict):
    """What a file says of all its pixels."""

    metadata: Metadata
    rescale: "Rescale"
    beyond: "OutsideMap | None"


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
    from segstudio.imaging.bands import is_composite
    from segstudio.imaging.early_copy import early_copy
    from segstudio.imaging.filling_samples import FillingSamples
    from segstudio.imaging.levels import levels_of, sample_of
    from segstudio.imaging.outside_map import outside_map
    from segstudio.imaging.paged import LARGE_BYTES, room_for
    from segstudio.imaging.source import open_stored
    from segstudio.imaging.tiled_samples import TiledSamples, may_be_tiled
    from segstudio.imaging.values import rescale_of

    source = open_stored(stored)
    info = source.info
    try:
        planes = info.planes
        if plane >= len(planes) or (size is not None and (planes[plane].width, planes[plane].height) != size):
            raise OtherSize(_other_size(stored.first, planes, plane, size))
        found, rescale = known or levels_of(source, plane), rescale_of(source, plane)
        more = _More(metadata=info.metadata, rescale=rescale, beyond=outside_map(source, plane))
        if may_be_tiled(info, plane):
            tiled = TiledSamples(source, plane)
            return DisplayImage.shown(tiled, found, tiled.overview, **more)
        early = early_copy(stored.first, info, plane) if len(stored.files) == 1 else None
        decoded = None if early is not None or info.by_block else source.read(plane=plane)
        if decoded is None or decoded.nbytes >= LARGE_BYTES:
            # From here on it is there row by row: smaller levels and a file take as long again as decoding.
            sample = early if decoded is None else decoded
            if sample is None and (info.channels == 1 or is_composite(info.metadata, info.channels)):
                # What fluorescence gives may be dark, or dark in one channel alone.
                sample = sample_of(source, plane)[:, None]
            filling = FillingSamples(source, plane, partial(room_for, folder=folder), early)
            return DisplayImage.shown(filling, found, sample, **more)
    except BaseException:
        source.close()
        raise
    source.close()
    return DisplayImage.of(decoded, found, folder, **more)


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

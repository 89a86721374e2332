"""An image whose channels, or slices, are files of their own: the camera of a drone, the filters of a microscope."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segstudio.geometry import Rect
from segstudio.imaging.source import ImageSource, Pixels, Stored, open_image

__all__ = ["open_joined"]


def open_joined(stored: Stored) -> ImageSource:
    """A source of the files of an image of which `metadata.files` says what they are. Raises as `open_image` does for
    the first of them; the others are opened when they are read.
    """
    return _Joined(stored)


class _Joined:
    """`files` of the metadata: `c`, a channel a file; `z`, a slice a file; `zc`, both, those of a slice together.

    The planes of a file that has several count within it, so slices of such files are not joined.
    """

    def __init__(self, stored: Stored) -> None:
        self._files = stored.files
        self._sources: dict[int, ImageSource] = {}
        slices = len(stored.planes) if "z" in stored.metadata.files else 1
        self._channels = len(stored.files) // slices if "c" in stored.metadata.files else 1
        self._sliced = "z" in stored.metadata.files
        first = self._source(0).info
        self._each = first.channels
        self.info = replace(
            first,
            planes=stored.planes,
            channels=self._channels * first.channels,
            alpha=False,
            metadata=stored.metadata,
            part=None,
            levels=(),
        )

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`: only the files of the channels asked for are read."""
        if level:
            raise IndexError(f"level {level} of 1")
        wanted = range(self.info.channels) if channels is None else [range(self.info.channels)[at] for at in channels]
        parts: list[Pixels] = []
        for channel in wanted:
            file, inner = divmod(channel, self._each)
            place = plane * self._channels + file if self._sliced else file
            parts.append(self._source(place).read(rect, 0, 0 if self._sliced else plane, [inner]))
        samples = np.concatenate(parts, -1)
        samples.setflags(write=False)
        return samples

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`: that of the first file of the plane."""
        place = plane * self._channels if self._sliced else 0
        return self._source(place).rescale(0 if self._sliced else plane)

    def alpha(self, plane: int, rect: Rect) -> None:
        """See `ImageSource.alpha`: files of which a pixel is made have no opacity in common."""

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`."""
        for place, source in list(self._sources.items()):
            if not self._sliced:
                source.drop(plane)
            elif place // self._channels == plane:
                source.drop(0)

    def close(self) -> None:
        """See `ImageSource.close`."""
        for source in list(self._sources.values()):
            source.close()

    def _source(self, place: int) -> ImageSource:
        found = self._sources.get(place)
        if found is None:
            found = self._sources.setdefault(place, open_image(self._files[place]))
        return found

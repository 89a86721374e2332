"""Open images of the engine; decoded planes are kept within a budget of bytes, the least recently used go first."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels, levels_by_channel, levels_of, to_float
from segstudio.imaging.outside import outside
from segstudio.imaging.source import ImageSource, Stored, open_stored
from segstudio.imaging.values import Rescale, levels_in_values, rescale_of, valued
from segstudio.store.kept_levels import FileStamp, stamp_of
from segstudio.text import _

__all__ = ["Sources"]

BUDGET_BYTES = 512 << 20

LevelsLookUp = Callable[[FileStamp], Levels | None]
"""Levels of one plane, if they are known for files of this size and time."""


class Sources:
    """Images by their first file; pixels come as float32 in 0..1 between each plane's own levels.

    They are values after rescale: a slope below 0 does not turn them round, and levels that planes share mean the same
    on all of them, whatever the slope of each is.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES, open_: Callable[[Stored], ImageSource] = open_stored) -> None:
        self._budget = budget_bytes
        self._open = open_
        self._sources: dict[Path, ImageSource] = {}
        self._decoded: OrderedDict[tuple[Path, int], int] = OrderedDict()
        self._bytes = 0
        self._levels: dict[tuple[Path, int], Levels] = {}
        self._rescales: dict[tuple[Path, int], Rescale] = {}
        self._seen: dict[Path, FileStamp | None] = {}

    def pixels(
        self,
        stored: Stored,
        plane: int,
        rect: Rect,
        size: tuple[int, int],
        kept: LevelsLookUp | None = None,
        shared: Sequence[Levels] = (),
    ) -> NDArray[np.float32]:
        """Pixels (h, w, channels) of a rectangle within the plane, which must have this width and height.

        `kept` gives the levels that the project keeps for the plane, asked for at the first read after `refresh`; if it
        keeps none, the same levels are computed here. A plane that is not of 8 bits is read between `shared` instead,
        if it has as many channels. What lies outside the picture is 0.

        Raises `UnreadableImage`, also if the file is no longer the one in the project.
        """
        file, source = stored.first, self._source(stored)
        try:
            _must_have(source, file, plane, size)
            samples, beyond = source.read(rect, plane=plane), outside(source, rect, plane=plane)
            rescale = self._rescale_of(file, plane, source)
        except UnreadableImage:
            self._close(file)
            raise
        self._note(file, plane, source)
        if source.info.dtype != "uint8" and len(shared) == source.info.channels:
            found = to_float(valued(samples, rescale), shared)
        else:
            own = self._levels_of(file, plane, source, kept)
            if rescale[0] < 0:  # as values they are compared, and what is no number stays dark
                samples, own = valued(samples, rescale), levels_in_values(own, rescale)
            found = to_float(samples, own)
        if beyond is not None:
            found[beyond] = 0.0
        return found

    def outside(self, stored: Stored, plane: int, rect: Rect, size: tuple[int, int]) -> NDArray[np.bool_] | None:
        """Which pixels (h, w) of a rectangle lie outside the picture, None where none does. Raises as `pixels` does."""
        file, source = stored.first, self._source(stored)
        try:
            _must_have(source, file, plane, size)
            return outside(source, rect, plane=plane)
        except UnreadableImage:
            self._close(file)
            raise

    def own_levels(
        self, stored: Stored, plane: int, size: tuple[int, int], kept: LevelsLookUp | None = None
    ) -> tuple[Levels, ...] | None:
        """The levels of a plane's values by channel, None if it is of 8 bits. Raises as `pixels` does."""
        file, source = stored.first, self._source(stored)
        if source.info.dtype == "uint8":
            return None
        try:
            _must_have(source, file, plane, size)
            grey = source.info.channels == 1
            found = (self._levels_of(file, plane, source, kept),) if grey else levels_by_channel(source, plane)
            rescale = self._rescale_of(file, plane, source)
        except UnreadableImage:
            self._close(file)
            raise
        self._note(file, plane, source)
        return tuple(levels_in_values(each, rescale) for each in found)

    def refresh(self, files: Sequence[Path]) -> None:
        """Drop what was decoded of an image if one of its files has changed since; called once per request."""
        file = files[0]
        try:
            status = [each.stat() for each in files]
            seen = stamp_of([(each.st_size, each.st_mtime_ns) for each in status])
        except OSError:
            seen = None
        if seen != self._seen.get(file, seen) and file in self._sources:
            self._close(file)
            self._levels = {key: levels for key, levels in self._levels.items() if key[0] != file}
            self._rescales = {key: found for key, found in self._rescales.items() if key[0] != file}
        self._seen[file] = seen

    def close(self) -> None:
        """Close every image."""
        for file in list(self._sources):
            self._close(file)

    def _source(self, stored: Stored) -> ImageSource:
        file = stored.first
        if file not in self._sources:
            self._sources[file] = self._open(stored)
        return self._sources[file]

    def _note(self, file: Path, plane: int, source: ImageSource) -> None:
        """Note a decoded plane; the least recently used planes make room for it, of whatever image."""
        if (file, plane) not in self._decoded:
            size = source.info.planes[plane]
            taken = size.width * size.height * source.info.channels * np.dtype(source.info.dtype).itemsize
            self._decoded[file, plane] = taken
            self._bytes += taken
        self._decoded.move_to_end((file, plane))
        while self._bytes > self._budget and len(self._decoded) > 1:
            (other, gone), taken = self._decoded.popitem(last=False)
            self._bytes -= taken
            if any(place[0] == other for place in self._decoded):
                self._sources[other].drop(gone)
            else:
                self._sources.pop(other).close()

    def _close(self, file: Path) -> None:
        self._sources.pop(file).close()
        for place in [place for place in self._decoded if place[0] == file]:
            self._bytes -= self._decoded.pop(place)

    def _levels_of(self, file: Path, plane: int, source: ImageSource, kept: LevelsLookUp | None) -> Levels:
        key = (file, plane)
        if key not in self._levels:
            stamp = self._seen.get(file)
            known = None if kept is None or stamp is None or source.info.dtype == "uint8" else kept(stamp)
            self._levels[key] = known or levels_of(source, plane)
        return self._levels[key]

    def _rescale_of(self, file: Path, plane: int, source: ImageSource) -> Rescale:
        key = (file, plane)
        if key not in self._rescales:
            self._rescales[key] = rescale_of(source, plane)
        return self._rescales[key]


def _must_have(source: ImageSource, file: Path, plane: int, size: tuple[int, int]) -> None:
    """Raises `UnreadableImage` if a file has no such plane, or one of another size."""
    planes = source.info.planes
    if plane >= len(planes) or (planes[plane].width, planes[plane].height) != size:
        raise UnreadableImage(
            _(
                "{name} was changed: in the project its plane has {width} x {height} pixels.",
                name=file.name,
                width=size[0],
                height=size[1],
            )
        )

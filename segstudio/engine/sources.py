"""Open images of the engine, decoded ones kept while they fit a budget of bytes; the least used goes first."""

import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.display import Levels, auto_levels, to_float
from segstudio.imaging.source import ImageSource, open_image

__all__ = ["Sources"]

BUDGET_BYTES = 512 << 20


class Sources:
    """Images by file; pixels come as float32 in 0..1 between each plane's own levels."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES, open_: Callable[[Path], ImageSource] = open_image) -> None:
        self._budget = budget_bytes
        self._open = open_
        self._sources: OrderedDict[Path, ImageSource] = OrderedDict()
        self._levels: dict[tuple[Path, int], Levels] = {}
        self._seen: dict[Path, tuple[int, int] | None] = {}

    def pixels(self, file: Path, plane: int, rect: Rect, size: tuple[int, int]) -> NDArray[np.float32]:
        """Pixels (h, w, channels) of a rectangle within the plane, which is to have this width and height.

        Raises `UnreadableImage`, also where the file is no longer the one that the project was made of.
        """
        source = self._source(file)
        planes = source.info.planes
        if plane >= len(planes) or (planes[plane].width, planes[plane].height) != size:
            was = f"{size[0]} x {size[1]} pixels"
            raise UnreadableImage(f"{file.name} was changed: the plane that the project knows of it has {was}.")
        samples = source.read(plane, rect)
        return to_float(samples, self._levels_of(file, plane, source))

    def refresh(self, file: Path) -> None:
        """Let go of what was decoded where the file has changed since: once a request is often enough."""
        try:
            status = file.stat()
            seen = status.st_size, status.st_mtime_ns
        except OSError:
            seen = None
        if seen != self._seen.get(file, seen) and file in self._sources:
            self._sources.pop(file).close()
            self._levels = {key: levels for key, levels in self._levels.items() if key[0] != file}
        self._seen[file] = seen

    def close(self) -> None:
        """Close every image."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()

    def _source(self, file: Path) -> ImageSource:
        source = self._sources.get(file)
        if source is None:
            source = self._sources[file] = self._open(file)
            self._make_room()
        self._sources.move_to_end(file)
        return source

    def _make_room(self) -> None:
        used = sum(_bytes(source) for source in self._sources.values())
        while used > self._budget and len(self._sources) > 1:
            _, oldest = self._sources.popitem(last=False)
            used -= _bytes(oldest)
            oldest.close()

    def _levels_of(self, file: Path, plane: int, source: ImageSource) -> Levels:
        key = (file, plane)
        if key not in self._levels:
            if source.info.dtype == "uint8":
                self._levels[key] = Levels(0.0, 255.0)
            else:
                whole = source.info.planes[plane]
                self._levels[key] = auto_levels(source.read(plane, Rect(0, 0, whole.width, whole.height)))
        return self._levels[key]


def _bytes(source: ImageSource) -> int:
    pixels = sum(math.prod((p.width, p.height)) for p in source.info.planes)
    return pixels * source.info.channels * np.dtype(source.info.dtype).itemsize

"""A source that decodes whole planes and keeps the most recent ones within a memory budget."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from segstudio.geometry import Rect
from segstudio.imaging.source import ImageInfo, Pixels

__all__ = ["Frame", "FrameSource", "upright"]

_BUDGET_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded plane: samples (h, w, c), opacity (h, w) or None; both read-only, in shown orientation."""

    pixels: Pixels
    alpha: Pixels | None = None

    def __post_init__(self) -> None:
        self.pixels.setflags(write=False)
        if self.alpha is not None:
            self.alpha.setflags(write=False)

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes."""
        return self.pixels.nbytes + (0 if self.alpha is None else self.alpha.nbytes)


class FrameSource:
    """Calls `decode(plane)` when a plane is first read; planes beyond the budget are released, oldest first."""

    def __init__(self, info: ImageInfo, decode: Callable[[int], Frame]) -> None:
        self.info = info
        self._decode = decode
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        if level:
            raise IndexError(f"level {level} of 1")
        pixels = self._frame(plane).pixels
        found = pixels if rect is None else pixels[self._slices(plane, rect)]
        return found if channels is None else found[..., list(channels)]

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """See `ImageSource.alpha`."""
        found = self._frame(plane).alpha
        return None if found is None else found[self._slices(plane, rect)]

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`."""
        with self._lock:
            self._frames.pop(plane, None)

    def close(self) -> None:
        """Release all planes."""
        with self._lock:
            self._frames.clear()

    def _slices(self, plane: int, rect: Rect) -> tuple[slice, slice]:
        of = self.info.planes[plane]
        part = rect.intersected(Rect(0, 0, of.width, of.height))
        return slice(part.y, part.bottom), slice(part.x, part.right)

    def _frame(self, plane: int) -> Frame:
        if not 0 <= plane < len(self.info.planes):
            raise IndexError(f"plane {plane} of {len(self.info.planes)}")
        with self._lock:
            frame = self._frames.get(plane)
            if frame is None:
                frame = self._decode(plane)
                self._frames[plane] = frame
                while len(self._frames) > 1 and sum(f.nbytes for f in self._frames.values()) > _BUDGET_BYTES:
                    self._frames.popitem(last=False)
            self._frames.move_to_end(plane)
            return frame


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Samples (h, w[, c]) turned as the EXIF orientation 1..8 says (EXIF 2.32, tag 0x0112); others count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)

"""The samples of one plane at every level, whoever keeps them: what a display draws, counts and compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.paged import Pages
from segstudio.imaging.source import Pixels

__all__ = ["HeldSamples", "Samples", "Watcher"]


class Watcher(Protocol):
    """Whoever shows samples that are still being decoded."""

    def arrived(self, part: Rect) -> None:
        """`at_once` has more to give for a part of the plane than before."""
        ...

    def failed(self, error: UnreadableImage) -> None:
        """The file is damaged, or gone: what is missing never comes."""
        ...


class Samples(Protocol):
    """Samples (h, w, c) as stored. Level n is reduced by 2 ** n, level 0 the plane itself; the last one is small.

    What is not decoded yet may be waited for, or drawn from what there is. Any thread may ask.
    """

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Width and height of each level."""
        ...

    @property
    def channels(self) -> int:
        """How many channels there are."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample."""
        ...

    @property
    def overview(self) -> Pixels:
        """The last level, whole, as far as it is decoded; not to be written."""
        ...

    @property
    def settled(self) -> bool:
        """Whether the overview stays as it is."""
        ...

    @property
    def nbytes(self) -> int:
        """What all of it takes, wherever it lies."""
        ...

    @property
    def in_memory(self) -> bool:
        """Whether that is memory, and not a file."""
        ...

    def read(self, level: int, rect: Rect) -> Pixels:
        """A rectangle given in the level's own pixels, clipped to it; not to be written.

        What is not decoded yet is waited for. Raises `UnreadableImage` where the file is damaged, or gone.
        """
        ...

    def at_once(self, level: int, rect: Rect) -> Pixels:
        """The same without waiting: what is not decoded yet comes enlarged from a smaller level, and is asked for."""
        ...

    def has(self, level: int, rect: Rect) -> bool:
        """Whether `read` would not wait."""
        ...

    def watch(self, watcher: "Watcher | None") -> None:
        """Tell this, from any thread, what comes from now on; what failed before is told at once."""
        ...


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class HeldSamples:
    """Samples that were decoded whole: arrays, in memory or, where there are `pages`, in a mapped file."""

    reduced: tuple[NDArray[Any], ...]
    pages: Pages | None = None

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Width and height of each level."""
        return [(level.shape[1], level.shape[0]) for level in self.reduced]

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.reduced[0].shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample."""
        return self.reduced[0].dtype

    @property
    def overview(self) -> Pixels:
        """The last level, whole; not to be written."""
        return self.reduced[-1]

    @property
    def settled(self) -> bool:
        """Whether the overview stays as it is."""
        return True

    @property
    def nbytes(self) -> int:
        """What all of it takes, wherever it lies."""
        return sum(level.nbytes for level in self.reduced)

    @property
    def in_memory(self) -> bool:
        """Whether that is memory, and not a file."""
        return self.pages is None

    def read(self, level: int, rect: Rect) -> Pixels:
        """A rectangle given in the level's own pixels, clipped to it: a view of the array, not to be written."""
        image = self.reduced[level]
        inside = rect.intersected(Rect(0, 0, image.shape[1], image.shape[0]))
        if self.pages is not None:
            self.pages.note(level, slice(inside.y, inside.bottom))
        return image[inside.y : inside.bottom, inside.x : inside.right]

    def at_once(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.at_once`: all is there."""
        return self.read(level, rect)

    def has(self, level: int, rect: Rect) -> bool:
        """See `Samples.has`: all is there."""
        return True

    def watch(self, watcher: Watcher | None) -> None:
        """See `Samples.watch`: nothing more arrives."""

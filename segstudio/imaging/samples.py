"""The samples of one plane at every level, whoever keeps them: what a display draws, counts and compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.imaging.paged import Pages
from segstudio.imaging.source import Pixels

__all__ = ["HeldSamples", "Samples"]


class Samples(Protocol):
    """Samples (h, w, c) as stored. Level n is reduced by 2 ** n, level 0 the plane itself; the last one is small."""

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
        """The last level, whole; not to be written."""
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
        """A rectangle given in the level's own pixels, clipped to it; not to be written."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
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

"""Values of stored samples: after the slope and intercept that a file gives for a plane. Pure, but for what is asked.

Samples stay as the file has them. Whoever shows, picks or measures something asks for values, so that one window fits
every slice of a CT or PET whatever its own slope is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels
from segstudio.imaging.samples import Samples, Watcher
from segstudio.imaging.source import ImageSource, Pixels

__all__ = ["PLAIN_VALUES", "Rescale", "ValuedSamples", "levels_in_values", "rescale_of", "value_dtype", "valued"]

Rescale = tuple[float, float]
"""Slope, which is not 0, and intercept: value = slope * sample + intercept."""

PLAIN_VALUES: Rescale = (1.0, 0.0)
"""Of samples that are values themselves."""


def rescale_of(source: ImageSource, plane: int) -> Rescale:
    """Slope and intercept of a plane; those that would leave nothing of its samples do not count."""
    slope, intercept = source.rescale(plane)
    usable = isfinite(slope) and isfinite(intercept) and slope != 0.0
    return (float(slope), float(intercept)) if usable else PLAIN_VALUES


def value_dtype(dtype: np.dtype[Any], rescale: Rescale) -> np.dtype[Any]:
    """The type of values: that of the samples where these are values, else floats, of 32 bits where they suffice."""
    if rescale == PLAIN_VALUES:
        return dtype
    short = dtype.itemsize <= 2 or dtype == np.float32
    return np.dtype(np.float32 if short else np.float64)


def valued(samples: Pixels, rescale: Rescale) -> Pixels:
    """The values of samples; the same array where these are values."""
    if rescale == PLAIN_VALUES:
        return samples
    slope, intercept = rescale
    wide = value_dtype(samples.dtype, rescale).type
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.multiply(samples, wide(slope), dtype=wide)
        values += wide(intercept)
    return values


def levels_in_values(levels: Levels, rescale: Rescale) -> Levels:
    """Levels of samples as those of their values."""
    slope, intercept = rescale
    low, high = slope * levels.low + intercept, slope * levels.high + intercept
    return Levels(min(low, high), max(low, high))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ValuedSamples:
    """The values of samples, computed of what is read: nothing else is held. See `imaging.samples.Samples`."""

    stored: Samples
    rescale: Rescale

    @property
    def overview(self) -> Pixels:
        """The values of the last level, as far as it is decoded."""
        return valued(self.stored.overview, self.rescale)

    @property
    def settled(self) -> bool:
        """Whether the overview stays as it is."""
        return self.stored.settled

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Width and height of each level."""
        return self.stored.sizes

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.stored.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a value."""
        return value_dtype(self.stored.dtype, self.rescale)

    @property
    def nbytes(self) -> int:
        """What the samples take."""
        return self.stored.nbytes

    @property
    def in_memory(self) -> bool:
        """Whether that is memory, and not a file."""
        return self.stored.in_memory

    def read(self, level: int, rect: Rect) -> Pixels:
        """The values of a rectangle given in the level's own pixels, clipped to it."""
        return valued(self.stored.read(level, rect), self.rescale)

    def at_once(self, level: int, rect: Rect) -> Pixels:
        """See `Samples.at_once`."""
        return valued(self.stored.at_once(level, rect), self.rescale)

    def has(self, level: int, rect: Rect) -> bool:
        """See `Samples.has`."""
        return self.stored.has(level, rect)

    def watch(self, watcher: Watcher | None) -> None:
        """See `Samples.watch`."""
        self.stored.watch(watcher)

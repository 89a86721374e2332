"""How often which value occurs in a picture: what the panel of brightness and contrast draws, and what it makes of it
by itself. Pure functions of arrays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.levels import Levels
from segstudio.imaging.samples import Samples
from segstudio.imaging.source import Pixels
from segstudio.imaging.values import ValuedSamples, levels_in_values

__all__ = ["BINS", "Histogram", "histogram", "histogram_of_values"]

BINS = 256
"""The most bins."""

_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """`counts` (channels, bins) of the values from `low` to `high`, in bins of one width; `spread` are the values that
    all but the darkest and the lightest thousandth of all samples lie between.
    """

    low: float
    high: float
    counts: NDArray[np.int64]
    spread: Levels


def histogram(samples: Pixels) -> Histogram | None:
    """The histogram of samples (h, w, c), NaN and infinities left out; None where there is no other value.

    Eight bits are always counted from 0 to 255. A bin of whole numbers holds the same number of values everywhere, so
    that no comb appears.
    """
    known = [channel[np.isfinite(channel)] for channel in _channels(samples)]
    together = np.concatenate(known)
    if not together.size:
        return None
    low, high = float(together.min()), float(together.max())
    if samples.dtype == np.uint8:
        low, high = 0.0, 255.0
    edges = _edges(low, high, whole=samples.dtype.kind in "iu")
    counts = np.stack([np.histogram(values, edges)[0] for values in known])
    dark, light = (float(value) for value in np.percentile(together, _PERCENTILES))
    spread = Levels(dark, light) if light > dark else Levels(dark, dark + max(1.0, abs(dark) * 1e-6))
    return Histogram(float(edges[0]), float(edges[-1]), counts, spread)


def histogram_of_values(samples: Samples) -> Histogram | None:
    """The histogram of the smallest level of what is displayed. Values of whole samples are binned as these are, so
    that no comb appears there either.
    """
    if not isinstance(samples, ValuedSamples):
        return histogram(samples.overview)
    found = histogram(samples.stored.overview)
    if found is None:
        return None
    range_ = levels_in_values(Levels(found.low, found.high), samples.rescale)
    counts = found.counts if samples.rescale[0] > 0 else found.counts[:, ::-1]
    return Histogram(range_.low, range_.high, counts, levels_in_values(found.spread, samples.rescale))


def _channels(samples: Pixels) -> list[NDArray[np.float64]]:
    return [samples[..., i].astype(np.float64).ravel() for i in range(samples.shape[2])]


def _edges(low: float, high: float, *, whole: bool) -> NDArray[np.float64]:
    if not whole:
        wide = high if high > low else low + max(1.0, abs(low) * 1e-6)
        return np.linspace(low, wide, BINS + 1)
    values = int(high - low) + 1
    width = -(-values // BINS)
    bins = -(-values // width)
    return low - 0.5 + width * np.arange(bins + 1, dtype=np.float64)

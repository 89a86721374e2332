"""From samples to colours. A `View` says which channels are shown, between which levels and in which colour, or which
index of them; it is a value, and applying it is a look-up or less. Pure functions of arrays: nothing here is decoded,
reduced or kept.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.colour_maps import colour_map
from segstudio.imaging.formula import Formula
from segstudio.imaging.levels import EIGHT_BIT, Levels, to_float
from segstudio.imaging.source import Pixels

__all__ = [
    "BLUE",
    "GREEN",
    "RED",
    "WHITE",
    "Colour",
    "ShownChannel",
    "View",
    "automatic_view",
    "colours",
    "is_plain",
    "picked",
    "to_rgb",
]

Colour = tuple[int, int, int]
"""Red, green and blue in 0..255."""

WHITE: Colour = (255, 255, 255)
RED: Colour = (255, 0, 0)
GREEN: Colour = (0, 255, 0)
BLUE: Colour = (0, 0, 255)

_CODES = Levels(0.0, 65535.0)
_BEYOND = 1.5
"""Widths beyond its levels at which a sigmoid is less than half a shade from black and from white."""
_CODES_BETWEEN = Levels(65535.0 * _BEYOND / (1 + 2 * _BEYOND), 65535.0 * (1 + _BEYOND) / (1 + 2 * _BEYOND))
"""Codes of the levels where more is scaled to codes by that much."""
_NARROWED = 1e-3
"""How much the distance of two levels may differ in floats of 32 bits, before those of 64 bits are taken."""
_STEEPEST = 1e4
_FARTHEST = 1 << 17
"""Shades a value, and the lower level, up to which 32 bits are enough to compute those of 16 bits."""


@dataclass(frozen=True, slots=True)
class ShownChannel:
    """A channel (counted from 0) of a view: `levels` are the values shown as black and in full `colour`."""

    index: int
    levels: Levels
    colour: Colour = WHITE


@dataclass(frozen=True, slots=True)
class View:
    """How the samples of an image become colours: its shown channels are added up.

    A value v between the levels, scaled to 0..1, is shown as v ** (1 / gamma): above 1 dark parts become lighter.
    `invert` then shows 1 - v instead. `sigmoid`: between and beyond the levels the curve of DICOM PS3.3 C.11.2.1.3.1.
    `colours_by` names the table (`colour_maps`) that gives the one channel its colours; '' is grey, or the channel's.
    With a `formula` its value is shown, as the one channel, which is numbered 0.
    """

    channels: tuple[ShownChannel, ...]
    gamma: float = 1.0
    invert: bool = False
    sigmoid: bool = False
    colours_by: str = ""
    formula: Formula | None = None
    indices: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """The shown channels by number, in their order."""
    as_stored: bool = field(init=False, repr=False, compare=False)
    """Whether samples of 8 bits are shown as they are: grey, or red, green and blue."""

    def __post_init__(self) -> None:
        # Computed beforehand: a canvas that is dragged asks for strips of a few rows, where each look costs as much.
        object.__setattr__(self, "indices", tuple(channel.index for channel in self.channels))
        in_place = tuple(channel.colour for channel in self.channels) in ((WHITE,), (RED, GREEN, BLUE))
        plain = not (self.invert or self.sigmoid or self.colours_by or self.formula)
        whole = self.gamma == 1.0 and plain and all(channel.levels == EIGHT_BIT for channel in self.channels)
        object.__setattr__(self, "as_stored", in_place and whole)

    @property
    def picks(self) -> tuple[object, ...]:
        """What of the samples is shown, whatever the levels and colours: the same where `picked` gives the same."""
        return self.indices if self.formula is None else (self.formula,)

    def between(self, levels: Levels, channel: int | None = None) -> "View":
        """The same view between other levels: those of one channel of the image, or of all that are shown."""
        new = (replace(c, levels=levels) if channel in (None, c.index) else c for c in self.channels)
        return replace(self, channels=tuple(new))


def automatic_view(channels: int, levels: Levels, *, inverted: bool = False) -> View:
    """The view of an image with this many channels until a person chooses another: one channel is grey, two are red and
    green, of more the first three are red, green and blue; `inverted` where low values are to be bright.
    """
    if channels == 1:
        return View((ShownChannel(0, levels),), invert=inverted)
    shown = zip(range(channels), (RED, GREEN, BLUE), strict=False)
    return View(tuple(ShownChannel(index, levels, colour) for index, colour in shown), invert=inverted)


def picked(samples: Pixels, view: View) -> Pixels:
    """The channels of a view (h, w, n), in its order, of samples (h, w, c); the same array if those are all. With a
    formula, its value (h, w, 1).
    """
    if view.formula is not None:
        return view.formula.computed(samples)
    if view.indices == tuple(range(samples.shape[2])):
        return samples
    return np.take(samples, view.indices, axis=2)


def is_plain(dtype: np.dtype[Any], view: View) -> bool:
    """Whether samples of a type are already colours, so that nothing needs a look-up."""
    return view.as_stored and dtype == np.uint8


def colours(samples: Pixels, view: View) -> NDArray[np.uint8]:
    """The colours of the view's channels (h, w, n), as `picked` gives them: uint8 (h, w, 3), or (h, w, 1) for grey.

    NaN is shown as the lower level is. Plain samples are returned unchanged.
    """
    if is_plain(samples.dtype, view):
        return samples
    if not view.channels:
        return np.zeros((*samples.shape[:2], 1), np.uint8)
    shown = _strengths(samples, view)
    if view.colours_by and shown.shape[2] == 1:
        return colour_map(view.colours_by)[shown[..., 0]]
    palette = tuple(channel.colour for channel in view.channels)
    if palette in ((WHITE,), (RED, GREEN, BLUE)):
        return shown
    return _rounded(shown.astype(np.float32) @ (np.asarray(palette, np.float32) / np.float32(255)))


def to_rgb(samples: Pixels, view: View) -> NDArray[np.uint8]:
    """The colours of samples (h, w, c) in a view, as uint8 (h, w, 3); plain ones are not copied."""
    shown = colours(picked(samples, view), view)
    return np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else np.ascontiguousarray(shown)


def _strengths(samples: Pixels, view: View) -> NDArray[np.uint8]:
    """How bright each channel (h, w, n) is, 0..255."""
    first = view.channels[0].levels
    if all(channel.levels == first for channel in view.channels):
        shown = _strength(samples, first, view)
    else:
        parts = [_strength(samples[..., i], channel.levels, view) for i, channel in enumerate(view.channels)]
        shown = np.stack(parts, axis=-1)
    return np.invert(shown) if view.invert else shown


def _strength(samples: Pixels, levels: Levels, view: View) -> NDArray[np.uint8]:
    """Samples are looked up, those of more than 16 bits scaled first; without a gamma most are computed at once, which
    takes a third of the time.
    """
    gamma, sigmoid = view.gamma, view.sigmoid
    if gamma == 1.0 and not sigmoid and samples.size:
        steepness = 255.0 / (levels.high - levels.low)
        if samples.dtype in (np.float32, np.float64):
            return _shade_of_floats(samples, levels)
        if samples.dtype in (np.uint16, np.int16) and steepness < _STEEPEST and abs(levels.low) < _FARTHEST:
            return _shade_of_integers(samples, levels, steepness)
    if samples.dtype.kind not in "iu" or samples.dtype.itemsize > 2:
        codes = to_float(samples, _widened(levels) if sigmoid else levels)
        samples = np.rint(np.multiply(codes, 65535, out=codes), out=codes).astype(np.uint16)
        levels = _CODES_BETWEEN if sigmoid else _CODES
    table = _table(samples.dtype, levels, gamma, sigmoid=sigmoid)
    if samples.dtype == np.uint8 and samples.size:
        import cv2

        return np.asarray(cv2.LUT(samples, table), np.uint8).reshape(samples.shape)
    return np.take(table, samples.view(f"u{samples.dtype.itemsize}"), mode="clip")


def _shade_of_floats(samples: Pixels, levels: Levels) -> NDArray[np.uint8]:
    wide = samples.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = wide(levels.low), wide(levels.high)
        if not abs((float(high) - float(low)) / (levels.high - levels.low) - 1.0) < _NARROWED:
            wide, low, high = np.float64, np.float64(levels.low), np.float64(levels.high)
        # The greater one is the number where the other is none.
        within = np.fmax(samples, low, dtype=wide)
    np.fmin(within, high, out=within)
    within -= low
    within *= wide(255.0 / (float(high) - float(low)))
    return _rounded(within)


def _shade_of_integers(samples: Pixels, levels: Levels, steepness: float) -> NDArray[np.uint8]:
    import cv2

    # From a whole number on, so that floats hold what is left exactly; negative shades end at 0, as those above at 255.
    first = floor(levels.low)
    above = np.subtract(samples, np.float32(first), dtype=np.float32)
    shown = cv2.addWeighted(above, steepness, above, 0.0, (first - levels.low) * steepness, dtype=cv2.CV_8U)
    return np.asarray(shown, np.uint8).reshape(samples.shape)


def _rounded(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values from 0 on as whole numbers; 255 is the most."""
    import cv2

    return np.asarray(cv2.convertScaleAbs(values), np.uint8).reshape(values.shape)


def _widened(levels: Levels) -> Levels:
    """Levels beyond which a sigmoid between these is black, or white."""
    width = levels.high - levels.low
    return Levels(levels.low - _BEYOND * width, levels.high + _BEYOND * width)


@lru_cache(maxsize=16)
def _table(dtype: np.dtype[Any], levels: Levels, gamma: float, *, sigmoid: bool = False) -> NDArray[np.uint8]:
    """The brightness of each value of an integer type, in the order of its bits read as an unsigned number."""
    unsigned = np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}")
    values = unsigned.view(dtype).astype(np.float64)
    shown = (values - levels.low) / (levels.high - levels.low)
    shown = 1.0 / (1.0 + np.exp(np.clip(2.0 - 4.0 * shown, -50.0, 50.0))) if sigmoid else np.clip(shown, 0.0, 1.0)
    table = np.rint((shown if gamma == 1.0 else shown ** (1.0 / gamma)) * 255).astype(np.uint8)
    table.setflags(write=False)
    return table

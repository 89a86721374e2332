"""What a person does to how the image on screen is shown: its window, its gamma, and inverting it. The data stay as
they are, and so does what the network sees.
"""

from dataclasses import dataclass, replace

from segstudio.app.viewing.displaying import Displaying
from segstudio.app.viewing.histograms import Histograms
from segstudio.errors import UserError
from segstudio.imaging.display import View
from segstudio.imaging.levels import Levels
from segstudio.imaging.window_level import adjusted, adjustment, windowed
from segstudio.text import _, count

__all__ = ["MOST_GAMMA", "Adjusted", "Adjusting"]

MOST_GAMMA = 5.0
"""Gamma is at most this, and at least its inverse."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """How the image is shown: the values that are black and white in its first shown channel, brightness and contrast
    (-100 to 100, 0 = as at first), gamma, whether it is inverted, and whether all this is as it was at first.
    """

    low: float
    high: float
    brightness: float
    contrast: float
    gamma: float
    invert: bool
    untouched: bool


class Adjusting:
    """Changes the view of the image on screen; nothing happens where there is none. The levels of all shown channels
    change together, except by `window`.
    """

    def __init__(self, displaying: Displaying, histograms: Histograms) -> None:
        self._displaying, self._histograms = displaying, histograms

    @property
    def now(self) -> Adjusted | None:
        """How the image on screen is shown; None where there is none, or no channel is shown."""
        display = self._displaying.display
        if display is None or not display.view.channels:
            return None
        view, levels = display.view, display.view.channels[0].levels
        brightness, contrast = adjustment(display.found, levels)
        untouched = view == display.automatic
        return Adjusted(levels.low, levels.high, brightness, contrast, view.gamma, view.invert, untouched)

    def window(self, level: float, width: float, channel: int = 0) -> None:
        """Show a channel, counted from 0, with this value in the middle of a window of this width.

        Raises `UserError` where the width is not above 0, or that channel is not shown.
        """
        view = self._view()
        if view is None:
            return
        if channel not in view.indices:
            shown = count(len(view.indices), "1 channel is shown", "{n} channels are shown")
            raise UserError(_("There is no channel {channel} to show: {shown}.", channel=channel, shown=shown))
        try:
            levels = windowed(float(level), float(width))
        except ValueError as error:
            words = _("A window of level {level} and width {width} shows nothing.", level=level, width=width)
            raise UserError(words, todo=_("The width has to be above 0.")) from error
        self._displaying.choose(view.between(levels, channel))

    def levels(self, low: float, high: float) -> None:
        """Show one value as black and a higher one as white. Raises `ValueError` where it is not higher."""
        self._between(windowed((low + high) / 2, high - low))

    def adjust(self, brightness: float, contrast: float) -> None:
        """Set brightness and contrast, -100 to 100 each, from what was found at first."""
        display = self._displaying.display
        if display is not None:
            self._between(adjusted(display.found, brightness, contrast))

    def automatic(self) -> None:
        """Show all but the darkest and the lightest thousandth between black and white; nothing until that is known."""
        found = self._histograms.current
        if found is not None:
            self._between(found.spread)

    def set_gamma(self, gamma: float) -> None:
        """Above 1 dark parts become lighter; kept within `MOST_GAMMA` and its inverse."""
        view = self._view()
        if view is not None:
            self._displaying.choose(replace(view, gamma=min(MOST_GAMMA, max(1 / MOST_GAMMA, float(gamma)))))

    def set_invert(self, invert: bool) -> None:
        """Show dark as light, and light as dark."""
        view = self._view()
        if view is not None:
            self._displaying.choose(replace(view, invert=invert))

    def reset(self) -> None:
        """Show the image as at first."""
        self._displaying.choose_automatic()

    def _between(self, levels: Levels) -> None:
        view = self._view()
        if view is not None:
            self._displaying.choose(view.between(levels))

    def _view(self) -> View | None:
        display = self._displaying.display
        return None if display is None else display.view

"""What a person does to how the image on screen is shown: its window, its gamma, and inverting it. The data stay as
they are, and so does what the network sees.
"""

from dataclasses import dataclass, replace

from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.displaying import Displaying
from segstudio.app.viewing.histograms import Histograms
from segstudio.errors import UserError
from segstudio.imaging.bands import is_composite
from segstudio.imaging.display import View
from segstudio.imaging.levels import Levels, auto_levels
from segstudio.imaging.window_level import adjusted, adjustment, windowed
from segstudio.imaging.windows import NamedWindow, between
from segstudio.labels.model import ImageId
from segstudio.text import _, count

__all__ = ["MOST_GAMMA", "Adjusted", "Adjusting"]

MOST_GAMMA = 5.0
"""Gamma is at most this, and at least its inverse."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """How the image is shown: the values that are black and white in the chosen channel, or the first shown one,
    brightness and contrast (-100 to 100, 0 = as at first), gamma, whether it is inverted, and whether all this is as it
    was at first.

    `level` and `width` are what is written of the window, `window` is its place among those that can be chosen by name,
    -1 for none; `automatic`: the levels are those that were found.
    """

    low: float
    high: float
    brightness: float
    contrast: float
    gamma: float
    invert: bool
    untouched: bool
    level: float
    width: float
    window: int = -1
    automatic: bool = False


class Adjusting:
    """Changes the view of the image on screen; nothing happens where there is none. Where no channel is chosen the
    levels of all that are shown change together, except by `window`.
    """

    def __init__(self, displaying: Displaying, histograms: Histograms) -> None:
        self._displaying, self._histograms = displaying, histograms
        self._chosen: tuple[ImageId | None, int | None] | None = None

    @property
    def windows(self) -> tuple[NamedWindow, ...]:
        """The windows that can be chosen by name."""
        display = self._displaying.display
        return () if display is None else display.windows

    @property
    def channel(self) -> int | None:
        """The channel, counted from 0, whose levels are changed; None = all that are shown. Of a composite it is the
        first one, until another is chosen.
        """
        display = self._displaying.display
        if display is None or display.view.formula is not None or not display.view.channels:
            return None
        if self._chosen is not None and self._chosen[0] == self._displaying.image:
            chosen = self._chosen[1]
            if chosen is None or chosen in display.view.indices:
                return chosen
        return display.view.indices[0] if is_composite(display.metadata, display.channels) else None

    @channel.setter
    def channel(self, channel: int | None) -> None:
        self._chosen = self._displaying.image, channel

    @property
    def now(self) -> Adjusted | None:
        """How the image on screen is shown; None where there is none, or no channel is shown."""
        display = self._displaying.display
        if display is None or not display.view.channels:
            return None
        view, channel = display.view, self.channel
        levels = next((c.levels for c in view.channels if c.index == channel), view.channels[0].levels)
        base = self._found(display)
        brightness, contrast = adjustment(base, levels)
        named = [place for place, window in enumerate(display.windows) if window.matches(view)]
        level, width = (levels.low + levels.high) / 2, levels.high - levels.low
        if named:
            level, width = display.windows[named[0]].level, display.windows[named[0]].width
        return Adjusted(
            levels.low,
            levels.high,
            brightness,
            contrast,
            view.gamma,
            view.invert,
            view == display.first,
            level,
            width,
            named[0] if named else -1,
            not named and not view.sigmoid and levels == base,
        )

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
        self._displaying.choose(replace(view.between(levels, channel), sigmoid=False))

    def choose_window(self, place: int) -> None:
        """Show the image in one of `windows`; with -1 between the levels that were found."""
        display = self._displaying.display
        if display is None or not display.view.channels:
            return
        if place < 0:
            self._between(self._found(display), sigmoid=False)
        else:
            self._displaying.choose(between(display.view, display.windows[place]))

    def levels(self, low: float, high: float) -> None:
        """Show one value as black and a higher one as white. Raises `ValueError` where it is not higher."""
        self._between(windowed((low + high) / 2, high - low), sigmoid=False)

    def adjust(self, brightness: float, contrast: float) -> None:
        """Set brightness and contrast, -100 to 100 each, from what was found at first."""
        display = self._displaying.display
        if display is not None:
            self._between(adjusted(self._found(display), brightness, contrast))

    def automatic(self) -> None:
        """Show all but the darkest and the lightest thousandth between black and white: of the chosen channel by
        itself, of all together where none is chosen; nothing until that is known.
        """
        display, found = self._displaying.display, self._histograms.current
        if display is None or found is None:
            return
        alone = display.view.formula is not None or self.channel is not None
        self._between(self._found(display) if alone else found.spread, sigmoid=False)

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
        self._chosen = None
        self._displaying.choose_first()

    def _found(self, display: DisplayImage) -> Levels:
        """The levels that were found for what is changed."""
        if display.view.formula is not None:
            return auto_levels(display.view.formula.computed(display.overview))
        channel = self.channel
        return display.found if channel is None else display.levels_of(channel)

    def _between(self, levels: Levels, *, sigmoid: bool | None = None) -> None:
        view = self._view()
        if view is not None:
            kept = view.sigmoid if sigmoid is None else sigmoid
            self._displaying.choose(replace(view.between(levels, self.channel), sigmoid=kept))

    def _view(self) -> View | None:
        display = self._displaying.display
        return None if display is None else display.view

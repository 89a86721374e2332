"""Which channels of the image on screen are shown, in which colours, and what is computed of them: composites, bands,
indices, colour maps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.viewing.adjusting import Adjusting
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.displaying import Displaying
from segstudio.errors import UserError
from segstudio.imaging.bands import INDICES, MAPPINGS, channel_names, formula_names, mapping
from segstudio.imaging.display import BLUE, GREEN, RED, Colour, ShownChannel, View
from segstudio.imaging.first_view import mapped, usual_colour
from segstudio.imaging.formula import Formula, parsed
from segstudio.imaging.levels import auto_levels
from segstudio.labels.model import ImageId
from segstudio.text import _

__all__ = ["ChannelRow", "ChannelViews"]


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel, counted from 0: its name, its colour, whether it is shown, and whether its levels are changed."""

    index: int
    name: str
    colour: Colour
    shown: bool
    chosen: bool


class ChannelViews(QObject):
    """Changes which channels of the image on screen are shown. `changed`: another one is chosen."""

    changed = Signal()

    def __init__(
        self, ground: Ground, displaying: Displaying, adjusting: Adjusting, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._notices, self._displaying, self._adjusting = ground.notices, displaying, adjusting
        self._off: dict[tuple[ImageId | None, int], ShownChannel] = {}

    @property
    def rows(self) -> tuple[ChannelRow, ...]:
        """The channels of the image on screen; () where there is none."""
        display = self._displaying.display
        if display is None:
            return ()
        shown = {} if display.view.formula is not None else {c.index: c for c in display.view.channels}
        names = channel_names(display.metadata, display.channels)
        if display.channels == 3 and not any(names):
            names = (_("Red"), _("Green"), _("Blue"))
        chosen = self._adjusting.channel
        return tuple(
            ChannelRow(
                index,
                names[index] or _("Channel {n}", n=index + 1),
                (shown.get(index) or self._as_before(display, index)).colour,
                index in shown,
                index == chosen,
            )
            for index in range(display.channels)
        )

    @property
    def mappings(self) -> tuple[str, ...]:
        """The maps of bands (`bands.MAPPINGS`) that the image has all bands for."""
        display = self._displaying.display
        if display is None or display.channels < 3:
            return ()
        names = channel_names(display.metadata, display.channels)
        return tuple(name for name in MAPPINGS if mapping(name, names) is not None)

    @property
    def indices(self) -> tuple[str, ...]:
        """The indices (`bands.INDICES`) that the image has all bands for."""
        display = self._displaying.display
        return () if display is None else tuple(name for name in INDICES if self._known(display, INDICES[name]))

    @property
    def mapping(self) -> str:
        """Which of `mappings` is shown; '' for none."""
        display = self._displaying.display
        if display is None or display.view.formula is not None:
            return ""
        names = channel_names(display.metadata, display.channels)
        coloured = tuple(channel.colour for channel in display.view.channels)
        shown = display.view.indices if coloured == (RED, GREEN, BLUE) else ()
        return next((name for name in self.mappings if mapping(name, names) == shown), "")

    def formula_of(self, name: str) -> str:
        """The formula of one of `indices`."""
        return INDICES[name]

    @property
    def formula(self) -> str:
        """The formula that is shown; '' for none."""
        display = self._displaying.display
        shown = None if display is None else display.view.formula
        return "" if shown is None else shown.text

    @property
    def colours_by(self) -> str:
        """The colour map; '' for none."""
        display = self._displaying.display
        return "" if display is None else display.view.colours_by

    def choose(self, index: int | None) -> None:
        """Change the levels of this channel from now on; of all that are shown with None."""
        self._adjusting.channel = index
        self.changed.emit()

    def show(self, index: int, shown: bool) -> None:
        """Add a channel to the picture, as it was shown last, or take it out."""

        def change(display: DisplayImage, view: View) -> View:
            others = () if view.formula is not None else tuple(c for c in view.channels if c.index != index)
            for channel in view.channels if view.formula is None else ():
                self._off[self._displaying.image, channel.index] = channel
            new = (*others, self._as_before(display, index)) if shown else others
            return replace(view, channels=tuple(sorted(new, key=lambda c: c.index)), formula=None, colours_by="")

        self._change(change)

    def set_colour(self, index: int, colour: Colour) -> None:
        """Show a channel in another colour."""

        def change(display: DisplayImage, view: View) -> View:
            shown = {} if view.formula is not None else {c.index: c for c in view.channels}
            last = shown.get(index) or self._as_before(display, index)
            self._off[self._displaying.image, index] = replace(last, colour=colour)
            if index not in shown:
                return view
            new = (replace(c, colour=colour) if c.index == index else c for c in view.channels)
            return replace(view, channels=tuple(new), colours_by="")

        self._change(change)

    def show_channels(self) -> None:
        """Show channels in their own colours: those that are shown as bands, or the first ones in place of an index."""

        def change(display: DisplayImage, view: View) -> View:
            base = display.automatic if view.formula is not None else view
            colours = {i: usual_colour(display.metadata, display.channels, i) for i in base.indices}
            own = sorted((replace(c, colour=colours[c.index]) for c in base.channels), key=lambda c: c.index)
            return replace(base, channels=tuple(own), gamma=view.gamma, invert=view.invert)

        self._change(change)

    def show_bands(self, name: str) -> None:
        """Show three bands as red, green and blue: one of `mappings`."""

        def change(display: DisplayImage, view: View) -> View:
            bands = mapping(name, channel_names(display.metadata, display.channels))
            return view if bands is None else mapped(bands, display.found, display.by_channel, invert=view.invert)

        self._change(change)

    def show_formula(self, text: str) -> None:
        """Show what a formula, or one of `indices`, gives; with '' the channels again. What is not understood is
        said.
        """
        if not text.strip():
            if self.formula:
                self._displaying.choose_first()
            return

        def change(display: DisplayImage, view: View) -> View:
            formula = parsed(INDICES.get(text, text), formula_names(display.metadata, display.channels))
            levels = auto_levels(formula.computed(display.overview))
            return View((ShownChannel(0, levels),), invert=view.invert, colours_by=view.colours_by, formula=formula)

        self._notices.attempt(lambda: self._change(change))

    def set_colours_by(self, name: str) -> None:
        """Show one channel in the colours of a map (`colour_maps.COLOUR_MAPS`); with '' in its own."""
        self._change(lambda _display, view: replace(view, colours_by=name))

    def _change(self, change: Callable[[DisplayImage, View], View]) -> None:
        display = self._displaying.display
        if display is not None:
            self._displaying.choose(change(display, display.view))
            self.changed.emit()

    def _as_before(self, display: DisplayImage, index: int) -> ShownChannel:
        """A channel as it was shown last, or would be first."""
        before = self._off.get((self._displaying.image, index))
        colour = usual_colour(display.metadata, display.channels, index)
        return before or ShownChannel(index, display.levels_of(index), colour)

    def _known(self, display: DisplayImage, text: str) -> Formula | None:
        try:
            return parsed(text, formula_names(display.metadata, display.channels))
        except UserError:
            return None

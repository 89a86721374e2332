"""How an image is shown until somebody chooses otherwise. Pure functions of what is known of it."""

from collections.abc import Sequence
from dataclasses import replace

from segstudio.imaging.bands import channel_names, colour_of, is_composite, mapping, roles
from segstudio.imaging.display import BLUE, GREEN, RED, Colour, ShownChannel, View, automatic_view
from segstudio.imaging.levels import Levels
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.windows import between, offered

__all__ = ["automatic_view_of", "channel_levels", "first_view_of", "mapped", "usual_colour"]

_MOST_SHOWN = 7
"""Channels of a composite that are shown at first: as many as there are colours."""


def automatic_view_of(metadata: Metadata, channels: int, found: Levels, by_channel: Sequence[Levels] = ()) -> View:
    """The view between levels that were found: one channel grey; a composite in the colours of its channels, each
    between its own levels; bands in true colour; else the first three as red, green and blue.
    """
    if not is_composite(metadata, channels):
        return automatic_view(channels, found, inverted=metadata.inverted)
    names = channel_names(metadata, channels)
    true = mapping("true colour", names)
    if true is not None:
        return mapped(true, found, by_channel, invert=metadata.inverted)
    if roles(names) and channels >= 3:
        return mapped((0, 1, 2), found, by_channel, invert=metadata.inverted)
    shown = tuple(
        ShownChannel(index, channel_levels(index, found, by_channel), usual_colour(metadata, channels, index))
        for index in range(min(channels, _MOST_SHOWN))
    )
    return View(shown, invert=metadata.inverted)


def first_view_of(metadata: Metadata, channels: int, found: Levels, by_channel: Sequence[Levels] = ()) -> View:
    """The view at first: in the first window that the file gives, else the automatic one."""
    automatic = automatic_view_of(metadata, channels, found, by_channel)
    own = next((window for window in offered(metadata, channels) if window.from_file), None)
    return automatic if own is None else between(automatic, own)


def mapped(bands: Sequence[int], found: Levels, by_channel: Sequence[Levels], *, invert: bool = False) -> View:
    """The view of three channels as red, green and blue."""
    colours: tuple[Colour, ...] = (RED, GREEN, BLUE)
    shown = (ShownChannel(i, channel_levels(i, found, by_channel), c) for i, c in zip(bands, colours, strict=True))
    return replace(View(tuple(shown)), invert=invert)


def channel_levels(index: int, found: Levels, by_channel: Sequence[Levels]) -> Levels:
    """The levels of a channel by itself, where they are known; else those of all."""
    return by_channel[index] if index < len(by_channel) else found


def usual_colour(metadata: Metadata, channels: int, index: int) -> Colour:
    """The colour of a channel that somebody turns on: the file's or its place's."""
    return (255, 255, 255) if channels == 1 else colour_of(metadata, index)

"""What the channels of a picture are: names, colours, and which of them is red, green, blue or near infrared."""

import re
from collections.abc import Sequence

from segstudio.imaging.metadata import Channel, Metadata

__all__ = ["INDICES", "MAPPINGS", "channel_names", "colour_of", "formula_names", "is_composite", "mapping", "roles"]

MAPPINGS: dict[str, tuple[str, str, str]] = {
    "true colour": ("red", "green", "blue"),
    "false colour infrared": ("nir", "red", "green"),
}
"""Which bands are shown in red, green and blue."""

INDICES: dict[str, str] = {
    "NDVI": "(nir - red) / (nir + red)",
    "NDWI": "(green - nir) / (green + nir)",
    "NDRE": "(nir - rededge) / (nir + rededge)",
}
"""Indices of vegetation and water by formula."""

_ROLES = (
    ("rededge", re.compile(r"red[ _-]*edge|\bre\d?\b")),
    ("nir", re.compile(r"\bnir\d?\b|near[ _-]*infra[ _-]*red|^infrared$|^ir$")),
    ("red", re.compile(r"\bred\b|^r$")),
    ("green", re.compile(r"\bgreen\b|^g$")),
    ("blue", re.compile(r"\bblue\b|^b$")),
)
_SEPARATORS = re.compile(r"[_()\[\],;:]+")
_UNFIT = re.compile(r"\W+")
_DEFAULTS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0))


def channel_names(metadata: Metadata, channels: int) -> tuple[str, ...]:
    """The names that the file gives its channels; '' where it gives none."""
    given = metadata.channels
    return tuple(given[index].name if index < len(given) else "" for index in range(channels))


def colour_of(metadata: Metadata, index: int) -> tuple[int, int, int]:
    """The colour of a channel: the file's, else one of seven in turn, red first."""
    given = metadata.channels[index] if index < len(metadata.channels) else Channel()
    text = given.color.lstrip("#")
    if re.fullmatch(r"[0-9a-fA-F]{6}", text):
        return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)
    return _DEFAULTS[index % len(_DEFAULTS)]


def roles(names: Sequence[str]) -> dict[str, int]:
    """Which channel, counted from 0, is red, green, blue, nir or rededge, by the names; the first one of each."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        words = _SEPARATORS.sub(" ", name.casefold()).strip()
        role = next((role for role, pattern in _ROLES if pattern.search(words)), None)
        if role is not None:
            found.setdefault(role, index)
    return found


def mapping(name: str, names: Sequence[str]) -> tuple[int, int, int] | None:
    """The channels that one of `MAPPINGS` shows in red, green and blue; None where one is not there."""
    found = roles(names)
    red, green, blue = (found.get(role) for role in MAPPINGS[name])
    return None if red is None or green is None or blue is None else (red, green, blue)


def formula_names(metadata: Metadata, channels: int) -> dict[str, int]:
    """The names by which a formula calls channels: c1 for the first, its own name where it is one word, its role."""
    names = channel_names(metadata, channels)
    found = {f"c{index + 1}": index for index in range(channels)}
    for index, name in enumerate(names):
        word = _UNFIT.sub("_", name.strip()).strip("_").casefold()
        if word.isidentifier():
            found.setdefault(word, index)
    if channels == 3 and not any(names):
        found |= {"red": 0, "green": 1, "blue": 2}
    return {**found, **roles(names)}


def is_composite(metadata: Metadata, channels: int) -> bool:
    """Whether channels are pictures of their own, as of stains or of a camera with many bands: each then has levels of
    its own. Red, green and blue are one picture.
    """
    if channels < 2 or not any(channel.name or channel.color for channel in metadata.channels):
        return False
    found = roles(channel_names(metadata, channels))
    return not (channels == 3 and {"red", "green", "blue"} <= found.keys())

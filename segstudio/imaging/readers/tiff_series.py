"""Which pictures of a TIFF count: never the label, macro or thumbnail of a slide, which lie beside the scan itself.

A label is written on, often by hand, and may name a person: none of its pixels are read.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tifffile

__all__ = ["SLIDES", "has_label", "pictures_of"]

SLIDES = ("svs", "scn", "bif", "ndpi", "philips", "qpi", "avs", "indica")
"""Kinds of series, as tifffile calls them, that are the scan of a slide with others beside it."""

_BESIDE = re.compile(r"\b(label|macro|overview|thumbnail|map|slide ?preview)\b", re.IGNORECASE)
_TELLS = re.compile(r"\b(label|macro|overview)\b", re.IGNORECASE)


def pictures_of(series: "list[tifffile.TiffPageSeries]") -> tuple[int, ...]:
    """The places of the series that are read: all that have the same axes, sizes and samples, else the first.

    Of a slide it is the largest of those that are not its label and the like.
    """
    places = [place for place, one in enumerate(series) if not _is_beside(one)] or [0]
    if series[places[0]].kind in SLIDES:
        return (max(places, key=lambda place: (_area(series[place]), -place)),)
    kinds = {(s.axes, tuple(s.shape), s.dtype, s.kind) for s in (series[place] for place in places)}
    return tuple(places) if len(kinds) == 1 else (places[0],)


def has_label(series: "list[tifffile.TiffPageSeries]") -> bool:
    """Whether there is a picture of the slide as a whole, with what is written on it."""
    return any(_is_beside(one) and _TELLS.search(one.name) is not None for one in series)


def _is_beside(one: "tifffile.TiffPageSeries") -> bool:
    return one.kind in (*SLIDES, "ome") and _BESIDE.search(str(one.name)) is not None


def _area(one: "tifffile.TiffPageSeries") -> int:
    shape, axes = one.shape, str(one.axes)
    return int(shape[axes.index("Y")]) * int(shape[axes.index("X")]) if "Y" in axes and "X" in axes else 0

"""Which images the list shows, and in which order: values, and the functions that apply them to rows.

A keystroke in the filter is answered on the GUI thread, so 100,000 rows must take a few milliseconds: names are
compared first, in one pass over plain strings, and what else is asked looks at the rows that are left.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from segstudio.app.values import ImageItem
from segstudio.labels.model import ClassId, ImageId, Status

__all__ = ["ImageFilter", "ImageOrder", "Order", "fitting", "name_keys", "ordered"]

_DIGITS = re.compile(r"\d+")
_STATUS_RANK = {Status.IN_PROGRESS: 0, Status.NEW: 1, Status.DONE: 2}


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """What an image must have to be listed: every word of `text` in its name, one of `statuses` (any where empty), a
    known pixel of the class, a problem, its place among those held out.
    """

    text: str = ""
    statuses: frozenset[Status] = frozenset()
    has_class: ClassId | None = None
    problem: bool = False
    held_out: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text, as names are compared."""
        return tuple(self.text.casefold().split())

    @property
    def beyond_text(self) -> bool:
        """Whether it asks for something besides words."""
        return bool(self.statuses or self.has_class is not None or self.problem or self.held_out)

    @property
    def empty(self) -> bool:
        """Whether every image fits."""
        return not self.words and not self.beyond_text


class Order(StrEnum):
    """By what the list is sorted; ADDED is the order of `info`."""

    ADDED = "added"
    NAME = "name"
    STATUS = "status"
    LABELLED = "labelled"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """The key and its direction. Images with the same key stay in the order of the project, backwards too."""

    by: Order = Order.ADDED
    backwards: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is the order of the project."""
        return self.by is Order.ADDED and not self.backwards


def name_keys(items: Iterable[ImageItem]) -> list[str]:
    """The names as a filter compares them, in the order of the rows."""
    return [item.name.casefold() for item in items]


def ordered(items: Sequence[ImageItem], names: Sequence[str], order: ImageOrder) -> Sequence[int]:
    """The places of all rows in this order; `names` are `name_keys`."""
    places = range(len(items))
    if order.by is Order.ADDED:
        return places[::-1] if order.backwards else places
    keys: list[str] | list[int] | list[float]
    if order.by is Order.NAME:
        keys = [_DIGITS.sub(_padded, name) for name in names]
    elif order.by is Order.STATUS:
        keys = [_STATUS_RANK[item.status] for item in items]
    elif order.by is Order.LABELLED:
        keys = [-_share(item) for item in items]
    else:
        keys = [not item.problem for item in items]
    return sorted(places, key=keys.__getitem__, reverse=order.backwards)


def fitting(
    items: Sequence[ImageItem],
    names: Sequence[str],
    places: Sequence[int],
    wanted: ImageFilter,
    present: Collection[ImageId] | None = None,
    also: int = -1,
) -> Sequence[int]:
    """Those of the places whose rows fit, in their order.

    `present` are the images that have the class asked for; None while that is not known, and then every image may.
    The place `also` stays whether it fits or not.
    """
    if wanted.empty:
        return places
    for word in wanted.words:
        places = _named(names, places, word, also)
    if wanted.statuses:
        statuses = wanted.statuses
        places = [i for i in places if items[i].status in statuses or i == also]
    if wanted.problem:
        places = [i for i in places if items[i].problem or i == also]
    if wanted.held_out:
        places = [i for i in places if items[i].split == "held-out" or i == also]
    if wanted.has_class is not None and present is not None:
        places = [i for i in places if items[i].id in present or i == also]
    return places


def _named(names: Sequence[str], places: Sequence[int], word: str, also: int) -> Sequence[int]:
    """The places whose names have the word; the very same where all have it, so that a range stays one."""
    if places == range(len(names)):
        left = [i for i, name in enumerate(names) if word in name or i == also]
    else:
        left = [i for i in places if word in names[i] or i == also]
    return places if len(left) == len(places) else left


def _padded(digits: re.Match[str]) -> str:
    return digits[0].zfill(12)


def _share(item: ImageItem) -> float:
    return item.labelled_pixels / max(1, item.width * item.height * item.planes)

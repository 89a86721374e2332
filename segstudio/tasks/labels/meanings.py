"""What the values, colours and names in files to import stand for, as far as the files and the project say it.

A person is shown each with its class, and may choose another; `map_of` makes the map of an import from that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.formats.values import MaskValues
from segstudio.labels.model import ClassTable
from segstudio.tasks.labels.mask_map import Color, MapKey, MaskMap, ValueTable
from segstudio.text import _

__all__ = ["FoundValues", "Meaning", "map_of"]

_SINGLE_VALUES = 24
"""Up to so many values that no class has are listed one by one; more are most likely numbers of objects."""
_MOST_COLORS = 64


@dataclass(frozen=True, slots=True)
class Meaning:
    """A key of the files, its `words` for people, and the class it stands for: '' = unknown, None = nobody says.

    `own` says that an import takes it so without a map; `color` (#RRGGBB) is set where the key is a colour.
    """

    key: MapKey
    words: str
    class_name: str | None
    own: bool
    color: str = ""


def map_of(meanings: Iterable[Meaning], chosen: Mapping[MapKey, str]) -> MaskMap:
    """The map that gives every key the class `chosen` for it, else the one it stands for; '' = unknown.

    Leaves out what needs no map. Where a colour is mapped every value is too, for colours are read instead of values.
    """
    named = [(m, chosen.get(m.key, m.class_name or "")) for m in meanings]
    with_colors = any(isinstance(m.key, Color) for m, _name in named)
    return {m.key: name for m, name in named if with_colors or not m.own or name != m.class_name}


class FoundValues:
    """The values and colours in masks, added one mask after the other."""

    def __init__(self, classes: ClassTable) -> None:
        self._table = ValueTable(classes, {})
        self._classes = classes
        self._values: dict[int, None] = {}
        self._unknown: set[int] = set()
        self._colors: set[Color] = set()
        self._palette: dict[int, Color] = {}

    def add(self, mask: MaskValues) -> None:
        """Add a mask. Raises `UserError` for a picture of too many colours."""
        present = np.flatnonzero(np.bincount(mask.values.reshape(-1), minlength=1)).tolist()
        if mask.picture:
            assert mask.colors is not None
            self._colors |= {Color(*mask.colors[value].tolist()) for value in present if value != mask.unknown}
            if len(self._colors) > _MOST_COLORS:
                raise UserError(
                    _(
                        "The masks hold more than {n} colours: they are pictures, or each colour is an object.",
                        n=_MOST_COLORS,
                    )
                )
            return
        self._unknown.add(mask.unknown)
        self._values.update(dict.fromkeys(present))
        if mask.colors is not None:
            self._palette |= _colours_of(mask.colors, present)

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """Values in their order, then colours."""
        return (*self._of_values(), *map(self._of_color, sorted(self._colors, key=str)))

    def _of_values(self) -> Iterator[Meaning]:
        known = {value: self._own(value) for value in sorted(self._values)}
        nameless = [value for value, own in known.items() if own is None]
        if len(nameless) > _SINGLE_VALUES:
            for span in _spans(nameless, self._table):
                words = str(span.start) if len(span) == 1 else f"{span.start}–{span.stop - 1}"
                yield Meaning(span.start if len(span) == 1 else span, words, None, own=False)
            known = {value: own for value, own in known.items() if own is not None}
        for value, own in known.items():
            if own is None:
                yield Meaning(value, str(value), self._of_palette(value), own=False)
            else:
                yield Meaning(value, str(value), own, own=True)

    def _own(self, value: int) -> str | None:
        """The class that an import takes a value for by itself; None where it refuses it."""
        if value in self._unknown or (value == 255 and self._table.own_class(value) is None):
            return ""
        found = self._table.own_class(value)
        return None if found is None else self._name(found)

    def _of_palette(self, value: int) -> str | None:
        color = self._palette.get(value)
        return None if color is None else self._named_by(color)

    def _of_color(self, color: Color) -> Meaning:
        name = self._named_by(color)
        if name is None and color == Color(0, 0, 0):
            name = self._classes.background.name  # what every program leaves black
        return Meaning(color, str(color), name, own=False, color=str(color))

    def _named_by(self, color: Color) -> str | None:
        return next((c.name for c in self._classes if c.color.upper() == str(color)), None)

    def _name(self, class_id: int) -> str:
        return next((c.name for c in self._classes if c.id == class_id), "")


def _colours_of(colors: NDArray[np.uint8], present: Sequence[int]) -> dict[int, Color]:
    """The colours of values; a grey says nothing, for every grey picture has one for each value."""
    found = {value: Color(*colors[value].tolist()) for value in present if value < len(colors)}
    return {value: c for value, c in found.items() if not c.red == c.green == c.blue}


def _spans(values: Sequence[int], table: ValueTable) -> Iterator[range]:
    """Ascending values as spans, each as long as no class has a value within."""
    first = last = values[0]
    for value in values[1:]:
        if any(table.own_class(between) is not None for between in range(last + 1, value)) or last < 255 <= value:
            yield range(first, last + 1)
            first = value
        last = value
    yield range(first, last + 1)

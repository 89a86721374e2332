"""What the values, colours or names in a mask mean: by a project's own values, and by what a person maps.

`--map 0-127=soil,200=crack,#00FF00=leaf,255=`: a key is a value, a range of values, a colour or a name that the file
uses, and stands for a class; without a class for unknown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import MaskMismatch, UnknownClassValue, UsageError, UserError
from segstudio.formats.values import MaskValues
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.model import ClassTable, folded_name
from segstudio.text import _, count

__all__ = [
    "Color",
    "MapKey",
    "MaskMap",
    "ValueTable",
    "missing_classes",
    "must_exist",
    "must_have_no_names",
    "parsed_map",
]

_MOST_VALUES = 1 << 16
_RUNNING = 5
"""So many values without a class, nearly all in a row, are taken for numbers of objects."""


@dataclass(frozen=True, slots=True)
class Color:
    """A colour of 8 bits a channel, as a key of a map."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        return f"#{self.red:02X}{self.green:02X}{self.blue:02X}"


MapKey = int | range | Color | str
"""A value, a range of values, a colour, or a name that the file uses."""

MaskMap = Mapping[MapKey, str]
"""Class name by key; '' = unknown."""


def parsed_map(texts: Iterable[str]) -> dict[MapKey, str]:
    """The map of texts like `0-127=soil,200=crack,#00FF00=leaf,255=`. Raises `UsageError`."""
    found: dict[MapKey, str] = {}
    values: set[int] = set()
    for part in (part for text in texts for part in text.split(",")):
        written, mark, name = part.partition("=")
        if not mark or not written.strip():
            raise UsageError(
                _(
                    "'{part}' is not of the form KEY=CLASS: a key is a value, a range like 0-127, a colour or a name.",
                    part=part,
                )
            )
        key = _parsed_key(written.strip())
        meant = {key} if isinstance(key, int) else set(key) if isinstance(key, range) else set[int]()
        if key in found or meant & values:
            if meant & values:
                raise UsageError(_("The value {value} is mapped twice.", value=min(meant & values)))
            raise UsageError(_("The key {key} is mapped twice.", key=key))
        values |= meant
        found[key] = name.strip()
    return found


def _parsed_key(text: str) -> MapKey:
    if text.startswith("#"):
        if not re.fullmatch("#[0-9A-Fa-f]{6}", text):
            raise UsageError(_("'{text}' is not a colour of the form #RRGGBB.", text=text))
        return Color(*bytes.fromhex(text[1:]))
    if re.fullmatch("[0-9]+", text):
        return _value(text)
    if re.fullmatch("[0-9]+ *- *[0-9]+", text):
        first, _unused, last = text.partition("-")
        if _value(first) > _value(last):
            raise UsageError(_("The range '{text}' is empty: its first value is above its last.", text=text))
        return range(_value(first), _value(last) + 1)
    return text


def _value(text: str) -> int:
    if int(text) >= _MOST_VALUES:
        raise UsageError(
            _(
                "{value} is not a value of a mask: values are 0 to {last}.",
                value=text.strip(),
                last=_MOST_VALUES - 1,
            )
        )
    return int(text)


def must_have_no_names(mapping: MaskMap, format_: str) -> None:
    """Raises `UsageError` where a map has a name for a key, for a format whose files use none."""
    for key in mapping:
        if isinstance(key, str):
            raise UsageError(
                _(
                    "'{key}' is not a key for masks of the format {format}, which use no names: a key is a value, a "
                    "range like 0-127, or a colour #RRGGBB.",
                    key=key,
                    format=format_,
                )
            )


def missing_classes(mapping: MaskMap, classes: ClassTable) -> tuple[str, ...]:
    """The classes that a map names and the project does not have, each once, as first written."""
    missing: dict[str, str] = {}
    for name in mapping.values():
        if name and classes.named(name) is None:
            missing.setdefault(folded_name(name), name)
    return tuple(missing.values())


def must_exist(names: Iterable[str], classes: ClassTable, todo: str = "") -> None:
    """Raises `UserError`, which lists them, where classes of these names are not in the project."""
    missing = tuple(names)
    if missing:
        raise UserError(
            count(
                len(missing),
                "The project has no class {missing}; it has {names}.",
                "The project has no classes {missing}; it has {names}.",
                missing=", ".join(f"'{name}'" for name in missing),
                names=", ".join(c.name for c in classes),
            ),
            todo=todo,
        )


class ValueTable:
    """Class id by value, or by colour, in a mask."""

    def __init__(self, classes: ClassTable, mapping: MaskMap) -> None:
        """Every class of the map has to be there."""
        self._own = np.full(_MOST_VALUES, -1, np.int32)
        today = class_lookup(classes, nothing=-1)
        made = [c for c in classes.all if c.value < _MOST_VALUES]
        self._own[[c.value for c in made]] = today[[c.id for c in made]]
        self._mapped = np.full(_MOST_VALUES, -1, np.int32)
        self._by_color: dict[Color, int] = {}
        for key, name in mapping.items():
            named = classes.named(name) if name else None
            class_id = 0 if named is None else int(named.id)
            if isinstance(key, Color):
                self._by_color[key] = class_id
            elif isinstance(key, range):
                self._mapped[key.start : key.stop] = class_id
            elif isinstance(key, int):
                self._mapped[key] = class_id

    @property
    def has_colors(self) -> bool:
        """Whether colours have a meaning: then colour pictures are masks, too."""
        return bool(self._by_color)

    def maps(self, value: int) -> bool:
        """Whether the map gives a meaning to this value."""
        return bool(self._mapped[value] >= 0)

    def own_class(self, value: int) -> int | None:
        """Id of the class of the project that has this value, whatever the map says; None where none has it."""
        found = int(self._own[value])
        return found if found >= 0 else None

    def class_ids(self, mask: MaskValues, name: str) -> NDArray[np.int32]:
        """Class ids (h, w), 0 = unknown, of the mask `name`. Raises `UnknownClassValue` for a value without a class,
        and `MaskMismatch` for colours where the map names none."""
        by_color = self.has_colors and mask.colors is not None
        if mask.picture and not by_color:
            raise MaskMismatch(_("{name} is a colour picture, not a mask of class values.", name=name))
        ids = (self._of_colors(mask) if by_color else self._of_values(mask))[mask.values]
        if ids.size and int(ids.min()) < 0:
            wrong = np.unique(mask.values[ids < 0])
            raise self._colorless(mask, name, wrong) if by_color else self._valueless(name, wrong)
        return ids

    def _of_values(self, mask: MaskValues) -> NDArray[np.int32]:
        lookup = np.where(self._mapped >= 0, self._mapped, self._own)
        for value in {255, mask.unknown}:
            # In 16 bits 255 may be a class; in 8 bits it never is.
            if not self.maps(value) and (lookup[value] < 0 or value == mask.unknown):
                lookup[value] = 0
        return lookup

    def _of_colors(self, mask: MaskValues) -> NDArray[np.int32]:
        """By value, where colours count: a value without a colour, or a key of its own, means nothing."""
        colors = np.zeros((0, 3), np.uint8) if mask.colors is None else mask.colors
        lookup = np.full(max(_MOST_VALUES, len(colors) + 1), -1, np.int32)
        for value, (red, green, blue) in enumerate(colors.tolist()):
            lookup[value] = self._by_color.get(Color(red, green, blue), -1)
        if not mask.picture:
            lookup[:_MOST_VALUES] = np.where(self._mapped >= 0, self._mapped, lookup[:_MOST_VALUES])
        if lookup[mask.unknown] < 0:
            lookup[mask.unknown] = 0
        return lookup

    @staticmethod
    def _valueless(name: str, wrong: NDArray[np.int32]) -> UnknownClassValue:
        return UnknownClassValue(
            count(
                len(wrong),
                "{name} holds the value {values}, which no class of the project has.",
                "{name} holds the values {values}, which no class of the project has.",
                name=name,
                values=_listed(wrong.tolist()),
            ),
            todo=_(
                "If each object has a number of its own, add --map 1-65535=CLASS; objects that touch are then joined. "
                "Otherwise add --map {value}=CLASS, or --map {value}= for unknown.",
                value=wrong[0],
            )
            if _are_running(wrong)
            else _("Add --map {value}=CLASS, or --map {value}= for unknown.", value=wrong[0]),
        )

    @staticmethod
    def _colorless(mask: MaskValues, name: str, wrong: NDArray[np.int32]) -> UnknownClassValue:
        assert mask.colors is not None
        colors = [str(Color(*mask.colors[value].tolist())) for value in wrong if value < len(mask.colors)]
        return UnknownClassValue(
            count(
                len(colors),
                "{name} holds the colour {colors}, which --map does not give a class.",
                "{name} holds the colours {colors}, which --map does not give a class.",
                name=name,
                colors=_listed(colors),
            ),
            todo=_("Add --map '{key}=CLASS', without a class for unknown.", key=colors[0] if colors else wrong[0]),
        )


def _are_running(values: NDArray[np.int32]) -> bool:
    """Whether they look like numbers of objects: many, and hardly one left out. Files of classes have few values."""
    return len(values) >= _RUNNING and int(values[-1]) - int(values[0]) < 2 * len(values)


def _listed(things: list[int] | list[str]) -> str:
    return ", ".join(map(str, things[:5])) + (" ..." if len(things) > 5 else "")

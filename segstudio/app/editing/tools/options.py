"""What a tool lets a person set: rows of its options, as values. The panel, and where they are kept, are made from it.

Options of one name are one option: two tools that list it share its value. They are made before the window is shown,
and a named tuple is made in a third of the time of a data class.
"""

from typing import NamedTuple, TypeAlias

from segstudio.text import N_

__all__ = [
    "OBJECT_OPTIONS",
    "OVER_OBJECTS",
    "SMALLER_THAN",
    "STEP",
    "Choice",
    "Flag",
    "Number",
    "Option",
    "OptionValue",
    "fitting",
]


class Number(NamedTuple):
    """A number from `low` to `high`; `suffix` is its unit in words (with the space before it)."""

    name: str
    title: str
    tip: str
    default: float
    low: float
    high: float
    step: float = 1.0
    decimals: int = 0
    suffix: str = ""


class Choice(NamedTuple):
    """One of several: `choices` are (value, words)."""

    name: str
    title: str
    tip: str
    default: str
    choices: tuple[tuple[str, str], ...]


class Flag(NamedTuple):
    """Yes or no."""

    name: str
    title: str
    tip: str
    default: bool


Option: TypeAlias = Number | Choice | Flag
OptionValue: TypeAlias = float | str | bool


def fitting(option: Option, value: object) -> OptionValue | None:
    """The value as this option takes it, a number clipped to its limits; None where it is of another kind."""
    match option:
        case Number() if isinstance(value, int | float) and not isinstance(value, bool):
            return min(option.high, max(option.low, float(value)))
        case Choice() if isinstance(value, str) and value in dict(option.choices):
            return value
        case Flag() if isinstance(value, bool):
            return value
        case _:
            return None


STEP = Number(
    "object-step",
    N_("Grow, shrink by"),
    N_("How far objects grow or shrink, and what smoothing evens out, in image pixels"),
    2,
    1,
    50,
    suffix=N_(" px"),
)
SMALLER_THAN = Number(
    "smaller-than",
    N_("Small is below"),
    N_("Parts of objects with fewer pixels are small: they can be dropped, or erased as specks"),
    9,
    2,
    10_000,
    suffix=N_(" px"),
)
OVER_OBJECTS = Flag(
    "over-objects",
    N_("Over other objects"),
    N_("Let objects that grow, and holes that are filled, take pixels from other objects"),
    False,
)
OBJECT_OPTIONS: tuple[Option, ...] = (STEP, SMALLER_THAN, OVER_OBJECTS)
"""Of the operations on selected objects; the pick tool shows them."""

"""What a person chose for the policies that need more than a name. Values; they are made without NumPy."""

from dataclasses import dataclass

from segstudio.labels.model import ClassId

__all__ = ["Limits", "ValueRange"]


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Values from `low` to `high`, both included, of a channel counted from 0; None = grey, the mean of all."""

    low: float
    high: float
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person chose for the policies CLASS and RANGE.

    `class_id` None is the class under the first point; all `ranges` have to hold, without one every value will do.
    """

    class_id: ClassId | None = None
    ranges: tuple[ValueRange, ...] = ()

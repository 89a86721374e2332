"""What a class counts as today, as an array that is indexed by class id, or by object id: the one way from the class
that an object was given to what is painted, shown, exported, learned and counted."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.model import ClassTable, LabelClass

__all__ = ["class_lookup", "object_lookup"]

K = TypeVar("K", bound=int)
S = TypeVar("S", bound=np.generic)


def _id(label_class: LabelClass) -> int:
    return label_class.id


def class_lookup(
    classes: ClassTable,
    say: Callable[[LabelClass], int] = _id,
    *,
    nothing: int = 0,
    dtype: type[S] = np.int32,
    size: int = 0,
) -> NDArray[S]:
    """By class id: what `say` (by default the id) says of the class that it counts as today, merges followed.

    `nothing` for 0, for ids that no class has, and where the class of today is removed. It ends at the highest id, or
    has `size` entries where that is more.
    """
    said = np.full(max(size, max((c.id for c in classes.all), default=0) + 1), nothing, dtype)
    for made in classes.all:
        today = classes.effective(made.id)
        if today is not None:
            said[made.id] = say(today)
    return said


def object_lookup(class_of: Mapping[K, int], by_class: NDArray[S], *, nothing: int = 0) -> NDArray[S]:
    """By object id: the entry of `by_class` at its class; `nothing` for ids without an object, for classes beyond its
    end, and, as the last entry, for ids beyond: `take(ids, mode="clip")` fits every id."""
    found = np.full(max(class_of, default=0) + 2, nothing, by_class.dtype)
    ids = np.fromiter(class_of.keys(), np.intp, len(class_of))
    given = np.fromiter(class_of.values(), np.intp, len(class_of))
    known = given < len(by_class)
    found[ids[known]] = by_class[given[known]]
    return found

"""Which objects an operation may change, and whose pixels it may take: arrays by object id (0 = unknown)."""

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.model import ClassTable, Touch
from segstudio.labels.paint.policy import effective_lookup, paintable_objects

__all__ = ["changeable", "separable", "separable_of", "takeable"]


def changeable(document: Document, classes: ClassTable) -> NDArray[np.bool_]:
    """Whether its pixels are labelled, and of a class that is not locked."""
    owner = effective_lookup(document, classes)
    return (owner != 0) & ~np.isin(owner, [c.id for c in classes if c.locked])


def separable(document: Document, classes: ClassTable) -> NDArray[np.bool_]:
    """Whether it is an object of an instance class that is not locked."""
    return separable_of(document.class_lookup(), classes)


def separable_of(class_of: NDArray[np.int32], classes: ClassTable) -> NDArray[np.bool_]:
    """The same from the class of each object by id."""
    wanted = [c.id for c in classes if not c.one_object and not c.locked]
    return np.isin(class_lookup(classes)[class_of], wanted)


def takeable(document: Document, classes: ClassTable, touch: Touch, *, over: bool) -> NDArray[np.bool_]:
    """Whether an object that grows may take its pixels: by the policy, and with `over` also from other instances."""
    owner = effective_lookup(document, classes)
    allowed = paintable_objects(document, classes, touch)
    taken = np.ones(len(owner), np.bool_) if allowed is None else allowed.copy()
    if not over:
        taken &= ~np.isin(owner, [c.id for c in classes if not c.one_object])
    return taken

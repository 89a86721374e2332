"""What a stroke may touch, and which object it paints. Pure decisions, no pixels written."""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, ObjectId, Touch

__all__ = ["Touch", "effective_lookup", "paintable_objects", "target_object"]


def effective_lookup(document: Document, classes: ClassTable) -> NDArray[np.int32]:
    """By object id: the class it counts as today, merges followed; 0 for unknown and where the class is removed."""
    return class_lookup(classes)[document.class_lookup()]


def paintable_objects(
    document: Document, classes: ClassTable, touch: Touch, class_id: ClassId | None = None
) -> NDArray[np.bool_] | None:
    """By object id (0 = unknown): whether its pixels may be changed; None where all may, the common case.

    Nothing may be painted with a class `class_id` that is locked. What counts is the class of today: the pixels of a
    class merged into a locked one are locked, and those of a removed class are unlabelled, as they look.
    """
    locked = [c.id for c in classes if c.locked]
    if touch is Touch.ALL and not locked:
        return None
    owner = effective_lookup(document, classes)
    painted = None if class_id is None else classes.effective(class_id)
    if painted is not None and painted.locked:
        return np.zeros(len(owner), np.bool_)
    allowed = ~np.isin(owner, locked)
    if touch is Touch.UNLABELLED:
        allowed &= owner == 0
    elif touch is Touch.LABELLED:
        allowed &= owner != 0
    return allowed


def target_object(
    document: Document,
    label_class: LabelClass,
    x: float,
    y: float,
    plane: int,
    classes: ClassTable | None = None,
) -> ObjectId | None:
    """The object that a stroke of this class beginning at (x, y) goes on with; None = it makes a new one.

    A class with one object an image goes on with that. An instance class goes on with the object under the first
    point, so that one can mend it, and makes a new one anywhere else; given `classes`, also with one of a class that
    was merged into it.
    """
    if label_class.kind is not Kind.INSTANCE:
        return document.single_object(label_class.id)
    under = _object_at(document, x, y, plane)
    owner = document.objects.get(under)
    if owner is not None and classes is not None:
        today = classes.effective(owner)
        owner = None if today is None else today.id
    return under if owner == label_class.id else None


def _object_at(document: Document, x: float, y: float, plane: int) -> ObjectId:
    ids, _ = document.raster.read(plane, Rect(int(x // 1), int(y // 1), 1, 1))
    return ObjectId(int(ids[0, 0]))

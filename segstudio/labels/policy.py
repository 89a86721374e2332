"""What a stroke may touch, and which object it paints. Pure decisions, no pixels written."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, ObjectId

__all__ = ["Touch", "paintable_objects", "target_object"]


class Touch(StrEnum):
    """Which pixels a stroke may change; those of locked classes never."""

    ALL = "all"
    UNLABELLED = "unlabelled"
    LABELLED = "labelled"


def paintable_objects(
    document: Document, classes: ClassTable, touch: Touch, class_id: ClassId | None = None
) -> NDArray[np.bool_] | None:
    """By object id (0 = unknown): whether its pixels may be changed; None where all may, the common case.

    Painting the class `class_id` itself is allowed where it is the locked one only for pixels that already have it.
    """
    locked = {c.id for c in classes.all if c.locked}
    if touch is Touch.ALL and not locked:
        return None
    owner = document.class_lookup()
    allowed = np.ones(len(owner), np.bool_)
    if touch is Touch.UNLABELLED:
        allowed[1:] = False
    elif touch is Touch.LABELLED:
        allowed[0] = False
    if locked:
        allowed &= ~np.isin(owner, list(locked))
    if class_id is not None and class_id in locked:
        allowed[:] = False
    return allowed


def target_object(document: Document, label_class: LabelClass, x: float, y: float, plane: int) -> ObjectId | None:
    """The object that a stroke of this class beginning at (x, y) goes on with; None = it makes a new one.

    A class with one object an image goes on with that. An instance class goes on with the object under the first
    point, so that one can mend it, and makes a new one anywhere else.
    """
    if label_class.kind is not Kind.INSTANCE:
        return document.single_object(label_class.id)
    under = _object_at(document, x, y, plane)
    return under if under and document.objects.get(under) == label_class.id else None


def _object_at(document: Document, x: float, y: float, plane: int) -> ObjectId:
    ids, _ = document.raster.read(plane, Rect(int(x // 1), int(y // 1), 1, 1))
    return ObjectId(int(ids[0, 0]))

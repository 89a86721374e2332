"""Planes filled with classes, as accept, Done and import fill them."""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassTable, Origin
from segstudio.labels.paint.fill import ClassIdsOf, Filling, parts_of
from segstudio.labels.tiles.streamed import collected

__all__ = ["filled", "reader"]


def reader(class_ids: NDArray[np.int32]) -> ClassIdsOf:
    """Reads rectangles of an array (h, w)."""

    def read(rect: Rect) -> NDArray[np.int32]:
        return class_ids[rect.y : rect.bottom, rect.x : rect.right]

    return read


def filled(
    document: Document,
    plane: int,
    class_ids: NDArray[np.int32],
    classes: ClassTable,
    origin: Origin,
    *,
    cause: Cause = Cause.IMPORT,
    only_unknown: bool = False,
) -> Edit | None:
    """Fill a plane and apply the edit; None where it changes nothing."""
    work = Filling({plane: reader(class_ids)}, classes, origin, only_unknown)
    edit = collected(Edit(document.image, cause), parts_of(document, work))
    if edit is not None:
        document.apply(edit)
    return edit

"""What scripts read of an open project: labels, origins and proposals as read-only arrays."""

from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from segstudio.app.open_project import OpenedProject
from segstudio.app.viewing.proposal_values import proposal_values
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId

__all__ = ["Area", "Image", "read_labels", "read_proposal"]

Image = int | str | PurePath | None
"""Place or path of an image; None for the one on screen."""

Area = Rect | tuple[int, int, int, int] | None
"""Image pixels; None for the whole plane."""


def read_labels(
    project: OpenedProject, image: Image, plane: int, area: Area
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Object ids and origins, each (h, w). Raises `UserError` where there is no such image or plane."""
    id_, rect = _where(project, image, plane, area)
    held = project.documents.held(id_)
    document = held.document if held else project.store.document(id_)
    ids, origins = document.raster.read(plane, rect)
    ids.setflags(write=False)
    origins.setflags(write=False)
    return ids, origins


def read_proposal(
    project: OpenedProject, image: Image, plane: int, area: Area
) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
    """Class values and confidence, each (h, w); None without a proposal. Raises `UserError` as `read_labels` does."""
    id_, rect = _where(project, image, plane, area)
    return proposal_values(project.store, project.documents.classes, id_, plane, rect)


def _where(project: OpenedProject, image: Image, plane: int, area: Area) -> tuple[ImageId, Rect]:
    navigation = project.navigation
    if image is None and navigation.index < 0:
        raise UserError("No image is open.")
    row = navigation.rows[navigation.index if image is None else navigation.find(image)]
    if not 0 <= plane < len(row.planes):
        raise UserError(f"There is no plane number {plane}: '{row.path}' has {len(row.planes)}.")
    if area is None:
        return row.id, Rect(0, 0, *row.planes[plane])
    return row.id, area if isinstance(area, Rect) else Rect(*area)

"""What scripts read of an open project: labels, origins and proposals as read-only arrays, and objects."""

from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.object_values import object_values
from segstudio.app.viewing.proposal_values import proposal_values
from segstudio.errors import UnreadableImage, UserError
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ImageId
from segstudio.text import _

__all__ = ["Area", "Ids", "Image", "Origins", "Proposed", "Reading"]

Image = int | str | PurePath | None
"""Place or path of an image; None for the one on screen."""

Area = Rect | tuple[int, int, int, int] | None
"""Image pixels; None for the whole plane."""

Ids = NDArray[np.uint32]
Origins = NDArray[np.uint8]
Proposed = tuple[NDArray[np.uint16], NDArray[np.float32]]


class Reading:
    """Arrays (h, w) of an area. All raise `UserError` where there is no such image or plane."""

    def __init__(self, ground: Ground, documents: Documents, navigation: Navigation) -> None:
        self._project, self._documents, self._navigation = ground.project, documents, navigation

    def labels(self, image: Image, plane: int, area: Area) -> tuple[Ids, Origins]:
        """Object ids and origins."""
        id_, rect = self._where(image, plane, area)
        ids, origins = self._document(id_).raster.read(plane, rect)
        ids.setflags(write=False)
        origins.setflags(write=False)
        return ids, origins

    def proposal(self, image: Image, plane: int, area: Area) -> Proposed | None:
        """Class values and confidence; None without a proposal."""
        id_, rect = self._where(image, plane, area)
        return proposal_values(self._project, self._documents.classes, id_, plane, rect)

    def objects(self, image: Image) -> list[dict[str, Any]]:
        """The objects of an image, measured now: see `object_values`. A file that cannot be read has no mean."""
        id_, _rect = self._where(image, 0, None)
        document, navigation = self._document(id_), self._navigation
        classes = self._documents.classes
        display = navigation.display
        if id_ == navigation.shown and display is not None and len(document.raster.sizes) == 1:
            return object_values(document, classes, lambda _plane, rect: display.samples(0, rect))
        from segstudio.imaging.source import open_stored
        from segstudio.imaging.values import rescale_of, valued

        row = next(row for row in navigation.rows if row.id == id_)
        try:
            source = open_stored(row.stored)
            try:
                if tuple((p.width, p.height) for p in source.info.planes) == row.planes:
                    return object_values(
                        document,
                        classes,
                        lambda plane, rect: valued(source.read(rect, plane=plane), rescale_of(source, plane)),
                    )
            finally:
                source.close()
        except UnreadableImage:
            pass  # labels are measured all the same
        return object_values(document, classes, None)

    def _document(self, image: ImageId) -> Document:
        held = self._documents.held(image)
        return held.document if held else self._project.document(image)

    def _where(self, image: Image, plane: int, area: Area) -> tuple[ImageId, Rect]:
        navigation = self._navigation
        if image is None and navigation.index < 0:
            raise UserError(_("No image is open."))
        row = navigation.rows[navigation.index if image is None else navigation.find(image)]
        if not 0 <= plane < len(row.planes):
            raise UserError(
                _("There is no plane {plane}: '{path}' has {n}.", plane=plane, path=row.path, n=len(row.planes))
            )
        if area is None:
            return row.id, Rect(0, 0, *row.planes[plane])
        return row.id, area if isinstance(area, Rect) else Rect(*area)

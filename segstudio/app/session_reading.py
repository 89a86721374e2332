"""What scripts read of the Session: labels, origins and proposals as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudio.app.session_base import SessionBase
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SessionReading"]


class SessionReading(SessionBase):
    """Arrays that are read-only."""

    def labels(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> NDArray[np.uint32]:
        """Object ids (h, w), uint32, read-only, 0 = unknown; of the image on screen where none is named."""
        return self._read(image, plane, rect)[0]

    def origins(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Origins (h, w), uint8, read-only (0 none, 1 painted, 2 accepted, 3 imported, 4 filled in, 5 computed)."""
        return self._read(image, plane, rect)[1]

    def proposal(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
        """Class values (uint16, 255 where nothing is proposed) and confidence (float32, 0..1), each (h, w), read-only.

        None without a proposal.
        """
        from segstudio.app.viewing.proposal_values import proposal_values

        id_, area = self._where(image, plane, rect)
        assert self._opened is not None
        return proposal_values(self._opened.project, self.classes, id_, plane, area)

    def _read(
        self, image: int | str | None, plane: int, rect: Rect | tuple[int, int, int, int] | None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        id_, area = self._where(image, plane, rect)
        assert self._opened is not None
        held = self._opened.documents.held(id_)
        document = held.document if held else self._opened.project.document(id_)
        ids, origins = document.raster.read(plane, area)
        ids.setflags(write=False)
        origins.setflags(write=False)
        return ids, origins

    def _where(
        self, image: int | str | None, plane: int, rect: Rect | tuple[int, int, int, int] | None
    ) -> tuple[ImageId, Rect]:
        self.wait_for_opening()
        if self._opened is None:
            raise UserError("No project is open.")
        navigation = self._opened.navigation
        if image is None and navigation.index < 0:
            raise UserError("No image is open.")
        row = navigation.rows[navigation.index if image is None else navigation.find(image)]
        if not 0 <= plane < len(row.planes):
            raise UserError(f"There is no plane number {plane}: '{row.path}' has {len(row.planes)}.")
        if rect is None:
            return row.id, Rect(0, 0, *row.planes[plane])
        return row.id, rect if isinstance(rect, Rect) else Rect(*rect)

"""Which planes of an image are asked for: the one left last, the one that comes after the one being decoded, and those
that are likely next."""

from collections.abc import Iterator

from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["Turning"]

_ONWARDS, _BACK = 24, 8
"""Planes that are decoded ahead, in the direction of travel and against it."""

_AHEAD_SAMPLES = 10 << 20
"""Pixels of all of them together: of large planes fewer are decoded ahead."""


class Turning:
    """`next` is the plane that was asked for while another one was decoded, None where there is none."""

    def __init__(self) -> None:
        self.next: int | None = None
        self._left: dict[ImageId, int] = {}
        self._image: ImageId | None = None
        self._plane = 0
        self._by = 1

    def plane_of(self, row: ImageRow, plane: int | None = None) -> int:
        """This plane of an image, by default the one that was shown last. Raises `UserError` where it is not there."""
        n = len(row.planes)
        if plane is None:
            return min(self._left.get(row.id, 0), n - 1)
        if not 0 <= plane < n:
            raise UserError(_("There is no plane {plane}: '{path}' has {n}.", plane=plane, path=row.path, n=n))
        return plane

    def taken(self) -> int | None:
        """The plane to turn to now, once."""
        wanted, self.next = self.next, None
        return wanted

    def shown(self, image: ImageId, plane: int) -> None:
        """A plane is on screen: it is where its image was left, and says which way a person goes."""
        if image == self._image and plane != self._plane:
            self._by = 1 if plane > self._plane else -1
        elif image != self._image:
            self._by = 1
        self._image, self._plane = image, plane
        self._left[image] = plane

    def ahead(self, row: ImageRow) -> Iterator[tuple[ImageRow, int]]:
        """Planes of the image on screen that are likely to be shown next, the likeliest first."""
        room = _AHEAD_SAMPLES
        for steps in (*range(1, 4), -1, *range(4, _ONWARDS + 1), *range(-2, -_BACK - 1, -1)):
            plane = self._plane + steps * self._by
            if 0 <= plane < len(row.planes):
                width, height = row.planes[plane]
                room -= width * height
                if room < 0:
                    return
                yield row, plane

"""Planes in the order in which a project knows them: labels belong to a key, whatever order a later reader gives."""

from collections.abc import Sequence
from dataclasses import replace

from segstudio.geometry import Rect
from segstudio.imaging.source import ImageSource, Pixels

__all__ = ["reordered"]


def reordered(source: ImageSource, keys: Sequence[str]) -> ImageSource:
    """The source with its planes in the order of these keys; as it is where the order is the same or a key unknown.

    A file that was replaced by one with other planes is another matter: whoever reads it compares sizes.
    """
    places = {plane.key: place for place, plane in enumerate(source.info.planes)}
    order = [places.get(key, -1) for key in keys]
    if len(order) != len(places) or sorted(order) != list(range(len(places))) or order == sorted(order):
        return source
    return _Reordered(source, order)


class _Reordered:
    def __init__(self, source: ImageSource, order: Sequence[int]) -> None:
        self._source, self._order = source, tuple(order)
        self.info = replace(source.info, planes=tuple(source.info.planes[place] for place in order))

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> Pixels:
        """See `ImageSource.read`."""
        return self._source.read(rect, level, self._order[plane], channels)

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        return self._source.rescale(self._order[plane])

    def alpha(self, plane: int, rect: Rect) -> Pixels | None:
        """See `ImageSource.alpha`."""
        return self._source.alpha(self._order[plane], rect)

    def drop(self, plane: int) -> None:
        """See `ImageSource.drop`."""
        self._source.drop(self._order[plane])

    def close(self) -> None:
        """See `ImageSource.close`."""
        self._source.close()

"""The owner of which planes of stacks were ever on screen: Done asks before it fills others."""

from PySide6.QtCore import QObject

from segstudio.app.values import Place
from segstudio.app.viewing.navigation import Navigation
from segstudio.labels.done_planes import planes_of, ranges_of

__all__ = ["SeenPlanes"]

_KEPT = 300
"""Of how many stacks that is kept for a project, those seen last."""


class SeenPlanes(QObject):
    """Follows navigation, from what an earlier session has kept; images are known by their paths."""

    def __init__(self, navigation: Navigation, left: Place | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._seen = {path: set(planes_of(text)) for path, text in (left.seen if left is not None else ())}
        navigation.imageShown.connect(self._shown)

    def of(self, path: str) -> frozenset[int]:
        """The planes of an image that were on screen."""
        return frozenset(self._seen.get(path, ()))

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What is to be kept, (path, ranges) each."""
        return tuple((path, ranges_of(planes)) for path, planes in self._seen.items())[-_KEPT:]

    def _shown(self) -> None:
        item = self._navigation.items[self._navigation.index]
        if item.planes > 1:
            seen = self._seen.pop(item.name, set())
            self._seen[item.name] = seen | {self._navigation.plane}
